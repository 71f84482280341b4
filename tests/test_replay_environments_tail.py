"""The end of a service's output: bounded, masked, safe for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.environments.tail import Tail, mask_secrets


def lines(*chunks: bytes, count: int = 10, **variables: str) -> list[str]:
    tail = Tail()
    for chunk in chunks:
        tail.feed(chunk)
    return tail.lines(count, variables)


def test_the_last_lines_are_kept_over_chunk_borders() -> None:
    assert lines(b"one\ntw", b"o\n\nthree\n", count=2) == ["two", "three"]


def test_control_sequences_become_visible() -> None:
    assert lines(b"\x1b[2Jgone\x07\n") == ["\\x1b[2Jgone\\x07"]


def test_bytes_that_are_no_text_do_not_break_it() -> None:
    assert lines(b"\xff\xfe\n") == ["��"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dialing postgres://app:hunter22@db:5432/x", "dialing postgres://app:***@db:5432/x"),
        ("Authorization: Bearer abcdef123456", "Authorization: *** ***"),
        ("got bearer abcdef123456 from peer", "got bearer *** from peer"),
        ('{"password": "p w", "user": "u"}', '{"password": ***, "user": "u"}'),
        ("api_key=k123&x=1", "api_key=***&x=1"),
        ("nothing to hide at http://h:80/a", "nothing to hide at http://h:80/a"),
    ],
)
def test_what_looks_secret_is_masked(text: str, shown: str) -> None:
    assert mask_secrets(text, {}) == shown


def test_values_of_secret_looking_variables_are_masked_wherever_they_stand() -> None:
    assert lines(b"x hunter2hunter2 y info", DB_PASSWORD="hunter2hunter2", LOG_LEVEL="info") == ["x *** y info"]


def test_a_secret_that_holds_another_goes_as_a_whole() -> None:
    assert mask_secrets("abcdefgh", {"A_TOKEN": "abcd", "B_TOKEN": "abcdefgh"}) == "***"


@given(st.lists(st.binary(max_size=300), max_size=50), st.integers(1, 200))
def test_it_keeps_the_end_and_never_more_than_its_limit(chunks: list[bytes], limit: int) -> None:
    tail = Tail(limit)
    for chunk in chunks:
        tail.feed(chunk)
    held = b"".join(tail._chunks)
    assert len(held) < limit + limit
    assert b"".join(chunks)[-limit:] == held[-limit:]
