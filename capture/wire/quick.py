"""A client connection as it passes by, for the least work: whole exchanges as they came, the rest parsed. PURE.

Two rules hold here. Whatever is told is what `Http1Connection` alone would have told, in the same order. Whole messages
are taken only where it stands between two messages: it has not seen them, and it need not.
"""

from collections.abc import Callable

from ..model import FailureKind, Link
from .http1 import Http1Connection
from .turn import Budget, RawTurn
from .whole import RawLink, Whole, WholeMessages

Place = tuple[int, tuple[Link, ...]]
"""What a request gets when it begins: its sequence number, and what may have caused it."""

_Asked = tuple[Place, int, bytes]


class QuickConnection:
    """The two directions of the client connection `name`, with the verbs of `Http1Connection`.

    `begun(asked, at_us, name)` gives a request its place, which is whole bytes or a turn whose body may still be
    coming; `whole(exchange)` and
    `ended(turn)` are told what has been answered, and what has failed. A turn has its place, and the connection's
    name for a session.
    """

    __slots__ = (
        "_asked",
        "_begun",
        "_is_answer",
        "_is_quick",
        "_is_request",
        "_make",
        "_name",
        "_parsed",
        "_replayed",
        "_whole",
    )

    def __init__(
        self,
        name: str,
        messages: WholeMessages,
        begun: Callable[[bytes | RawTurn, int, str], Place],
        whole: Callable[[Whole], None],
        ended: Callable[[RawTurn], None],
        gap: Callable[[str], None],
        *,
        body_cap: int,
        budget: Budget,
    ) -> None:
        self._name = name
        self._is_request = messages.is_request
        self._is_answer = messages.is_answer
        self._begun = begun
        self._whole = whole
        self._make: Callable[[], Http1Connection] = lambda: Http1Connection(
            self._turn_begun, ended, gap, body_cap=body_cap, budget=budget
        )
        self._parsed: Http1Connection | None = None
        self._asked: _Asked | None = None
        self._replayed: Place | None = None
        self._is_quick = True

    @property
    def in_flight(self) -> bool:
        """Whether a request has begun that has not ended."""
        return self._asked is not None or (self._parsed is not None and bool(self._parsed.turns))

    @property
    def is_asking(self) -> bool:
        """Whether the client is in the middle of a request that can be understood."""
        return self._parsed is not None and self._parsed.is_asking

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        if self._is_quick and self._asked is None and self._is_request(data):
            self._asked = (self._begun(data, at_us, self._name), at_us, data)
        else:
            parsed = self._careful()
            parsed.feed_client(data, at_us)
            self._is_quick = parsed.at_rest

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        asked = self._asked
        if asked is not None and self._is_answer(data):
            self._asked = None
            (seq, links), started_us, request = asked
            self._whole((seq, self._name, started_us, at_us, request, data, plain(links) if links else ()))
        else:
            parsed = self._careful()
            parsed.feed_server(data, at_us)
            self._is_quick = parsed.at_rest

    def client_eof(self, at_us: int) -> None:
        """The client sends no more."""
        self._careful().client_eof(at_us)

    def server_eof(self, at_us: int) -> None:
        """The server sends no more."""
        self._careful().server_eof(at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone."""
        self._careful().lost(kind, detail, at_us)

    def _careful(self) -> Http1Connection:
        """The connection that understands everything, with the whole request that waits for its answer."""
        self._is_quick = False
        parsed = self._parsed
        if parsed is None:
            parsed = self._parsed = self._make()
        if self._asked is not None:
            self._replayed, at_us, request = self._asked
            self._asked = None
            parsed.feed_client(request, at_us)
        return parsed

    def _turn_begun(self, turn: RawTurn) -> None:
        place, self._replayed = self._replayed, None
        if place is None:
            place = self._begun(turn, turn.started_us, self._name)
        turn.seq, turn.links = place
        turn.session = self._name


def plain(links: tuple[Link, ...]) -> tuple[RawLink, ...]:
    """Links as a whole exchange has them."""
    return tuple([(link.parent, link.how.value, link.confidence) for link in links])
