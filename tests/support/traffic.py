"""Runs for the judge, written as what was asked and what was answered."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.model import (
    Exchange,
    Failure,
    FailureKind,
    Link,
    LinkKind,
    Losses,
    Manifest,
    Request,
    Response,
    Role,
)
from seamline.diffing.judge import JudgeOptions, Round, Run, judge
from seamline.diffing.report.model import Finding, Report

START_US = 1_793_527_200_000_000  # 2026-11-01T10:00:00Z
JSON = ("Content-Type", "application/json")
Pairs = Iterable[tuple[str, str]]


@dataclass
class Call:
    """One downstream call; `at_us` from the request's start."""

    service: str
    method: str
    target: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200
    answer: Any = None
    at_us: int = 100
    takes_us: int = 100
    confidence: float = 1.0
    how: LinkKind = LinkKind.PROPAGATED

    def exchange(self, parent: Exchange, place: int) -> Exchange:
        """The call as the exchange of a run, caused by `parent`."""
        return Exchange(
            id=f"{parent.id}-{place}",
            seq=parent.seq + place + 1,
            role=Role.OUTBOUND,
            protocol="http",
            service=self.service,
            session=parent.session,
            started_us=parent.started_us + self.at_us,
            latency_us=self.takes_us,
            request=Request(
                self.method,
                self.target,
                Headers([*self.headers, *([JSON] if self.body is not None else [])]),
                encoded(self.body),
            ),
            response=Response(self.status, Headers([JSON]), encoded(self.answer)),
            links=(Link(parent.id, self.how, self.confidence),),
        )


@dataclass
class Turn:
    """One request and what came of it. `body` is JSON unless it is bytes; `status` 0 is a timeout."""

    method: str = "GET"
    target: str = "/orders/1"
    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (JSON,)
    sent: Any = None
    sent_headers: tuple[tuple[str, str], ...] = ()
    calls: Sequence[Call] = ()
    takes_us: int = 2_000
    changes: dict[str, Any] = field(default_factory=dict)


def encoded(body: Any) -> bytes:
    """A body on the wire."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def exchange(turn: Turn, number: int, name: str) -> Exchange:
    """The inbound exchange of a turn in the run `name`."""
    response = Response(turn.status, Headers(turn.headers), encoded(turn.body)) if turn.status else None
    fields: dict[str, Any] = {
        "id": f"{name}-{number}",
        "seq": number * 100,
        "role": Role.INBOUND,
        "protocol": "http",
        "service": "shop",
        "session": f"s{number % 3}",
        "started_us": START_US + number * 100_000,
        "latency_us": turn.takes_us,
        "request": Request(turn.method, turn.target, Headers(turn.sent_headers), encoded(turn.sent)),
        "response": response,
        "failure": None if turn.status else Failure(FailureKind.TIMEOUT, "no answer in 1 s"),
        "origin": f"c-{number}",
    }
    return Exchange(**{**fields, **turn.changes})


def outbound(call: Call, parent: Exchange, place: int) -> Exchange:
    """The exchange of a downstream call of `parent`."""
    return call.exchange(parent, place)


def a_run(
    turns: Iterable[Turn],
    name: str = "a",
    *,
    hosts: tuple[str, ...] = (),
    losses: Losses | None = None,
    states: Iterable[Exchange] = (),
    **more: Any,
) -> Run:
    """A run of the capture "cap" in which `turns` were played; `states` is what they left behind."""
    exchanges: list[Exchange] = []
    for number, turn in enumerate(turns):
        asked = exchange(turn, number, name)
        exchanges.append(asked)
        exchanges.extend(outbound(call, asked, place) for place, call in enumerate(turn.calls))
    exchanges.extend(states)
    manifest = Manifest(f"run-{name}", START_US, "seamline", "verify", hosts=hosts, replayed="cap")
    return Run(manifest, exchanges, losses or Losses(), **more)


Play = Callable[[int, str], Turn]
"""The turn of a request's number in a run; the run's name lets noise differ."""


def play(what: Play, name: str, count: int = 30) -> Run:
    """A run of `count` requests."""
    return a_run([what(number, name) for number in range(count)], name)


def verdict_on(
    before: Play, after: Play, *, count: int = 30, rounds: int = 1, noise: int = 1, options: JudgeOptions | None = None
) -> Report:
    """The report on a change from `before` to `after`."""
    played = [Round(play(before, f"a{n}", count), play(after, f"b{n}", count)) for n in range(rounds)]
    further = [play(before, f"n{n}", count) for n in range(noise)]
    return judge(played, further, options or JudgeOptions(explain=False))


def answers(body: Callable[[int, str], Any], **more: Any) -> Play:
    """Requests to /orders/N that are answered by `body(number, run)`."""
    return lambda number, name: Turn(target=f"/orders/{number + 100}", body=body(number, name), **more)


def of(report: Report, kind: str, path: str | None = None) -> list[Finding]:
    """The findings of "surface.kind" (at `path`)."""
    return [
        one
        for one in report.findings
        if f"{one.surface.value}.{one.kind}" == kind and (path is None or one.path == path)
    ]


def told(report: Report) -> list[tuple[str, str | None, str]]:
    """Each finding as (class, path or operation, severity)."""
    return [
        (f"{one.surface.value}.{one.kind}", one.path or one.operation, one.severity.word) for one in report.findings
    ]


def headers(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Header pairs of a mapping."""
    return tuple(values.items())
