"""Calls on protocols other than HTTP, as a tap records them, and the states that a run leaves behind."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Link, Request, Response, Role
from seamline.capture.wire.sql import arguments, parse_statement
from support.traffic import JSON, START_US, Call, Turn

Pairs = tuple[tuple[str, str], ...]


@dataclass
class Wire(Call):
    """A call whose request is given as a whole; `answer` is JSON unless it is bytes, None for no answer at all."""

    protocol: str = "postgres"
    operation: str = ""
    arguments: str = ""
    payload: bytes = b""
    reason: str = ""
    told: Pairs = (JSON,)
    changes: dict[str, Any] = field(default_factory=dict)

    def exchange(self, parent: Exchange, place: int) -> Exchange:
        """The call as the exchange of a run, caused by `parent`."""
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        request = Request(
            self.method, self.target, Headers(self.headers), self.payload, "", self.operation, self.arguments
        )
        made = replace(super().exchange(parent, place), protocol=self.protocol, request=request)
        answered = Response(self.status, Headers(self.told), body, self.reason, "")
        failure = Failure(FailureKind.RESET) if self.status < 0 else None
        made = replace(made, response=None if failure else answered, failure=failure)
        return replace(made, **self.changes)


def sql(
    text: str,
    *binds: Any,
    rows: Iterable[Mapping[str, Any]] = (),
    at: int = 100,
    transaction: str = "",
    tag: str = "",
    error: str = "",
    headers: Pairs = (),
    service: str = "db",
    **more: Any,
) -> Wire:
    """A statement of the service `service` as the PostgreSQL decoder records it; `error` is an SQLSTATE."""
    statement = parse_statement(text)
    held = [dict(row) for row in rows]
    noted = [("database", "{database}"), ("fingerprint", statement.fingerprint)]
    noted += [("transaction", transaction)] if transaction else []
    answer: Any = {"columns": list(held[0]) if held else [], "types": [], "rows": held}
    return Wire(
        service,
        statement.method,
        statement.target,
        headers=(*noted, *statement.comment.items(), *headers),
        status=1 if error else 0,
        answer={"severity": "ERROR", "code": error} if error else answer,
        at_us=at,
        operation=statement.operation,
        arguments=arguments(statement, binds),
        reason=error or tag or f"{statement.method} {len(held)}",
        told=(JSON, ("rows", str(len(held)))),
        **more,
    )


def redis(command: str, key: str, *arguments: Any, answer: Any = "OK", at: int = 100, **more: Any) -> Wire:
    """A command of the service "cache" on `key`; `arguments` as docs/format.md has them."""
    setup = (("setup", "yes"),) if more.pop("setup", False) else ()
    status = more.pop("status", 0)
    return Wire(
        "cache",
        command,
        key,
        headers=(("database", "3"), *setup),
        status=status,
        answer=answer,
        at_us=at,
        protocol="redis",
        operation=command,
        arguments=json.dumps(arguments, ensure_ascii=False),
        **more,
    )


def cached(key: str, value: Any, *, at: int = 100) -> Wire:
    """GET `key`, answered by `value` (None: not there)."""
    return redis("GET", key, key, answer={key: value}, at=at)


def put(key: str, value: Any, *options: Any, at: int = 100) -> Wire:
    """SET `key` to `value`."""
    return redis("SET", key, {key: value}, *options, at=at)


def publish(
    topic: str,
    event: Any,
    *,
    key: str | None = None,
    at: int = 100,
    headers: Pairs = (),
    kind: str = "kafka",
    **given: Any,
) -> Wire:
    """An event of the service "bus"."""
    named = {**({"key": key} if key is not None else {}), "partition": 0, "offset": 17, **given}
    return Wire(
        "bus",
        "PUBLISH",
        topic,
        headers=(JSON, *headers),
        status=0,
        answer=b"",
        at_us=at,
        protocol=kind,
        operation="publish",
        arguments=json.dumps(named),
        payload=json.dumps(event).encode(),
        told=(),
    )


def varint(number: int) -> bytes:
    """A number on protobuf's wire."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def message(**fields: int | str) -> bytes:
    """A protobuf message of `f1`, `f2` …: numbers as varints, texts as strings."""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value.encode())) + value.encode()
    return out


def framed(data: bytes) -> bytes:
    """A message as gRPC frames it."""
    return b"\0" + len(data).to_bytes(4) + data


def grpc(method: str, sent: bytes, *, answer: bytes = b"", code: int = 0, at: int = 100, headers: Pairs = ()) -> Wire:
    """A unary call of the service "pricing"."""
    kind = ("content-type", "application/grpc")
    return Wire(
        "pricing",
        "POST",
        f"/{method}",
        headers=(kind, *headers),
        answer=framed(answer),
        at_us=at,
        protocol="grpc",
        operation=method,
        payload=framed(sent),
        told=(kind, ("grpc-status", str(code))),
    )


def begin(name: str, *, at: int = 50) -> Wire:
    """The start of the transaction `name`."""
    return sql("BEGIN", transaction=name, at=at, tag="BEGIN")


def commit(name: str, *, at: int = 900, tag: str = "COMMIT") -> Wire:
    """The end of the transaction `name`."""
    return sql("COMMIT", transaction=name, at=at, tag=tag)


def rollback(name: str, *, at: int = 900) -> Wire:
    """The transaction `name` is taken back."""
    return sql("ROLLBACK", transaction=name, at=at, tag="ROLLBACK")


def consumed(topic: str, event: Any, *, calls: Iterable[Call] = (), status: int = 0, key: str = "k") -> Turn:
    """A message that the service under test was given."""
    request = Request(
        "CONSUME", topic, Headers([JSON]), json.dumps(event).encode(), "", "consume", json.dumps({"key": key})
    )
    answer = Response(status, Headers(()), b"", "nack" if status else "")
    return Turn(calls=list(calls), changes={"protocol": "kafka", "request": request, "response": answer})


def state(
    table: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    key: str = "id",
    name: str = "a",
    protocol: str = "postgres",
    service: str = "db",
    headers: Pairs = (),
) -> Exchange:
    """What `table` held at the end of the run `name`; `key` names its primary key's columns."""
    held = [dict(row) for row in rows]
    body = {"columns": list(held[0]) if held else [], "types": [], "rows": held}
    noted = [JSON, ("primary-key", key), ("rows", str(len(held))), *headers]
    return Exchange(
        id=f"{name}-state-{service}-{table}",
        seq=1_000_000,
        role=Role.OUTBOUND,
        protocol=protocol,
        service=service,
        session="state",
        started_us=START_US + 60_000_000,
        latency_us=0,
        request=Request("STATE", table, Headers(()), b"", "", "state"),
        response=Response(0, Headers(noted), json.dumps(body).encode(), "", ""),
    )


def linked(exchange: Exchange, parent: str, how: Any, confidence: float) -> Exchange:
    """`exchange` with one link."""
    return replace(exchange, links=(Link(parent, how, confidence),))
