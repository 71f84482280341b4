"""When overlapping requests are replayed, and what they do to a verdict."""

from dataclasses import replace

from seamline.cli.racing import is_quiet, with_races
from seamline.diffing.report.model import Compared, Report, Severity, Verdict
from support.reports import finding

SAME = Report(Verdict.SAME, None, Compared())
FOUND = finding()
INFO = finding(severity=Severity.INFO)


def test_a_race_at_the_gate_diverges() -> None:
    report = with_races(replace(SAME, findings=(INFO,)), [FOUND], Severity.WARNING)
    assert (report.verdict, report.findings) == (Verdict.DIVERGED, (FOUND, INFO))
    assert with_races(SAME, [INFO], Severity.WARNING).verdict is Verdict.SAME
    assert with_races(SAME, [], Severity.WARNING) is SAME


def test_only_where_nothing_was_found_yet_a_race_is_looked_for() -> None:
    assert is_quiet(SAME)
    assert is_quiet(replace(SAME, findings=(INFO,)))
    assert not is_quiet(replace(SAME, findings=(FOUND,)))
    assert not is_quiet(replace(SAME, verdict=Verdict.INCONCLUSIVE))
