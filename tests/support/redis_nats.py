"""A decoder's events written down, and conversations played to it in pieces."""

from collections.abc import Sequence
from typing import Any

from seamline.capture.wire.call import Call

Piece = tuple[str, bytes]
"""Who speaks ("client" or "server"), and what."""


class Events:
    """What a decoder tells, and that it keeps its word: every call that is begun is ended, once."""

    def __init__(self) -> None:
        self.open: list[Call] = []
        self.calls: list[Call] = []
        self.gaps: list[str] = []

    def begun(self, call: Call) -> None:
        assert call not in self.open
        self.open.append(call)

    def ended(self, call: Call) -> None:
        self.open.remove(call)
        assert call.answered or call.failure is not None
        self.calls.append(call)

    def gap(self, reason: str) -> None:
        self.gaps.append(reason)

    def one(self) -> Call:
        (call,) = self.calls
        return call


def feed(decoder: Any, *pieces: Piece, step: int = 0, at_us: int = 1_000) -> None:
    """Play a conversation, each piece in chunks of `step` bytes (0: whole), a microsecond apart."""
    for who, data in pieces:
        say = decoder.feed_client if who == "client" else decoder.feed_server
        for begin in range(0, len(data), step or max(1, len(data))):
            say(data[begin : begin + step] if step else data, at_us)
            at_us += 1


def told(calls: Sequence[Call]) -> list[tuple[object, ...]]:
    """Calls by everything but their times."""
    return [
        (
            call.method,
            call.target,
            call.operation,
            call.arguments,
            call.headers,
            call.body,
            call.lane,
            call.role,
            call.status,
            call.reason,
            call.response_headers,
            call.response_body,
            call.failure,
            call.truncated,
        )
        for call in calls
    ]
