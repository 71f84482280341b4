"""What came of a request, in others' forms."""

from seamline.capture.headers import Headers
from seamline.capture.model import Failure, FailureKind, Request, Response
from seamline.capture.wire.answers import RawAnswer
from seamline.capture.wire.replayed import ReplayedDecoder
from seamline.replay.plan import Step
from seamline.replay.told import came_back, exchange_of, failed, told_of
from seamline.replay.transport.base import Outcome

REQUEST = Request("GET", "/a", Headers([("Host", "h")]))
STEP = Step("origin", "s", 0, REQUEST, service="shop")
RAW = RawAnswer(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b'{"id":"order-77-x"}')
PLAIN = Response(200, Headers([("Content-Type", "application/json")]), b'{"id":"order-77-x"}', "OK")
FAILURE = Failure(FailureKind.RESET, "gone")


def test_a_result_is_the_same_exchange_whichever_way_it_is_told() -> None:
    for outcome in (Outcome(RAW, None, 5, 9), Outcome(PLAIN, None, 5, 9), Outcome(None, FAILURE, 5, 9, truncated=True)):
        made = exchange_of(STEP, "shop", "r-1", 1, REQUEST, outcome, (5, 4, 0))
        answer, body = told_of(outcome)
        values = (
            "r-1", 1, "shop", "s", 5, 4, "GET", "/a", REQUEST.headers.items, b"", "1.1", answer, body, "origin",
            outcome.truncated, 0,
        )  # fmt: skip
        assert list(ReplayedDecoder().exchanges([values])) == [made]


def test_values_come_back_of_answers_only() -> None:
    assert "order-77-x" in set(came_back(Outcome(RAW, None, 0, 1)))
    assert set(came_back(Outcome(PLAIN, None, 0, 1))) == set(came_back(Outcome(RAW, None, 0, 1)))
    assert list(came_back(Outcome(None, FAILURE, 0, 1))) == []
    assert failed(FAILURE) == (("reset", "gone"), b"")
