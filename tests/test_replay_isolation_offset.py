"""Where each side counts from: far from every other, never past the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.isolation.offset import APART, Counter, moved, offset_of

_INT4, _INT8 = 2**31 - 1, 2**63 - 1


def test_the_sides_of_a_verification_stand_apart_and_others_where_the_template_does() -> None:
    places = [offset_of(side, {"template": "t"}) for side in ("baseline", "noise", "candidate")]
    assert places == [APART, 2 * APART, 3 * APART]
    assert len({len(str(place)) for place in places}) == 1
    assert offset_of("service", {"template": "t"}) == offset_of("recorded", {}) == 0


def test_who_wants_the_templates_own_numbers_gets_them() -> None:
    assert offset_of("candidate", {"template": "t", "offset": "false"}) == 0
    assert offset_of("candidate", {"template": "t", "offset": "true"}) == 3 * APART


@pytest.mark.parametrize(
    ("counter", "last"),
    [
        (Counter("fresh", 0, 1, 1, _INT8), APART),
        (Counter("used", 41, 1, 1, _INT4), 41 + APART),
        (Counter("odd", 41, 2, 1, _INT4), 41 + APART - 1),
        (Counter("fifties", 0, 50, 1, _INT4), 1_000_000),
        (Counter("down", -1, -1, -_INT8, -1), -1 - APART),
        (Counter("small", 0, 1, 1, 32_767), None),
        (Counter("near its end", _INT4 - APART, 1, 1, _INT4), None),
        (Counter("wide steps", 0, 2 * APART, 1, _INT8), None),
        (Counter("still", 5, 0, 1, _INT8), None),
    ],
)
def test_a_counter_moves_where_it_has_the_room(counter: Counter, last: int | None) -> None:
    assert moved([counter], APART).get(counter.name) == last


@given(
    st.integers(-(2**63), _INT8),
    st.integers(-(10**7), 10**7).filter(bool),
    st.sampled_from([127, 32_767, _INT4, _INT8]),
    st.integers(1, 3),
)
def test_what_has_moved_can_count_on_as_far_again(last: int, step: int, high: int, side: int) -> None:
    counter = Counter("c", last, step, -high, high)
    found = moved([counter], side * APART).get("c")
    if found is not None:
        way = abs(found - last)
        assert way % abs(step) == 0
        assert 0 < way <= side * APART
        assert found + way <= high if step > 0 else found - way >= -high
