"""When a request is due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.replay.pace import AT_ONCE, RECORDED, Pace, parse_pace


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("recorded", RECORDED),
        ("max", AT_ONCE),
        ("2x", Pace(speed=2)),
        ("0.5x", Pace(speed=0.5)),
        ("500/s", Pace(rate=500)),
        ("0.1/s", Pace(rate=0.1)),
    ],
)
def test_a_pace_is_read_and_shown(text: str, pace: Pace) -> None:
    assert parse_pace(text) == pace
    assert str(pace) == text


@pytest.mark.parametrize(
    "text", ["", "fast", "x", "/s", "0x", "0/s", "-1x", "1e3x", "nanx", "infx", "500", "5/m", "\u0665x/s"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--pace"):
        parse_pace(text)


@pytest.mark.parametrize(
    ("pace", "recorded_us", "index", "due_us"),
    [
        (RECORDED, 3_600_000_000, 7, 3_600_000_000),
        (Pace(speed=2), 1_000_001, 7, 500_000),
        (Pace(speed=0.5), 1_000_000, 7, 2_000_000),
        (Pace(rate=500), 123, 3, 6000),
        (Pace(rate=3), 123, 1, 333_333),
        (AT_ONCE, 123, 7, 0),
    ],
)
def test_due(pace: Pace, recorded_us: int, index: int, due_us: int) -> None:
    assert pace.due_us(recorded_us, index) == due_us


def test_only_the_fastest_has_no_instants() -> None:
    assert [pace.timed for pace in (RECORDED, Pace(speed=2), Pace(rate=1), AT_ONCE)] == [True, True, True, False]


@given(st.floats(0.001, 1e6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_later_is_never_due_earlier(value: float, one: int, other: int) -> None:
    first, second = sorted((one, other))
    for pace in (Pace(speed=value), Pace(rate=value)):
        assert pace.due_us(first, first) <= pace.due_us(second, second)
