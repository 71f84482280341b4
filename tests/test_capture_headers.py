"""Headers: ordered, with duplicates and case; look-ups ignore case."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers

NAMES = st.sampled_from(["Accept", "accept", "X-Trace", "Set-Cookie", "set-cookie", "Host"])
ITEMS = st.lists(st.tuples(NAMES, st.text(max_size=5)))

SAMPLE = Headers([("Host", "a"), ("Set-Cookie", "x=1"), ("set-cookie", "y=2")])


def test_lookup_ignores_case_and_finds_the_first() -> None:
    assert SAMPLE.get("SET-COOKIE") == "x=1"
    assert SAMPLE.get("absent") is None
    assert SAMPLE.get("absent", "-") == "-"


def test_duplicates_are_kept_in_order() -> None:
    assert SAMPLE.get_all("set-cookie") == ("x=1", "y=2")
    assert list(SAMPLE) == [("Host", "a"), ("Set-Cookie", "x=1"), ("set-cookie", "y=2")]


def test_with_value_replaces_in_place_and_leaves_one() -> None:
    assert SAMPLE.with_value("Set-Cookie", "z=3").items == (("Host", "a"), ("Set-Cookie", "z=3"))
    assert SAMPLE.with_value("Age", "0").items[-1] == ("Age", "0")


@given(ITEMS, NAMES)
def test_without_removes_every_spelling_and_nothing_else(items: list[tuple[str, str]], name: str) -> None:
    left = Headers(items).without(name)
    assert name not in left
    assert left.items == tuple(item for item in items if item[0].lower() != name.lower())


@given(ITEMS)
def test_equality_and_hash_follow_the_items(items: list[tuple[str, str]]) -> None:
    assert Headers(items) == Headers(list(items))
    assert hash(Headers(items)) == hash(Headers(items))
    assert len(Headers(items)) == len(items)
    assert (Headers(items) == Headers([*items, ("End", "")])) is False


def test_headers_of_pairs_are_like_any_others() -> None:
    pairs = (("A", "1"), ("a", "2"))
    assert Headers.of_pairs(pairs) == Headers(pairs)
    assert Headers.of_pairs(pairs).get_all("A") == ("1", "2")
