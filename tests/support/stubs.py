"""Stubs for tests: answers from exchanges in memory, recorded into a list."""

import itertools
from collections.abc import Sequence
from typing import Any

from seamline.capture.clock import Clock
from seamline.capture.engines.listener import TapSpec
from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, Link, LinkKind, Request, Response, Role
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.sessions import SessionNames
from seamline.replay.stubs.answers import Answers
from seamline.replay.stubs.book import Book
from seamline.replay.stubs.playback import Playback

from .captures import an_exchange

KEY = b"0123456789abcdef"


class Run:
    """A recorder that keeps what it is offered in `exchanges`, uncleaned."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.sessions = SessionNames(KEY)
        self.prefix = "run"
        self.next_seq = itertools.count(1).__next__
        self.exchanges: list[Exchange] = []
        self.losses: list[str] = []

    def next_id(self) -> tuple[str, int]:
        seq = self.next_seq()
        return f"{self.prefix}-{seq}", seq

    def offer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def offer_call(self, *call: Any) -> None:
        raise AssertionError("a stub offers exchanges")

    def offer_raw(self, turn: tuple[Any, ...]) -> None:
        raise AssertionError("a stub offers exchanges")

    def offer_whole(self, batch: Any) -> None:
        raise AssertionError("a stub offers exchanges")

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        self.losses.append(reason)


def playback_of(exchanges: Sequence[Exchange], *places: tuple[str, str]) -> tuple[Playback, Run]:
    """The stubs of one run over a capture of `exchanges`; `places` are (service, protocol)."""
    run = Run()
    book = Book(exchanges, places, Sanitizer(KEY))
    return Playback(book, run, LinkIndex()), run


def answers_of(exchanges: Sequence[Exchange], name: str, protocol: str, **options: Any) -> tuple[Answers, Run]:
    """The answers of the downstream `name`, and the run that they are recorded into. Call within a running loop or
    without one."""
    playback, run = playback_of(exchanges, (name, protocol))
    return Answers(stub_spec(name, protocol), playback, **options), run


def stub_spec(name: str, protocol: str) -> TapSpec:
    """Where a stub for a test listens: any free port."""
    return TapSpec(name, protocol, ("127.0.0.1", 0), ("127.0.0.1", 9), Role.OUTBOUND)


def an_http_call(
    number: int,
    target: str,
    answer: bytes = b"{}",
    *,
    cause: str | None = None,
    confidence: float = 1.0,
    method: str = "GET",
    body: bytes = b"",
    **changes: Any,
) -> Exchange:
    """The `number`th recorded call of the service to "pricing", caused by the inbound exchange `cause`."""
    headers = [("Host", "pricing"), ("Accept", "*/*")]
    if body:
        headers.append(("Content-Type", "application/json"))
    links = (Link(cause, LinkKind.PROPAGATED, confidence),) if cause is not None else ()
    fields: dict[str, Any] = {
        "role": Role.OUTBOUND,
        "service": "pricing",
        "request": Request(method, target, Headers(headers), body),
        "response": Response(200, Headers([("Content-Type", "application/json")]), answer, "OK"),
        "links": links,
    }
    return an_exchange(number, **{**fields, **changes})
