"""What a replay hands over, and the exchanges that come out of it."""

import marshal
from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Request, Response, Role
from seamline.capture.wire.replayed import Replayed, ReplayedDecoder, replayed_size

HEAD = b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\n"
PAIRS = (("Host", "a"), ("X", "é"))


def values(answer: Any = HEAD, body: bytes = b"{}", pairs: tuple[tuple[str, str], ...] = PAIRS) -> Replayed:
    return ("r-1", 1, "shop", "s", 1000, 50, "POST", "/a", pairs, b"in", "1.1", answer, body, "o-1", True, 7)


def decoded(*batch: Replayed) -> list[Exchange]:
    """By the way that they go: a batch as marshal's bytes."""
    return list(ReplayedDecoder().exchanges(marshal.loads(marshal.dumps(list(batch)))))


def test_an_answer_by_its_head() -> None:
    (exchange,) = decoded(values())
    assert exchange == Exchange(
        "r-1", 1, Role.INBOUND, "http", "shop", "s", 1000, 50,
        Request("POST", "/a", Headers(PAIRS), b"in", "1.1"),
        Response(201, Headers([("Content-Length", "2")]), b"{}", "Made", "1.1"),
        origin="o-1", truncated=True, lateness_us=7,
    )  # fmt: skip


def test_an_answer_by_its_parts_and_a_failure() -> None:
    parts, failed = decoded(values((404, (("A", "b"),), "Gone", "1.0"), b"x"), values(("reset", "closed"), b""))
    assert parts.response == Response(404, Headers([("A", "b")]), b"x", "Gone", "1.0")
    assert (failed.response, failed.failure) == (None, Failure(FailureKind.RESET, "closed"))


def test_equal_parts_are_one_object() -> None:
    first, second, third = decoded(values(), values(), values(body=b"[]"))
    assert first.request.headers is second.request.headers is third.request.headers
    assert first.response is second.response
    assert third.response is not None
    assert third.response.body == b"[]"


def test_equal_answers_of_several_batches_are_one_object() -> None:
    decoder = ReplayedDecoder()
    ((first,), (second,)) = (list(decoder.exchanges(marshal.loads(marshal.dumps([values()])))) for _ in range(2))
    assert first.response is second.response


def test_what_is_remembered_is_bounded() -> None:
    decoder = ReplayedDecoder()
    for number in range(3000):
        body = b"%d" % number
        (exchange,) = decoder.exchanges([values(body=body)])
        assert exchange.response is not None
        assert exchange.response.body == body
    large = values(body=b"x" * 20_000)
    first, second = decoder.exchanges([large, large])
    assert first.response == second.response
    assert first.response is not second.response


def test_the_size_counts_what_differs() -> None:
    assert replayed_size(values(body=b"x" * 1000)) - replayed_size(values(body=b"")) == 1000
    assert replayed_size(values((404, (("A", "b" * 500),), "Gone", "1.0"))) > 700
    assert replayed_size(values(("reset", "closed"), b"")) < 400
