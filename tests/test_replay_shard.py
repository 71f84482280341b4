"""Whole sessions, each in exactly one part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.replay.shard import WHOLE, Shard, parse_shard


@given(st.text(), st.integers(1, 12))
def test_each_session_is_in_exactly_one_part(session: str, count: int) -> None:
    assert sum(Shard(index, count).holds(session) for index in range(1, count + 1)) == 1


def test_the_split_is_the_same_on_every_machine() -> None:
    split = ["".join(name for name in "abcdefgh" if Shard(index, 4).holds(name)) for index in range(1, 5)]
    assert split == ["gh", "b", "", "acdef"]


def test_sessions_spread() -> None:
    sizes = [sum(Shard(index, 4).holds(f"s-{n}") for n in range(4000)) for index in range(1, 5)]
    assert min(sizes) > 850


def test_the_whole() -> None:
    assert WHOLE.holds("anything")


@pytest.mark.parametrize("text", ["1/1", "2/4", "4/4"])
def test_a_part_is_read(text: str) -> None:
    shard = parse_shard(text)
    assert f"{shard.index}/{shard.count}" == text


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "a/b", "1/", "/1", "-1/4", "1/9999999", "\u0661/4"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        parse_shard(text)
