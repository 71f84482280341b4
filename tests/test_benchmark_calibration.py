"""Stated confidence against what was true."""

from benchmark.calibration import calibrate
from benchmark.trial import Stated


def test_claims_fall_into_their_bins() -> None:
    bins = calibrate(
        [Stated(0.5, False), Stated(0.9, True), Stated(0.989, False), Stated(0.99, True), Stated(1.0, True)]
    )
    assert [(one.least, one.true.hits, one.true.of) for one in bins] == [
        (0.0, 0, 1),
        (0.9, 1, 2),
        (0.99, 1, 1),
        (0.999, 1, 1),
    ]


def test_a_promise_is_kept_until_the_interval_says_otherwise() -> None:
    kept = calibrate([Stated(0.95, True)] * 18 + [Stated(0.95, False)] * 2)
    broken = calibrate([Stated(0.95, True)] * 10 + [Stated(0.95, False)] * 10)
    assert [one.kept for one in kept] == [True, True, True, True]
    assert [one.kept for one in broken] == [True, False, True, True]
