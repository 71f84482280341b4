"""PostgreSQL's messages as a client writes them, and a decoder that is talked to."""

from typing import Any

import orjson

from seamline.capture.model import FailureKind
from seamline.capture.wire.call import Call
from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.decoder import PostgresDecoder
from seamline.capture.wire.postgres.messages import Column


def zero(text: str) -> bytes:
    return text.encode() + b"\0"


def startup(**parameters: str) -> bytes:
    body = (3 << 16).to_bytes(4, "big") + b"".join(zero(each) for pair in parameters.items() for each in pair) + b"\0"
    return (len(body) + 4).to_bytes(4, "big") + body


def special(code: int, more: bytes = b"") -> bytes:
    return (8 + len(more)).to_bytes(4, "big") + code.to_bytes(4, "big") + more


def query(text: str) -> bytes:
    return write.message(b"Q", zero(text))


def parse(text: str, name: str = "", oids: tuple[int, ...] = ()) -> bytes:
    types = b"".join(oid.to_bytes(4, "big") for oid in oids)
    return write.message(b"P", zero(name) + zero(text) + len(oids).to_bytes(2, "big") + types)


def shorts(numbers: tuple[int, ...]) -> bytes:
    return len(numbers).to_bytes(2, "big") + b"".join(number.to_bytes(2, "big") for number in numbers)


def bind(
    *values: bytes | None,
    portal: str = "",
    name: str = "",
    formats: tuple[int, ...] = (),
    results: tuple[int, ...] = (),
) -> bytes:
    told = len(values).to_bytes(2, "big") + b"".join(write.with_length(value) for value in values)
    return write.message(b"B", zero(portal) + zero(name) + shorts(formats) + told + shorts(results))


def describe(kind: str = "P", name: str = "") -> bytes:
    return write.message(b"D", kind.encode() + zero(name))


def execute(portal: str = "", limit: int = 0) -> bytes:
    return write.message(b"E", zero(portal) + limit.to_bytes(4, "big"))


def close(kind: str, name: str) -> bytes:
    return write.message(b"C", kind.encode() + zero(name))


SYNC = write.message(b"S", b"")
FLUSH = write.message(b"H", b"")
COPY_END = write.message(b"c", b"")
IDLE = write.ready(b"I")


def copy_data(data: bytes) -> bytes:
    return write.message(b"d", data)


def columns(*named: tuple[str, int]) -> list[Column]:
    return [Column(name, oid, 0) for name, oid in named]


def greeting(**parameters: str) -> bytes:
    told = b"".join(write.parameter(name, value) for name, value in parameters.items())
    return write.AUTHENTICATED + told + write.key_data(7, 9) + IDLE


class Talk:
    """A decoder, and what it says. Times count up by one with each piece of bytes."""

    def __init__(self, *, started: bool = True, **parameters: str) -> None:
        self.open: list[Call] = []
        self.ended_calls: list[Call] = []
        self.gaps: list[str] = []
        self.decoder = PostgresDecoder("c-1", self)
        self.at_us = 0
        if started:
            self.client(startup(user="app", database="shop"))
            self.server(greeting(**parameters))
            self.ended_calls.clear()

    def begun(self, call: Call) -> None:
        assert call.method
        assert orjson.loads(call.arguments) is not None
        self.open.append(call)

    def ended(self, call: Call) -> None:
        self.open.remove(call)
        assert call.answered != (call.failure is not None)
        self.ended_calls.append(call)

    def gap(self, reason: str) -> None:
        self.gaps.append(reason)

    def client(self, *data: bytes) -> None:
        self.at_us += 1
        self.decoder.feed_client(b"".join(data), self.at_us)

    def server(self, *data: bytes) -> None:
        self.at_us += 1
        self.decoder.feed_server(b"".join(data), self.at_us)

    def lost(self, kind: FailureKind = FailureKind.RESET) -> None:
        self.at_us += 1
        self.decoder.lost(kind, "gone", self.at_us)

    @property
    def calls(self) -> list[Call]:
        return self.ended_calls

    @property
    def only(self) -> Call:
        (call,) = self.ended_calls
        return call

    def told(self) -> list[Any]:
        """The calls as plain values."""
        return [summary(call) for call in self.ended_calls]


def summary(call: Call) -> tuple[Any, ...]:
    """Everything of a call but its times."""
    return (
        call.method,
        call.target,
        call.operation,
        call.arguments,
        call.headers.items,
        call.body,
        call.lane,
        call.status,
        call.reason,
        call.response_headers.items,
        call.response_body,
        call.failure,
    )


def rows_of(call: Call) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(call.response_body)["rows"]
    return rows
