"""Whether another round is worth its time."""

from dataclasses import replace

import pytest

from seamline.diffing.comparison import Observation
from seamline.diffing.difference import Difference
from seamline.diffing.noise.frequency import Tried
from seamline.diffing.noise.undecided import MORE, MOST_ROUNDS, undecided_lines, wanted
from seamline.diffing.report.model import Compared, Coverage, Finding, Report, Severity, Surface, Verdict

ONE = Finding(
    "f-1", Surface.RESPONSE, "value_changed", Severity.BREAKING, 0.999, "GET /orders/{id}", "$.total", None, None,
    "number", 30, 30, ("c-1",), 1, 2, "",
)  # fmt: skip


def report(*findings: Finding, unverified: tuple[str, ...] = ()) -> Report:
    return Report(
        Verdict.DIVERGED, None, Compared(), findings=tuple(findings), coverage=Coverage(unverified=unverified)
    )


INFO = replace(ONE, severity=Severity.INFO, confidence=0.5)
RARE = replace(ONE, confidence=0.93, requests=1, of=100)
FEW = replace(ONE, confidence=0.6, requests=1, of=1)
NOISY = replace(ONE, confidence=0.9, requests=12)
SLOW = replace(ONE, surface=Surface.LATENCY, confidence=0.9)
# name: the report, rounds played, whether another is wanted
ROWS: list[tuple[str, Report, int, bool]] = [
    ("nothing", report(), 1, False),
    ("only info", report(INFO), 1, False),
    ("something, once", report(ONE), 1, True),
    ("something, sure", report(ONE), 2, False),
    ("a rare one", report(ONE, RARE), 2, True),
    ("a rare one, long enough", report(RARE), MOST_ROUNDS, False),
    ("at a noisy place", report(NOISY), 2, True),
    ("one request is all there is", report(FEW), 2, False),
    ("times are measured elsewhere", report(SLOW), 2, False),
    ("an open frequency", report(unverified=(f"GET /x: {MORE}",)), 2, True),
    ("something else unverified", report(unverified=("GET /x: body withheld",)), 2, False),
]


@pytest.mark.parametrize(("what", "played", "more"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_wanted(what: Report, played: int, more: bool) -> None:
    found = wanted(what, played)
    assert (found is not None) is more
    assert found is None or found.why


def test_the_caller_may_ask_for_more_rounds() -> None:
    assert wanted(report(ONE), 2, least=4) is not None
    assert wanted(report(ONE), 4, least=4) is None
    assert wanted(report(RARE), 2, most=2) is None


@pytest.mark.parametrize(
    ("surface", "p_value", "open_"),
    [(Surface.RESPONSE, 0.009, True), (Surface.RESPONSE, 0.1, False), (Surface.STATUS, 0.1, True)],
)
def test_what_is_left_open(surface: Surface, p_value: float, open_: bool) -> None:
    seen = Observation("c-1", "GET /x", Difference(surface, "changed", "$.a", 1, 2, "200→500"))
    lines = undecided_lines([Tried((seen,), "differs in 0 of 9 by itself, in 2 of 9 now", p_value)])
    assert bool(lines) is open_
    assert all(line.startswith("GET /x: $.a differs") and line.endswith(MORE) for line in lines)
