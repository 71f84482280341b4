"""Conversations: bytes of both directions in, exchanges out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange, FailureKind, Role
from seamline.capture.wire.http1 import HELD_CAP, MOST_IN_FLIGHT, Http1Connection
from seamline.capture.wire.pieces import HEAD_CAP
from seamline.capture.wire.turn import Budget, RawTurn

CLIENT, SERVER = "C", "S"
Step = tuple[str, bytes]


@dataclass
class Talk:
    """A connection and what came out of it."""

    body_cap: int = 1000
    began: list[str] = field(default_factory=list)
    done: list[Exchange] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    at: int = 0

    def __post_init__(self) -> None:
        self.budget = Budget(100_000)
        self.conn = Http1Connection(
            self._begun, self._ended, self.gaps.append, body_cap=self.body_cap, budget=self.budget
        )

    def _begun(self, turn: RawTurn) -> None:
        turn.exchange_id = f"e-{len(self.began)}"
        turn.seq = len(self.began)
        self.began.append(turn.target)

    def _ended(self, turn: RawTurn) -> None:
        self.done.append(turn.exchange(Role.INBOUND, "svc"))

    def say(self, *steps: Step) -> "Talk":
        for who, data in steps:
            self.at += 10
            (self.conn.feed_client if who == CLIENT else self.conn.feed_server)(data, self.at)
        return self

    @property
    def seen(self) -> list[tuple[str, str, bytes, int, bytes]]:
        return [
            (
                each.request.method,
                each.request.target,
                each.request.body,
                each.response.status if each.response else 0,
                each.response.body if each.response else b"",
            )
            for each in self.done
        ]


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: svc", *headers, "", ""]).encode()


def ok(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


POST = b"POST /p HTTP/1.1\r\nHost: svc\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED_REQUEST = (
    b"PUT /c HTTP/1.1\r\nHost: svc\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n"
)
CHUNKED_ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n0\r\n\r\n"
UPGRADE = "Connection: Upgrade", "Upgrade: websocket"

CONVERSATIONS: dict[str, tuple[list[Step], list[tuple[str, str, bytes, int, bytes]]]] = {
    "keep-alive": (
        [(CLIENT, get("/a")), (SERVER, ok(b"A")), (CLIENT, POST), (SERVER, ok(b"B"))],
        [("GET", "/a", b"", 200, b"A"), ("POST", "/p", b"hello", 200, b"B")],
    ),
    "pipelined": (
        [(CLIENT, get("/a") + POST + get("/b")), (SERVER, ok(b"A") + ok(b"B") + ok(b"C"))],
        [("GET", "/a", b"", 200, b"A"), ("POST", "/p", b"hello", 200, b"B"), ("GET", "/b", b"", 200, b"C")],
    ),
    "chunked both ways": (
        [(CLIENT, CHUNKED_REQUEST), (SERVER, CHUNKED_ANSWER)],
        [("PUT", "/c", b"abcde", 200, b"wiki")],
    ),
    "HEAD announces a body that never comes": (
        [
            (CLIENT, b"HEAD /h HTTP/1.1\r\nHost: svc\r\n\r\n"),
            (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
            (CLIENT, get("/a")),
            (SERVER, ok(b"A")),
        ],
        [("HEAD", "/h", b"", 200, b""), ("GET", "/a", b"", 200, b"A")],
    ),
    "HEAD in the middle of a pipeline, chunked and with none": (
        [
            (CLIENT, get("/a") + b"HEAD /h HTTP/1.1\r\n\r\nHEAD /i HTTP/1.1\r\n\r\n" + get("/b")),
            (SERVER, ok(b"\r\n\r\nA\r\n\r\n") + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (SERVER, b"HTTP/1.1 404 No\r\n\r\n" + ok(b"B")),
        ],
        [
            ("GET", "/a", b"", 200, b"\r\n\r\nA\r\n\r\n"),
            ("HEAD", "/h", b"", 200, b""),
            ("HEAD", "/i", b"", 404, b""),
            ("GET", "/b", b"", 200, b"B"),
        ],
    ),
    "100-continue and early hints come before the answer": (
        [
            (CLIENT, b"POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
            (SERVER, b"HTTP/1.1 100 Continue\r\n\r\n"),
            (CLIENT, b"hi"),
            (SERVER, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok(b"A")),
        ],
        [("POST", "/p", b"hi", 200, b"A")],
    ),
    "no body by status": (
        [
            (CLIENT, get("/a") + get("/b")),
            (SERVER, b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        ],
        [("GET", "/a", b"", 204, b""), ("GET", "/b", b"", 304, b"")],
    ),
    "an answer before the request is complete": (
        [
            (CLIENT, b"POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe"),
            (SERVER, b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
            (CLIENT, b"llo" + get("/a")),
            (SERVER, ok(b"A")),
        ],
        [("POST", "/p", b"hello", 413, b""), ("GET", "/a", b"", 200, b"A")],
    ),
    "upgrade taken": (
        [
            (CLIENT, get("/ws", *UPGRADE)),
            (SERVER, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x01a"),
            (CLIENT, b"\x81\x81GET / HTTP/1.1\r\n\r\n"),
            (SERVER, ok(b"never parsed")),
        ],
        [("GET", "/ws", b"", 101, b"")],
    ),
    "a bare 101": (
        [(CLIENT, get("/ws", *UPGRADE)), (SERVER, b"HTTP/1.1 101 Yes\r\n\r\nabc"), (CLIENT, b"\x00\x01")],
        [("GET", "/ws", b"", 101, b"")],
    ),
    "upgrade refused, with a request held back behind it": (
        [
            (CLIENT, get("/ws", *UPGRADE) + get("/a")),
            (SERVER, ok(b"no") + ok(b"A")),
            (CLIENT, get("/b")),
            (SERVER, ok(b"B")),
        ],
        [("GET", "/ws", b"", 200, b"no"), ("GET", "/a", b"", 200, b"A"), ("GET", "/b", b"", 200, b"B")],
    ),
    "upgrade wished for with a body": (
        [
            (CLIENT, b"POST /u HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc"),
            (SERVER, ok(b"U")),
            (CLIENT, get("/a")),
            (SERVER, ok(b"A")),
        ],
        [("POST", "/u", b"abc", 200, b"U"), ("GET", "/a", b"", 200, b"A")],
    ),
    "upgrade wished for with a chunked body": (
        [
            (CLIENT, CHUNKED_REQUEST.replace(b"Host: svc", b"Connection: Upgrade\r\nUpgrade: h2c")),
            (SERVER, ok(b"U")),
        ],
        [("PUT", "/c", b"abcde", 200, b"U")],
    ),
    "HEAD with a wish to upgrade": (
        [
            (CLIENT, get("/ws", *UPGRADE).replace(b"GET", b"HEAD")),
            (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"),
            (CLIENT, get("/a")),
            (SERVER, ok(b"A")),
        ],
        [("HEAD", "/ws", b"", 200, b""), ("GET", "/a", b"", 200, b"A")],
    ),
    "CONNECT taken": (
        [
            (CLIENT, b"CONNECT db:5432 HTTP/1.1\r\n\r\n"),
            (SERVER, b"HTTP/1.1 200 Established\r\nContent-Length: 4\r\n\r\n\x16\x03"),
            (CLIENT, b"\x16\x03\x01"),
        ],
        [("CONNECT", "db:5432", b"", 200, b"")],
    ),
    "CONNECT refused": (
        [
            (CLIENT, b"CONNECT db:5432 HTTP/1.1\r\n\r\n"),
            (SERVER, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
            (CLIENT, get("/a")),
            (SERVER, ok(b"A")),
        ],
        [("CONNECT", "db:5432", b"", 403, b"no"), ("GET", "/a", b"", 200, b"A")],
    ),
}


def pieces(steps: Iterable[Step], cuts: list[int]) -> list[Step]:
    """The same conversation with each step cut at some of `cuts`."""
    out: list[Step] = []
    for who, data in steps:
        marks = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        out += [(who, data[a:b]) for a, b in pairwise(marks)]
    return out


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_gives_its_exchanges(name: str) -> None:
    steps, expected = CONVERSATIONS[name]
    talk = Talk().say(*steps)
    assert talk.seen == expected
    assert talk.gaps == []
    assert not talk.conn.turns
    assert talk.budget.left == 100_000


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_byte_by_byte_it_gives_the_same(name: str) -> None:
    steps, expected = CONVERSATIONS[name]
    talk = Talk().say(*pieces(steps, list(range(2000))))
    assert talk.seen == expected
    assert talk.gaps == []


@given(name=st.sampled_from(sorted(CONVERSATIONS)), cuts=st.lists(st.integers(0, 5000), max_size=12))
def test_split_anywhere_it_gives_the_same(name: str, cuts: list[int]) -> None:
    steps, expected = CONVERSATIONS[name]
    assert Talk().say(*pieces(steps, cuts)).seen == expected


@given(steps=st.lists(st.tuples(st.sampled_from((CLIENT, SERVER)), st.binary(max_size=60)), max_size=8))
def test_garbage_never_raises_and_every_request_ends_once(steps: list[Step]) -> None:
    talk = Talk().say(*steps)
    talk.conn.lost(FailureKind.CANCELLED, "over", 10_000)
    assert len(talk.done) == len(talk.began)


@given(cut=st.integers(0, 400), name=st.sampled_from(sorted(CONVERSATIONS)))
def test_cut_off_anywhere_every_request_ends_once(cut: int, name: str) -> None:
    talk = Talk()
    for who, data in CONVERSATIONS[name][0]:
        talk.say((who, data[:cut]))
        cut -= len(data)
        if cut <= 0:
            break
    talk.conn.server_eof(10_000)
    talk.conn.lost(FailureKind.CANCELLED, "over", 10_001)
    assert [each.id for each in talk.done] == [f"e-{n}" for n in range(len(talk.began))]
    assert all((each.response is None) != (each.failure is None) for each in talk.done)


def test_the_wire_truth_is_kept() -> None:
    talk = Talk().say(
        (CLIENT, b"REPORT /x?q=%20 HTTP/1.0\r\nX-A: 1\r\nx-a: \xe9\r\nX-A:\r\n\r\n"),
        (SERVER, b"HTTP/1.1 299 Odd One\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"),
    )
    (exchange,) = talk.done
    assert exchange.request.method == "REPORT"
    assert exchange.request.version == "1.0"
    assert exchange.request.headers.items == (("X-A", "1"), ("x-a", "é"), ("X-A", ""))
    assert exchange.response is not None
    assert exchange.response.reason == "Odd One"
    assert exchange.response.headers.get_all("set-cookie") == ("a", "b")


def test_times_run_from_the_first_byte_of_the_request_to_the_last_of_the_answer() -> None:
    request, answer = get("/a"), ok(b"AB")
    talk = Talk().say((CLIENT, request[:3]), (CLIENT, request[3:]), (SERVER, answer[:-1]), (SERVER, answer[-1:]))
    (exchange,) = talk.done
    assert (exchange.started_us, exchange.latency_us) == (10, 30)


def test_only_the_close_ends_an_answer_without_a_length() -> None:
    talk = Talk().say((CLIENT, get("/a")), (SERVER, b"HTTP/1.1 200 OK\r\n\r\nall of"), (SERVER, b" it"))
    assert talk.done == []
    talk.conn.server_eof(99)
    assert talk.seen == [("GET", "/a", b"", 200, b"all of it")]


FAILURES = {
    "no answer at all": (get("/a"), b"", FailureKind.RESET, "closed without an answer"),
    "half a head": (get("/a"), b"HTTP/1.1 200 OK\r\nConte", FailureKind.RESET, "closed without an answer"),
    "half a body": (
        get("/a"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        FailureKind.TRUNCATED,
        "closed after status 200 and 3 bytes of the body",
    ),
    "half a chunk": (
        get("/a"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        FailureKind.TRUNCATED,
        "closed after status 200 and 3 bytes of the body",
    ),
    "garbage": (get("/a"), b"\x00\x01 what?", FailureKind.PROTOCOL, "server bytes that are not HTTP/1.1"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_server_that_ends_too_early_is_a_failure(name: str) -> None:
    request, answer, kind, detail = FAILURES[name]
    talk = Talk().say((CLIENT, request), (SERVER, answer))
    talk.conn.server_eof(99)
    (exchange,) = talk.done
    assert exchange.response is None
    assert exchange.failure is not None
    assert (exchange.failure.kind, exchange.failure.detail) == (kind, detail)


def test_a_lost_client_fails_all_that_waits() -> None:
    talk = Talk().say((CLIENT, get("/a") + get("/b")), (SERVER, ok(b"A")))
    talk.conn.lost(FailureKind.CANCELLED, "the client left", 99)
    assert [each.failure.kind if each.failure else None for each in talk.done] == [None, FailureKind.CANCELLED]


def test_what_waits_is_still_answered_when_the_client_turns_to_garbage() -> None:
    talk = Talk().say((CLIENT, get("/a") + b"\x16\x03\x01 garbage\r\n\r\n"), (SERVER, ok(b"A")), (SERVER, ok(b"400")))
    assert talk.seen == [("GET", "/a", b"", 200, b"A")]
    assert talk.gaps == ["client bytes that are not HTTP/1.1"]


def test_an_answer_without_a_request_blinds_the_connection() -> None:
    talk = Talk().say((SERVER, b"HTTP/1.1 408 Timeout\r\n\r\n"), (CLIENT, get("/a")))
    assert talk.done == []
    assert len(talk.gaps) == 1
    assert talk.conn.opaque


def test_a_client_that_stops_inside_a_request_is_a_gap_but_is_answered() -> None:
    talk = Talk().say((CLIENT, b"POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhe"))
    talk.conn.client_eof(50)
    talk.say((SERVER, b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"))
    (exchange,) = talk.done
    assert exchange.truncated
    assert exchange.request.body == b""
    assert exchange.response is not None
    assert talk.gaps == ["the client's bytes end inside a request"]


@pytest.mark.parametrize("size", [1000, 1001])
def test_a_body_over_the_cap_is_left_out_and_said_so(size: int) -> None:
    request = b"POST /p HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + b"r" * size
    talk = Talk().say(*pieces([(CLIENT, request), (SERVER, ok(b"a" * size))], [300, 600, 900]))
    (exchange,) = talk.done
    kept = size <= 1000
    assert exchange.truncated is not kept
    assert exchange.response is not None
    assert (len(exchange.request.body), len(exchange.response.body)) == ((size, size) if kept else (0, 0))
    assert talk.budget.left == 100_000


def test_bodies_share_a_budget() -> None:
    talk = Talk()
    talk.budget.left = 150
    talk.say((CLIENT, get("/a") + get("/b")), (SERVER, ok(b"a" * 200) + ok(b"b" * 100)))
    assert [each.truncated for each in talk.done] == [True, False]
    assert talk.budget.left == 150


def test_heads_in_flight_and_held_bytes_are_bounded() -> None:
    endless = Talk()
    endless.say((CLIENT, b"GET / HTTP/1.1\r\nX: "), *[(CLIENT, b"x" * 10_000)] * (HEAD_CAP // 10_000 + 2))
    assert endless.gaps == ["a head is too large"]

    answer = Talk().say((CLIENT, get("/")), (SERVER, b"HTTP/1.1 200 OK\r\nX: "))
    answer.say(*[(SERVER, b"x" * 10_000)] * (HEAD_CAP // 10_000 + 2))
    assert answer.gaps == ["a head is too large"]
    assert len(answer.done) == 1

    piped = Talk().say((CLIENT, get("/") * (MOST_IN_FLIGHT + 5)))
    assert len(piped.conn.turns) == MOST_IN_FLIGHT
    assert len(piped.gaps) == 1

    held = Talk().say((CLIENT, get("/ws", *UPGRADE)), *[(CLIENT, b"x" * 10_000)] * (HELD_CAP // 10_000 + 2))
    assert held.gaps == ["too much was sent behind an unanswered upgrade"]
    assert held.say((SERVER, ok(b"A"))).seen == [("GET", "/ws", b"", 200, b"A")]
