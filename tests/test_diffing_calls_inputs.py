"""What a service was told differently is not what it did differently."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange
from seamline.diffing.calls.inputs import MAX_LEAVES, Inputs, renamed, told_apart
from seamline.diffing.pair import Pair
from support.calls import sql
from support.traffic import Call, Turn, exchange


def inputs(old: Any, new: Any, **asked: tuple[Any, Any]) -> Inputs:
    """The inputs of a request whose one query was answered by `old` and `new`."""
    turns = [Turn(**{name: both[side] for name, both in asked.items()}) for side in (0, 1)]
    before, after = (exchange(turn, 0, "ab"[side]) for side, turn in enumerate(turns))
    calls: list[Exchange] = [
        sql("SELECT id FROM x", rows=[{"id": value}]).exchange(parent, 0)
        for value, parent in ((old, before), (new, after))
    ]
    return Inputs(Pair("c-0", before, after), [(calls[0], calls[1])])


# name: what the query answered on both sides, the values that are asked about, whether that explains them
CASES: list[tuple[str, Any, Any, Any, Any, bool]] = [
    ("handed on", 17, 19, 17, 19, True),
    ("as a text", 17, 19, "17", "19", True),
    ("inside a text", "ord-17", "ord-19", "receipt-ord-17.pdf", "receipt-ord-19.pdf", True),
    ("in a list", 17, 19, [1, 17], [1, 19], True),
    ("another value", 17, 19, 17, 20, False),
    ("the wrong way round", 17, 19, 19, 17, False),
    ("one of two", 17, 19, [17, 5], [19, 6], False),
    ("too short to be found inside", "1", "2", "a1", "a2", False),
    ("no scalar", 17, 19, {"a": 17}, {"a": 19}, False),
    ("gone", 17, 19, 17, None, False),
    ("a truth", True, False, True, False, False),
    ("nothing told apart", 17, 17, 17, 19, False),
]


@pytest.mark.parametrize(
    ("old", "new", "before", "after", "explained"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_what_an_answer_explains(old: Any, new: Any, before: Any, after: Any, explained: bool) -> None:
    assert inputs(old, new).tell(before, after) is explained


def test_an_answer_explains_only_what_is_asked_after_it() -> None:
    """A refund that the downstream repeats in its answer: 1624 → 16."""
    before, after = (exchange(Turn(), 0, name) for name in "ab")
    refunds = tuple(
        Call(
            "pay", "POST", "/refunds", body={"cents": cents}, answer={"refunded": cents}, at_us=100, takes_us=50
        ).exchange(parent, 0)
        for cents, parent in ((1624, before), (16, after))
    )
    later = tuple(
        Call("log", "POST", "/events", at_us=at).exchange(parent, 1) for at, parent in ((150, before), (150, after))
    )
    made = Inputs(Pair("c-0", before, after), [(refunds[0], refunds[1])])
    assert not made.tell(1624, 16, (refunds[0], refunds[1]))
    assert made.tell(1624, 16, (later[0], later[1]))


def test_what_the_request_itself_says_is_an_input_too() -> None:
    assert inputs(1, 1, target=("/orders/17", "/orders/19")).tell(17, 19)
    assert inputs(1, 1, sent=({"cart": "c-17"}, {"cart": "c-19"})).tell("c-17", "c-19")


def test_nothing_is_collected_before_it_is_asked_for() -> None:
    asked = exchange(Turn(), 0, "a")

    def never() -> Any:
        raise AssertionError("read too early")
        yield

    made = Inputs(Pair("c-0", asked, asked), never())
    with pytest.raises(AssertionError, match="too early"):
        made.tell(1, 2)


@given(
    st.recursive(
        st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)
    )
)
def test_a_value_is_not_told_apart_from_itself(value: Any) -> None:
    assert told_apart(value, value) == set()


def test_a_large_answer_is_read_up_to_a_bound() -> None:
    assert len(told_apart([*range(10_000)], [*range(10_000, 20_000)])) <= MAX_LEAVES


def test_names_are_the_baseline_s_where_there_is_only_one() -> None:
    assert renamed({"a": 1007, "b": "x", "c": True, "d": None}, {"1007": "7", "True": "False"}) == {
        "a": 7,
        "b": "x",
        "c": True,
        "d": None,
    }
    assert renamed(5, {"5": "five"}) == "five"
