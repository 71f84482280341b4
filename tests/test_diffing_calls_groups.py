"""Which calls answer to each other."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import LinkKind
from seamline.diffing.calls.groups import claim, grouped, matched
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.outbound import CallIndex
from seamline.diffing.pair import Pair
from support.calls import sql
from support.traffic import Call, Turn, exchange

ASKED, OTHER = exchange(Turn(), 0, "a"), exchange(Turn(), 0, "b")
FIND = "SELECT a FROM x WHERE b = $1"


def made(*values: int) -> list[object]:
    return [sql(FIND, value).exchange(ASKED, place) for place, value in enumerate(values)]


def pairs(before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[str, str]]:
    both = matched(made(*before), made(*after))  # type: ignore[arg-type]  # exchanges
    return [(one.request.arguments[5:-1], other.request.arguments[5:-1]) for one, other in both]


def test_equal_arguments_come_first_and_the_rest_in_order() -> None:
    assert pairs((1, 2, 3), (3, 1, 9)) == [("1", "1"), ("3", "3"), ("2", "9")]
    assert pairs((1,), (2,)) == [("1", "2")]
    assert pairs((1, 2), (2,)) == [("2", "2")]
    assert pairs((1,), ()) == []


@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), max_size=6))
def test_each_call_is_matched_once_at_most(before: list[int], after: list[int]) -> None:
    both = pairs(tuple(before), tuple(after))
    assert len(both) <= min(len(before), len(after))
    if len(before) == len(after):
        assert sorted(one for one, _ in both) == sorted(map(str, before))
        assert sorted(other for _, other in both) == sorted(map(str, after))


def test_an_uncertain_call_fills_up_the_shorter_side_once() -> None:
    unsure: Call = sql(FIND, 1)
    unsure.confidence, unsure.how = 0.5, LinkKind.TIME
    call = unsure.exchange(OTHER, 0)
    sides = CallIndex([]), CallIndex([call])
    templates, given_to = Templates.learn([call]), set[str]()
    groups = grouped([sql(FIND, 1).exchange(ASKED, 0)], [], templates)
    claim(groups, Pair("c-0", ASKED, OTHER), sides, templates, given_to)
    (held,) = groups.values()
    assert ([one.id for one in held[1]], given_to) == ([call.id], {call.id})
    claim(groups, Pair("c-0", ASKED, OTHER), sides, templates, given_to)
    assert len(held[1]) == 1
