"""Texts that differ in their literals alone read as each of them does by itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seamline.capture.wire.sql import MYSQL, POSTGRES, Statement, parse_script
from seamline.capture.wire.sql.dialect import GENERIC, POSTGRES_BACKSLASH, Dialect
from seamline.capture.wire.sql.literals import MOST_GAPS, cut, known, value_of
from seamline.capture.wire.sql.statement import _parse

DIALECTS = (POSTGRES, POSTGRES_BACKSLASH, MYSQL, GENERIC)
TOKENS = st.sampled_from(
    [
        "SELECT",
        "id",
        "FROM t1",
        "WHERE",
        "=",
        "-",
        "+",
        ",",
        "(",
        ")",
        "IN",
        "LIMIT",
        "AND",
        "1",
        "23",
        "4.5",
        "0",
        "-7",
        "1e5",
        "0x1F",
        ".5",
        "5.",
        "5a",
        "t.5",
        "1_000",
        "$1",
        "?",
        "'a'",
        "'it''s'",
        "'5'",
        "''",
        "E'x'",
        "N'x'",
        "'back\\slash'",
        '"a 5"',
        "`b 6`",
        "--7\n",
        "/* 8 */",
        "/*!50003",
        "*/",
        "#9\n",
        "$$10$$",
        "$t$11$t$",
        ";",
        "true",
        "NULL",
        "::int",
        "password",
        "'",
        '"',
        "\\",
        "\n",
        "é",
        "٣",
    ]
)


def parsed(text: str, dialect: Dialect) -> tuple[Statement, ...]:
    return _parse(text, dialect)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@given(
    parts=st.lists(st.tuples(TOKENS, st.sampled_from(["", " "])), max_size=14), numbers=st.lists(st.integers(0, 10**20))
)
@example(parts=[("SELECT", " "), ('"a 5"', " "), ("=", " "), ("5.", "")], numbers=[])
@example(parts=[("SELECT", " "), ("-", ""), ("0", "")], numbers=[5])
def test_a_text_reads_as_it_does_by_itself(dialect: Dialect, parts: list[tuple[str, str]], numbers: list[int]) -> None:
    text = "".join(token + space for token, space in parts)
    assert parse_script(text, dialect) == parsed(text, dialect) or text.endswith("*/")
    # The same with other literals in its gaps, once its kind is known.
    between, strings, gaps = cut(text)
    given_ = iter(numbers)
    others = [
        f"'{next(given_, 8)}'" if is_string else str(next(given_, gap))
        for is_string, gap in zip(strings, gaps, strict=True)
    ]
    other = between[0] + "".join(gap + part for gap, part in zip(others, between[1:], strict=True))
    assert parse_script(other, dialect) == parsed(other, dialect) or other.endswith("*/")


def test_a_literal_is_taken_from_its_gap() -> None:
    parse_script("SELECT a FROM t WHERE id = 7 AND n = 'x' AND m = -1.5 AND ok = true")
    (made,) = parse_script("SELECT a FROM t WHERE id = 123456 AND n = 'y z' AND m = -2 AND ok = true")
    assert made.operation == "SELECT a FROM t WHERE id = $1 AND n = $2 AND m = $3 AND ok = $4"
    assert [(slot.name, slot.literal) for slot in made.slots] == [
        ("id", 123456),
        ("n", "y z"),
        ("m", -2),
        ("ok", True),
    ]


def test_a_credential_is_not_taken() -> None:
    for word in ("first", "second"):
        (made,) = parse_script(f"ALTER ROLE app PASSWORD '{word}'")
        assert [slot.literal for slot in made.slots] == [None]


@pytest.mark.parametrize("text", ["SELECT /* 5 */ 6", 'SELECT "a 5" = 6', "SELECT E'\\'' || '5'"])
def test_what_is_not_plain_is_lexed_each_time(text: str) -> None:
    between, strings, _ = cut(text)
    assert known(between, strings, POSTGRES) is None


def test_a_text_of_very_many_literals_is_lexed() -> None:
    text = f"SELECT {', '.join(map(str, range(MOST_GAPS + 1)))}"
    assert parse_script(text) == parsed(text, POSTGRES)


def test_values_of_gaps() -> None:
    assert [value_of(gap, is_negative=sign) for gap, sign in (("'a'", False), ("7", True), ("1.5", False))] == [
        "a",
        -7,
        1.5,
    ]
    # Longer than any JSON integer may be.
    assert value_of("1" * 30, is_negative=False) == "1" * 30


def test_a_name_like_a_placeholder_is_not_read() -> None:
    (made,) = parse_script("SELECT $1, 'jane' FROM t", MYSQL)
    assert (made.operation, made.slots, made.is_read) == ("SELECT", (), False)
