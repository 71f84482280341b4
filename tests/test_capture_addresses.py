"""Addresses as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.addresses import TapText, parse_address, parse_tap, parse_taps, parse_upstream, shown
from seamline.capture.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:443", ("::1", 443)),
    ],
)
def test_an_address(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text, "--listen") == address
    assert shown(address) == text


@pytest.mark.parametrize(
    "text",
    ["", "8080", ":8080", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80", "a/b:80", "u@h:80", "h:٣"],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="--listen"):
        parse_address(text, "--listen")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://10.0.0.1:9000", ("10.0.0.1", 9000)),
        ("http://orders/", ("orders", 80)),
        ("http://[::1]:81", ("::1", 81)),
        ("orders:9000", ("orders", 9000)),
    ],
)
def test_an_upstream(text: str, address: tuple[str, int]) -> None:
    assert parse_upstream(text, "--upstream") == address


@pytest.mark.parametrize(
    "text", ["https://a", "ftp://a", "http://", "http://a/base", "http://a?x", "http://a:x", "http://u:p@a", "a"]
)
def test_what_is_no_upstream(text: str) -> None:
    with pytest.raises(UsageError, match="--upstream"):
        parse_upstream(text, "--upstream")


def test_two_taps_of_one_name_are_a_mistake() -> None:
    texts = ["a=http:127.0.0.1:0=127.0.0.1:1", "b=redis:127.0.0.1:0=127.0.0.1:2"]
    assert [tap.name for tap in parse_taps(texts)] == ["a", "b"]
    with pytest.raises(UsageError, match='two taps are called "a"'):
        parse_taps([*texts, texts[0]])


def test_a_tap() -> None:
    assert parse_tap("pricing=http:127.0.0.1:7102=127.0.0.1:7002") == TapText(
        "pricing", "http", ("127.0.0.1", 7102), ("127.0.0.1", 7002)
    )
    assert parse_tap("pricing=http:127.0.0.1:0=http://pricing:80").upstream == ("pricing", 80)
    assert parse_tap("db=postgres:[::1]:1=stub") == TapText("db", "postgres", ("::1", 1), None)


@given(st.text(alphabet="ab=:/[]@.0123456789", max_size=30))
def test_any_text_is_a_tap_or_a_usage_error(text: str) -> None:
    try:
        tap = parse_tap(text)
    except UsageError:
        return
    assert tap.name
    assert tap.protocol
