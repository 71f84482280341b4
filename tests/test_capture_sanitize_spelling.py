import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.spelling import letters_like, mapped, respell, with_digits

STREAM = bytes(range(64))


@given(st.text(max_size=200), st.binary(min_size=64, max_size=64))
def test_length_is_kept(value: str, stream: bytes) -> None:
    assert len(mapped(value, stream)) == len(value)
    assert len(letters_like(value, stream)) == len(value)


@given(st.text("abXY09-_. ", min_size=1, max_size=80), st.binary(min_size=64, max_size=64))
def test_classes_are_kept_where_text_is_mostly_letters_and_digits(value: str, stream: bytes) -> None:
    made = mapped(value, stream)
    if 2 * sum(map(str.isalnum, value)) < len(value) or not any(map(str.isalnum, value)):
        assert made.isalpha()
        return
    for old, new in zip(value, made, strict=True):
        assert (old.isdigit(), old.isupper()) == (new.isdigit(), new.isupper())
        assert old.isalnum() or old == new


def test_hex_stays_hex_in_its_case() -> None:
    assert set(mapped("00ff00ff00ff", STREAM)) <= set("0123456789abcdef")
    assert set(mapped("00FF00FF00FF", STREAM)) <= set("0123456789ABCDEF")


def test_text_of_separators_is_replaced_wholly() -> None:
    assert mapped("!!@@##", STREAM).isalpha()
    assert mapped("------", STREAM).isalpha()


def test_names_are_pronounceable_and_keep_their_script() -> None:
    assert letters_like("Anna-Maria O'Neil", STREAM)[0].isupper()
    assert letters_like("anna", STREAM)[1] in "aeiou"
    assert all("\u4e00" <= c <= "\u9fff" for c in letters_like("李小龙", STREAM))


@pytest.mark.parametrize(
    ("made", "like", "result"), [("abc", "AbC", "AbC"), ("ABC", "abc", "abc"), ("abcd", "AB", "ABcd")]
)
def test_respelling_copies_case(made: str, like: str, result: str) -> None:
    assert respell(made, like) == result


def test_digits_are_put_into_their_places() -> None:
    assert with_digits("(415) 555-2671", "2125550123") == "(212) 555-0123"
    assert with_digits("12-34", "9") == "92-34"


def test_a_fraction_is_replaced_too() -> None:
    """A password of one such character went through unchanged."""
    assert mapped("¼", b"\x07" * 8) == "7"
    assert mapped("½½ab", b"\x07" * 8) == "77hh"
