"""The simulation of the latency procedure: its generator, and a few reports of it."""

import math
import random
from statistics import fmean

import pytest

from benchmark.latency_power import EFFECTS, ENDPOINTS, Layout, Machine, by, endpoints, lines, play, report


def test_a_round_has_pairs_of_all_endpoints_and_effects_show() -> None:
    machine = Machine(random.Random(1))
    what = endpoints(machine.rng)
    drawn = machine.round(what, 60, {what[0].name: by(2.0)})
    assert len(drawn) == ENDPOINTS
    assert {len(samples) for samples in drawn.values()} == {60}
    assert fmean(one.ratio for one in drawn[what[0].name]) == pytest.approx(math.log(2), abs=0.2)
    assert fmean(one.ratio for one in drawn[what[1].name]) == pytest.approx(0.0, abs=0.2)


def test_seeds_decide() -> None:
    layout = Layout(40, 2)
    assert report(3, layout, 1.0, {})[0].rows == report(3, layout, 1.0, {})[0].rows


@pytest.mark.slow
def test_no_alarm_in_a_few_null_reports_and_a_quarter_is_found() -> None:
    layout = Layout(50, 2, 300, 10)
    null = play(range(10), layout, 1.0, None, 0)
    assert (null.reports, null.alarmed) == (10, 0)
    slowed = play(range(3), layout, 1.0, EFFECTS["+25 %"], 5)
    assert slowed.found >= 0.8 * slowed.of
    assert slowed.false == 0


def test_the_table_has_a_row_for_each_layout_and_luck() -> None:
    table = list(lines(1, [Layout(20, 2)], slowed=1))
    assert len(table) == 4
    assert len({row.count("|") for row in table}) == 1
