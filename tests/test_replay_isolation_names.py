"""Names of clones: unique, short, and telling whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.isolation.names import is_leftover, own_name, run_name, run_of

NOW_S = 1_795_000_000


@given(st.integers(0, 2**36), st.binary(min_size=2, max_size=4), st.text(max_size=80), st.integers(0, 999_999_999))
def test_a_name_is_an_identifier_that_tells_its_run(began_s: int, chance: bytes, side: str, number: int) -> None:
    run = run_name(began_s, chance)
    name = own_name(run, side, number)
    assert len(name.encode()) <= 63
    assert name.isascii()
    assert name == name.lower()
    assert run_of(name) == (run, began_s)


def test_a_sides_name_is_made_plain() -> None:
    run = run_name(NOW_S, b"\x01\x02")
    assert own_name(run, "Candidate-2; DROP", 7).endswith("_candidate2drop_7")
    assert own_name(run, "—", 1).endswith("_side_1")
    assert own_name(run, "candidate", 1, "-") == f"seamline-{run}-candidate-1"


@pytest.mark.parametrize(
    "name",
    [
        "seamline",
        "seamline_orders",
        "seamline_0000000aaaaaaaa_candidate_1x",
        "xseamline_0000000aaaaaaaa_a_1",
        "postgres",
    ],
)
def test_what_others_made_is_nobodys_run(name: str) -> None:
    assert run_of(name) is None
    assert not is_leftover(name, NOW_S, frozenset())


def test_only_an_old_run_that_does_not_show_itself_leaves_something_behind() -> None:
    run = run_name(NOW_S, b"ab")
    name = own_name(run, "noise", 3)
    assert is_leftover(name, NOW_S + 121, frozenset())
    assert not is_leftover(name, NOW_S + 119, frozenset())
    assert not is_leftover(name, NOW_S + 10_000, frozenset({run}))
