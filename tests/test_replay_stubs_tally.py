"""How a run's stubbed calls were answered, in one line."""

from seamline.capture.headers import Headers
from seamline.capture.model import Response
from seamline.replay.stubs.tally import Tally, missed_by_downstream
from support.captures import an_exchange
from support.stubs import an_http_call


def test_nothing_asked_nothing_said() -> None:
    assert Tally().line() == ""


def test_steps_are_counted_in_their_order() -> None:
    tally = Tally()
    for step in ("mapped", "exact", "exact", "fault"):
        tally.answered("pricing", step)
    tally.answered("db", "exact", repeated=True)
    tally.missed("db", "no recorded call fits")
    tally.hit()
    assert tally.line() == (
        "stubs answered 6: exact 3, mapped 1, missed 1, fault 1 (no recorded call fits 1), 1 repeated, 1 hit by a fault"
    )
    assert (tally.misses, tally.steps["exact"]) == (1, 3)


def test_misses_are_counted_from_a_run() -> None:
    def answered(step: str) -> Response:
        return Response(502, Headers([("seamline-stub", step)]))

    run = [
        an_exchange(1, response=answered("missed")),
        an_http_call(2, "/p", response=answered("missed")),
        an_http_call(3, "/p", response=answered("exact")),
        an_http_call(4, "/p", response=answered("missed"), service="db"),
        an_http_call(5, "/p", response=None),
    ]
    assert missed_by_downstream(run) == {"pricing": 1, "db": 1}
