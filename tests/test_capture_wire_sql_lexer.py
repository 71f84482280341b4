"""Texts taken apart: templates without values, values without templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.sql.dialect import MYSQL, POSTGRES, POSTGRES_BACKSLASH
from seamline.capture.wire.sql.lexer import LONGEST_TEXT, lex, take_comment
from seamline.capture.wire.sql.statement import parse_statement


def one(text: str) -> tuple[str, list[object]]:
    lexed = lex(text, POSTGRES)
    assert lexed is not None
    (piece,) = lexed[0]
    return piece.template, [literal if bind is None else f"bind {bind}" for bind, literal in piece.values]


@pytest.mark.parametrize(
    ("text", "template", "values"),
    [
        ("SELECT  1,\n 'x'", "SELECT $1, $2", [1, "x"]),
        ("SELECT $2, $1, $2", "SELECT $1, $2, $3", ["bind 1", "bind 0", "bind 1"]),
        ("SELECT -5, 3-2, - 1, a -1", "SELECT $1, $2-$3, $4, a -$5", [-5, 3, 2, -1, 1]),
        ("WHERE x = -1.5e3", "WHERE x = $1", [-1500.0]),
        ("SET a = true, b=NULL WHERE c IS NULL", "SET a = $1, b=$2 WHERE c IS NULL", [True, None]),
        ("SELECT 'it''s', E'a\\n\\'b', $q$ $$ $q$", "SELECT $1, $2, $3", ["it's", "a\n'b", " $$ "]),
        ("SELECT /* 'x' */ 1 -- 'y", "SELECT $1", [1]),
        ("SELECT 123456789012345678901234567890", "SELECT $1", ["123456789012345678901234567890"]),
        ("SELECT 1e999, 0x1F", "SELECT $1, $2", ["1e999", "0x1F"]),
        (f"SELECT X'1F', x'{'1f' * 9}', 0x{'2a' * 9}", "SELECT $1, $2, $3", ["1F", f"\\x{'1f' * 9}", f"\\x{'2a' * 9}"]),
        ("SELECT date'2024-01-01', a='x'", "SELECT date $1, a=$2", ["2024-01-01", "x"]),
    ],
)
def test_values_leave_the_template(text: str, template: str, values: list[object]) -> None:
    assert one(text) == (template, values)


def test_statements_are_separated_by_semicolons_that_are_not_quoted() -> None:
    lexed = lex("BEGIN; SELECT ';' ;; COMMIT;", POSTGRES)
    assert lexed is not None
    assert [piece.template for piece in lexed[0]] == ["BEGIN", "SELECT $1", "COMMIT"]


def test_question_marks_are_counted_anew_in_each_statement() -> None:
    lexed = lex("SELECT ?, ?; SELECT ?", MYSQL)
    assert lexed is not None
    assert [piece.values for piece in lexed[0]] == [((0, None), (1, None)), ((0, None),)]


def test_an_executed_comment_of_mysql_is_read() -> None:
    lexed = lex("/*!40101 SET NAMES 'utf8' */", MYSQL)
    assert lexed is not None
    assert lexed[0][0].template == "SET NAMES $1"


@pytest.mark.parametrize("text", ["SELECT 'open", "SELECT /* a /* b */ 'x' */", 'SELECT "x', "SELECT $a$x$b$"])
def test_what_does_not_lex_gives_nothing(text: str) -> None:
    assert lex(text, POSTGRES) is None


def test_a_text_beyond_the_bound_gives_nothing() -> None:
    assert lex("SELECT 1" + " " * LONGEST_TEXT, POSTGRES) is None


def test_a_backslash_before_a_quote_is_what_the_session_says() -> None:
    text = r"SELECT 'a\' , 'secret' --'"
    standard, escaping = lex(text, POSTGRES), lex(text, POSTGRES_BACKSLASH)
    assert standard is not None
    assert [literal for _, literal in standard[0][0].values] == ["a\\", "secret"]
    assert escaping is None, "a word that touches a string"
    assert lex("SELECT 'a'AS b", POSTGRES) is not None


def test_sqlcommenter() -> None:
    text = "SELECT 1 /*route='%2Fa%20b',traceparent='00-1-2-01'*/"
    assert take_comment(text) == ("SELECT 1", {"route": "/a b", "traceparent": "00-1-2-01"})
    assert take_comment("SELECT 1 /* hint */") == ("SELECT 1 /* hint */", {})
    lexed = lex("/*a='1'*/ SELECT 1", POSTGRES)
    assert lexed is not None
    assert lexed[1] == {"a": "1"}


SECRET = "s3cr3t"


@given(
    before=st.text(st.sampled_from("ab =,();$1-/*\n"), max_size=20),
    after=st.text(st.sampled_from("ab =,();'\"\\$1-/*\n"), max_size=20),
    quote=st.sampled_from([("'", "'"), ("E'\\'", "'"), ("$t$", "$t$"), ("N'", "'")]),
)
def test_a_literal_never_stays_in_a_template(before: str, after: str, quote: tuple[str, str]) -> None:
    text = f"{before} {quote[0]}{SECRET}{quote[1]}{after}"
    lexed = lex(text, POSTGRES)
    if lexed is not None:
        assert all(SECRET not in piece.template for piece in lexed[0])


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for dialect in (POSTGRES, MYSQL):
        lexed = lex(text, dialect)
        for piece in lexed[0] if lexed else ():
            assert f"${len(piece.values)}" in piece.template or not piece.values


def test_the_body_of_a_function_is_one_statement() -> None:
    lexed = lex("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", POSTGRES)
    assert lexed is not None
    assert len(lexed[0]) == 1


def test_a_value_that_touches_a_word_is_a_value_of_its_own() -> None:
    made = parse_statement("UPDATE u SET name = _utf8mb4'Jane', b = _binary'x' WHERE id = 1", MYSQL)
    assert made.operation == "UPDATE u SET name = _utf8mb4 $1, b = _binary $2 WHERE id = $3"
    assert [slot.literal for slot in made.slots] == ["Jane", "x", 1]


def test_bytes_are_told_as_such_whether_a_text_is_new_or_known() -> None:
    for digits in ("1f" * 9, "2e" * 9):
        for _ in range(2):
            made = parse_statement(f"UPDATE u SET a = X'{digits}' WHERE b = 'x'", MYSQL)
            assert [slot.literal for slot in made.slots] == [f"\\x{digits}", "x"]
