"""URLs and pairs: their parts read, and replaced."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.values import urls
from seamline.replay.values.urls import Irreversible


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("/a/b?x=1#f", ("", "/a/b", "?x=1#f")),
        ("https://u@h.test:8/a", ("https://u@h.test:8", "/a", "")),
        ("//h.test?x", ("//h.test", "", "?x")),
        ("*", ("", "*", "")),
        ("", ("", "", "")),
    ],
)
def test_parts(url: str, parts: tuple[str, str, str]) -> None:
    assert urls.url_parts(url) == parts
    assert "".join(parts) == url


def test_one_segment_or_pair_is_replaced() -> None:
    assert urls.with_segment("/a/7;v=1/b", 1, "x y/z") == "/a/x%20y%2Fz/b"
    assert urls.with_segment("/a%2fb", 0, "c/d") == "/c%2fd"
    assert urls.with_pair("a=1&b=%2B&a=2", "a#1", "é+") == "a=1&b=%2B&a=%C3%A9%2B"
    assert urls.pairs_of("a=1&b&a=x+y%21") == [("a", "1", "a#0"), ("a", "x y!", "a#1")]
    assert urls.pair_at("a=1", "b#0") is None


def test_what_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(Irreversible):
        urls.with_segment("/a", 1, "x")
    with pytest.raises(Irreversible):
        urls.with_pair("a=1", "a#1", "x")


@given(
    st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=8), min_size=1, max_size=5), st.text(max_size=9)
)
def test_pairs_keep_their_neighbours(values: dict[str, str], new: str) -> None:
    pairs = "&".join(f"{quote_plus(name)}={quote(value)}" for name, value in values.items())
    for name in values:
        made = urls.with_pair(pairs, f"{name}#0", new)
        assert urls.pair_at(made, f"{name}#0") == new
        assert [urls.pair_at(made, f"{each}#0") for each in values if each != name] == [
            value for each, value in values.items() if each != name
        ]
