"""Whole messages are told from the rest, and taken apart later, by the same parser."""

import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange, Link, LinkKind, Role
from seamline.capture.sessions import SessionNames
from seamline.capture.wire.http1 import Http1Connection
from seamline.capture.wire.turn import RawTurn
from seamline.capture.wire.whole import LARGEST_WHOLE, Whole, WholeDecoder, WholeMessages

GET = b"GET /a?b=c HTTP/1.1\r\nHost: svc\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz"
CHUNKED_POST = b"PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED_OK = b"HTTP/1.1 201 Made\r\ntransfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: 1\r\n\r\n"

REQUESTS = {
    "get": (GET, True),
    "post": (POST, True),
    "delete": (b"DELETE /a HTTP/1.1\r\n\r\n", True),
    "chunked": (CHUNKED_POST, True),
    "kept 1.0": (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    "expecting": (POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), True),
    "nothing": (b"", False),
    "head": (GET.replace(b"GET", b"HEAD"), False),
    "connect": (b"CONNECT a:1 HTTP/1.1\r\n\r\n", False),
    "other word": (b"POSTING / HTTP/1.1\r\n\r\n", False),
    "last": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
    "1.0": (b"GET / HTTP/1.0\r\n\r\n", False),
    "upgrade": (b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", False),
    "half a head": (GET[:-2], False),
    "half a body": (POST[:-1], False),
    "two": (GET + GET, False),
    "one and a bit": (GET + b"G", False),
    "an empty line before": (b"\r\n" + GET, False),
    "folded": (b"GET / HTTP/1.1\r\nA: 1\r\n 2\r\n\r\n", False),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", False),
    "length and chunked": (
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        False,
    ),
    "too large": (b"GET /" + b"a" * LARGEST_WHOLE + b" HTTP/1.1\r\n\r\n", False),
}
ANSWERS = {
    "ok": (OK, True),
    "chunked": (CHUNKED_OK, True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", True),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n", False),
    "switching": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: Upgrade\r\n\r\n", False),
    "until close": (b"HTTP/1.1 200 OK\r\n\r\nabc", False),
    "last": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    "half": (OK[:-1], False),
    "two": (OK + OK, False),
    "one and a bit": (OK + b"H", False),
    "interim and final": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, False),
    "garbage": (b"HTTP/1.1 ***", False),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_whole_requests(name: str) -> None:
    messages = WholeMessages(LARGEST_WHOLE)
    data, whole = REQUESTS[name]
    for _ in range(2):
        assert messages.is_request(data) is whole
        assert messages.is_request(GET)


@pytest.mark.parametrize("name", ANSWERS)
def test_whole_answers(name: str) -> None:
    messages = WholeMessages(LARGEST_WHOLE)
    data, whole = ANSWERS[name]
    for _ in range(2):
        assert messages.is_answer(data) is whole
        assert messages.is_answer(OK)


def test_what_could_hold_a_body_over_the_cap_is_not_taken() -> None:
    messages = WholeMessages(len(POST) - 1)
    assert not messages.is_request(POST)
    assert not messages.is_answer(OK + b" " * len(POST))
    assert WholeMessages(len(POST)).is_request(POST)


def decoded(*wholes: Whole) -> list[Exchange | None]:
    batch = marshal.loads(marshal.dumps(("p", "svc", True, list(wholes))))
    return list(WholeDecoder(SessionNames(b"k" * 32)).exchanges(batch))


def alone(asked: bytes, answered: bytes) -> Exchange:
    """What the connection that understands everything makes of it."""
    done: list[RawTurn] = []
    connection = Http1Connection(lambda _: None, done.append, lambda _: None)
    connection.feed_client(asked, 100)
    connection.feed_server(answered, 150)
    (turn,) = done
    turn.exchange_id, turn.seq, turn.session = "p-7", 7, "c-1"
    return turn.exchange(Role.INBOUND, "svc")


@pytest.mark.parametrize("asked", [name for name, (_, whole) in REQUESTS.items() if whole])
@pytest.mark.parametrize("answered", [name for name, (_, whole) in ANSWERS.items() if whole])
def test_an_exchange_of_whole_messages_is_what_the_parser_makes_of_them(asked: str, answered: str) -> None:
    request, answer = REQUESTS[asked][0], ANSWERS[answered][0]
    assert decoded((7, "c-1", 100, 150, request, answer, ())) == [alone(request, answer)]


@given(st.binary(max_size=30), st.integers(0, 80), st.sampled_from([GET, POST, CHUNKED_POST, OK, CHUNKED_OK]))
def test_bytes_put_anywhere_into_a_message_make_no_difference_to_that(noise: bytes, place: int, message: bytes) -> None:
    messages = WholeMessages(LARGEST_WHOLE)
    changed = message[:place] + noise + message[place:]
    if messages.is_request(changed):
        assert decoded((7, "c-1", 100, 150, changed, OK, ())) == [alone(changed, OK)]
    if messages.is_answer(changed):
        assert decoded((7, "c-1", 100, 150, GET, changed, ())) == [alone(GET, changed)]


def test_links_and_the_session_of_a_credential() -> None:
    request = GET.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer x\r\n\r\n")
    (exchange,) = decoded((7, "c-1", 100, 150, request, OK, (("in-1", "time", 0.95),)))
    assert exchange is not None
    assert exchange.links == (Link("in-1", LinkKind.TIME, 0.95),)
    assert exchange.session.startswith("s-")


def test_equal_messages_come_back_as_one_object() -> None:
    first, second, third = decoded(
        (1, "c-1", 100, 150, GET, OK, ()), (2, "c-2", 200, 250, GET, OK, ()), (3, "c-3", 300, 350, GET, CHUNKED_OK, ())
    )
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.request is second.request is third.request
    assert first.response is second.response
    assert third.response is not None
    assert third.response.body == b"x"


def test_what_is_not_understood_after_all_is_none() -> None:
    both_ways = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    for asked, answered in ((b"GET", OK), (GET, b"\r\n\r\n"), (both_ways, OK)):
        assert decoded((7, "c-1", 100, 150, asked, answered, ())) == [None]
