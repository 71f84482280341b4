"""Findings of latency: their severity, their ids, and what they are folded into."""

from dataclasses import replace

from seamline.diffing.latency.changes import Change
from seamline.diffing.report.model import Finding, Severity, Surface
from seamline.diffing.rounds import JudgeOptions
from seamline.diffing.slowdowns import with_slowdowns

SLOW = Change("location", "GET /x", "+48 %", 5.0, 7.4, 60, 60, ("c-3#2", "c-3", "c-4"), 0.99)
OPTIONS = JudgeOptions(reproduce="again {id}")


def call(surface: Surface = Surface.HTTP, endpoint: str = "GET /x", service: str | None = "pricing") -> Finding:
    """A finding about a call."""
    return Finding(
        "f-1", surface, "extra", Severity.WARNING, 0.9, endpoint, None, service, "GET /p", "missing→present", 3, 3,
        ("c-1",), None, None, "",
    )  # fmt: skip


def test_a_slowdown_is_a_warning_and_a_speed_up_or_a_shift_information() -> None:
    (one,) = with_slowdowns([], [SLOW], OPTIONS)
    assert (one.surface, one.kind, one.severity, one.endpoint) == (
        Surface.LATENCY,
        "location",
        Severity.WARNING,
        "GET /x",
    )
    assert (one.before, one.after, one.exchanges, one.reproduce) == (5.0, 7.4, ("c-3", "c-4"), "again c-3")
    for change in (replace(SLOW, improved=True), replace(SLOW, shifted=True)):
        assert with_slowdowns([], [change], OPTIONS)[0].severity is Severity.INFO


def test_ids_are_of_the_cause_not_of_its_size() -> None:
    (one,) = with_slowdowns([], [SLOW], OPTIONS)
    (other,) = with_slowdowns([], [replace(SLOW, transition="+52 %", after_ms=7.6)], OPTIONS)
    (elsewhere,) = with_slowdowns([], [replace(SLOW, kind="tail")], OPTIONS)
    assert one.id == other.id != elsewhere.id


def test_other_calls_at_the_endpoint_are_the_cause() -> None:
    (one,) = with_slowdowns([call()], [SLOW], OPTIONS)
    assert one.explanation == ("the endpoint's time changes with it: +48 % (5 → 7.4 ms)",)
    (same,) = with_slowdowns([call()], [replace(SLOW, service="pricing")], OPTIONS)
    assert same.explanation


def test_nothing_else_is() -> None:
    for other in (call(Surface.RESPONSE), call(endpoint="GET /y"), call(service="stock")):
        assert len(with_slowdowns([other], [replace(SLOW, service="pricing")], OPTIONS)) == 2
