"""The quick connection tells what the careful one tells, whatever passes by."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seamline.capture.model import FailureKind, Link, LinkKind, Role
from seamline.capture.sessions import SessionNames
from seamline.capture.wire.http1 import Http1Connection
from seamline.capture.wire.quick import Place, QuickConnection
from seamline.capture.wire.turn import Budget, RawTurn
from seamline.capture.wire.whole import Whole, WholeDecoder, WholeMessages

CLIENT, SERVER = "C", "S"
CLIENT_EOF, SERVER_EOF, LOST = "C end", "S end", "lost"
Step = tuple[str, bytes]

BODY_CAP = 100
GET = b"GET /a HTTP/1.1\r\nHost: svc\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz"
HEAD = b"HEAD /h HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUESTS = [
    GET,
    POST,
    HEAD,
    b"PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    b"POST /big HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + b"b" * 101,
    b"POST /wait HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1",
    b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /old HTTP/1.0\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"\r\n" + GET,
    b"\x16\x03\x01",
]
ANSWERS = [
    OK,
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"b" * 101,
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    b"nonsense",
]


@dataclass
class Careful:
    """`Http1Connection` alone, and what it tells, in order."""

    told: list[Any] = field(default_factory=list)
    begun: int = 0

    def __post_init__(self) -> None:
        self.budget = Budget(100_000)
        self.connection = Http1Connection(self.turn_begun, self.ended, self.gap, body_cap=BODY_CAP, budget=self.budget)

    def place(self) -> Place:
        self.begun += 1
        self.told.append(("begun", self.begun))
        return self.begun, (Link(f"in-{self.begun}", LinkKind.TIME, 0.5),)

    def turn_begun(self, turn: RawTurn) -> None:
        turn.seq, turn.links = self.place()
        turn.session = "c-1"

    def ended(self, turn: RawTurn) -> None:
        turn.exchange_id = f"p-{turn.seq}"
        self.told.append(turn.exchange(Role.INBOUND, "svc"))

    def gap(self, reason: str) -> None:
        self.told.append(("gap", reason))


class Quick(Careful):
    """`QuickConnection`, and what it tells."""

    def __post_init__(self) -> None:
        self.budget = Budget(100_000)
        self.wholes = 0
        self.connection = QuickConnection(
            "c-1",
            WholeMessages(BODY_CAP),
            self.head_begun,
            self.whole,
            self.ended,
            self.gap,
            body_cap=BODY_CAP,
            budget=self.budget,
        )

    def head_begun(self, asked: bytes | RawTurn, at_us: int, name: str) -> Place:
        assert b"\r\n\r\n" in (asked if isinstance(asked, bytes) else asked.request_head.raw)
        assert at_us > 0
        assert name == "c-1"
        return self.place()

    def whole(self, exchange: Whole) -> None:
        self.wholes += 1
        self.told += WholeDecoder(SessionNames(b"k" * 32)).exchanges(("p", "svc", True, [exchange]))


def play(talk: Careful, steps: list[Step]) -> None:
    connection = talk.connection
    for at_us, (who, data) in enumerate(steps, 1):
        if who == CLIENT:
            connection.feed_client(data, at_us)
        elif who == SERVER:
            connection.feed_server(data, at_us)
        elif who == CLIENT_EOF:
            connection.client_eof(at_us)
        elif who == SERVER_EOF:
            connection.server_eof(at_us)
        else:
            connection.lost(FailureKind.RESET, "reset", at_us)


def both(steps: list[Step]) -> Quick:
    """Play `steps` to both; the quick one, once it has told what the careful one tells."""
    careful, quick = Careful(), Quick()
    play(careful, steps)
    play(quick, steps)
    assert quick.told == careful.told
    assert quick.connection.in_flight is bool(careful.connection.turns)
    assert quick.connection.is_asking is careful.connection.is_asking
    assert quick.budget.left == careful.budget.left or quick.connection.in_flight
    return quick


@st.composite
def pieces(draw: st.DrawFn, who: str, messages: list[bytes]) -> list[Step]:
    """A message, most often an ordinary one and in one piece; or two at once; or in two pieces."""
    data = draw(st.sampled_from(messages[:2]) | st.sampled_from(messages))
    how = draw(st.sampled_from(("whole", "whole", "whole", "split", "double")))
    if how == "double":
        data += draw(st.sampled_from(messages))
    elif how == "split":
        at = draw(st.integers(1, len(data) - 1))
        return [(who, data[:at]), (who, data[at:])]
    return [(who, data)]


@st.composite
def conversations(draw: st.DrawFn) -> list[Step]:
    """Requests and answers, most often in turn."""
    turns = st.tuples(pieces(CLIENT, REQUESTS), pieces(SERVER, ANSWERS)).map(lambda two: two[0] + two[1])
    odd = pieces(CLIENT, REQUESTS) | pieces(SERVER, ANSWERS)
    ends = st.sampled_from((CLIENT_EOF, SERVER_EOF, LOST)).map(lambda end: [(end, b"")])
    parts = draw(st.lists(turns | turns | turns | odd | ends, max_size=8))
    return [step for part in parts for step in part]


@settings(max_examples=1000)
@given(conversations())
@example([(CLIENT, GET), (SERVER, OK), (CLIENT, GET + GET), (SERVER, OK + OK), (CLIENT, POST), (SERVER, OK)])
@example([(CLIENT, GET), (SERVER, OK[:9]), (SERVER, OK[9:]), (CLIENT, HEAD), (SERVER, OK[:-2]), (CLIENT, GET)])
def test_the_quick_connection_tells_what_the_careful_one_tells(steps: list[Step]) -> None:
    both(steps)


USUAL: list[Step] = [(CLIENT, GET), (SERVER, OK)]


def test_whole_exchanges_are_handed_on_as_they_came() -> None:
    quick = both([*USUAL, (CLIENT, POST), (SERVER, OK)])
    assert quick.wholes == 2


@pytest.mark.parametrize(
    "unusual",
    [
        [(CLIENT, HEAD), (SERVER, OK[:-2])],
        [(CLIENT, GET + GET), (SERVER, OK + OK)],
        [(CLIENT, GET), (CLIENT, GET), (SERVER, OK), (SERVER, OK)],
        [(CLIENT, POST[:-1]), (CLIENT, POST[-1:]), (SERVER, OK[:-1]), (SERVER, OK[-1:])],
        [(CLIENT, POST), (SERVER, b"HTTP/1.1 100 Continue\r\n\r\n"), (SERVER, OK)],
        [(CLIENT, b"CONNECT a:1 HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")],
    ],
)
def test_after_what_is_unusual_it_is_quick_again(unusual: list[Step]) -> None:
    assert both([*USUAL, *unusual, *USUAL]).wholes == 2


@pytest.mark.parametrize(
    "last",
    [
        [(CLIENT, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")), (SERVER, OK)],
        [(CLIENT, GET), (SERVER, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))],
        [(CLIENT, b"\x00\x01")],
        [(CLIENT, GET), (SERVER, b"SSH-2.0")],
        [(LOST, b"")],
        [(SERVER_EOF, b"")],
    ],
)
def test_after_the_last_message_it_never_is(last: list[Step]) -> None:
    assert both([*USUAL, *last, *USUAL]).wholes == 1


def test_a_whole_request_whose_answer_never_comes_has_failed() -> None:
    quick = both([(CLIENT, GET), (LOST, b"")])
    assert [told.failure.kind for told in quick.told[1:]] == [FailureKind.RESET]
