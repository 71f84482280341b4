"""`verify --self-test`: changes planted into a run of the baseline, and how many of them the comparison sees."""

from collections.abc import Sequence
from dataclasses import replace

from ..diffing.report.model import Report
from ..diffing.rounds import Round, Run
from ..diffing.selftest.kill import SelfTest, self_test

MOST_NAMED = 20


def with_self_test(report: Report, rounds: Sequence[Round], noise: Sequence[Run], seed: int) -> tuple[Report, str]:
    """`report` with the self-test's figures, what was not seen under not verified; and the line that says it."""
    if not rounds or not noise:
        return report, "self-test: there is no second run of the baseline to plant changes in"
    found = self_test(rounds[0].baseline, noise[0], seed)
    coverage = replace(report.coverage, unverified=(*report.coverage.unverified, *_unseen(found)))
    figures = {"mutants": found.mutants, "killed": found.killed}
    line = f"self-test: {found.killed} of {found.mutants} planted changes were found"
    return replace(report, coverage=coverage, self_test=figures), line


def _unseen(found: SelfTest) -> list[str]:
    lines = [f"self-test: would not be found: {each}" for each in found.survivors[:MOST_NAMED]]
    more = len(found.survivors) - MOST_NAMED
    return [*lines, f"self-test: {more} more would not be found"] if more > 0 else lines
