"""Statements as they are recorded, and their arguments."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.call import BODY_CAP
from seamline.capture.wire.sql import MYSQL, arguments, parse_script, parse_statement, statement_headers


def test_a_statement() -> None:
    made = parse_statement("SELECT * FROM users WHERE email = $1 AND id > 5 LIMIT 10 /*route='%2Fx'*/")
    assert (made.method, made.target) == ("SELECT", "users")
    assert made.operation == "SELECT * FROM users WHERE email = $1 AND id > $2 LIMIT $3"
    assert [(slot.name, slot.bind, slot.literal) for slot in made.slots] == [
        ("email", 0, None),
        ("id", None, 5),
        ("limit", None, 10),
    ]
    assert made.comment == {"route": "/x"}
    assert arguments(made, ["a@b.c"]) == '{"email":"a@b.c","id":5,"limit":10}'
    assert statement_headers(made, "shop", "c-1.1") == [
        ("database", "shop"),
        ("fingerprint", made.fingerprint),
        ("transaction", "c-1.1"),
        ("route", "/x"),
    ]


def test_binds_that_the_text_does_not_name_keep_their_number() -> None:
    made = parse_statement("SELECT $1")
    assert orjson.loads(arguments(made, [1, 2, {"b64": "AA=="}])) == {"$1": 1, "$2": 2, "$3": {"b64": "AA=="}}
    assert arguments(made, []) == "{}"


@pytest.mark.parametrize(
    ("text", "method"), [("select 'open", "SELECT"), ("hunter2 'open", "UNKNOWN"), ("(SELECT 'x", "SELECT")]
)
def test_what_does_not_lex_says_its_keyword_alone(text: str, method: str) -> None:
    made = parse_statement(text)
    assert (made.method, made.operation, made.target, made.slots, made.is_read) == (method, method, "", (), False)


def test_a_script() -> None:
    assert [each.method for each in parse_script("BEGIN; SELECT 1; COMMIT")] == ["BEGIN", "SELECT", "COMMIT"]
    assert parse_script(" ; -- nothing") == ()
    assert parse_statement("").method == "EMPTY"


def test_a_new_password_is_not_even_a_literal() -> None:
    made = parse_statement("ALTER USER bob PASSWORD 'hunter2'")
    assert "hunter2" not in repr(made)
    assert arguments(made) == '{"password":null}'
    assert "hunter2" not in repr(parse_statement("CREATE USER a IDENTIFIED BY 'hunter2'", MYSQL))


def test_what_is_longer_than_a_body_is_told_by_its_size() -> None:
    said = orjson.loads(arguments(parse_statement("SELECT $1"), ["x" * BODY_CAP]))
    assert set(said) == {"$size", "$hash"}


def test_the_second_value_of_a_column_is_numbered() -> None:
    made = parse_statement("INSERT INTO t (a) VALUES (1), (2), ($1)")
    assert arguments(made, ["x"]) == '{"a":1,"a#2":2,"a#3":"x"}'


@given(st.text(max_size=120), st.lists(st.integers() | st.text(max_size=5) | st.none(), max_size=4))
def test_any_text_and_any_values_make_json(text: str, binds: list[object]) -> None:
    for made in parse_script(text):
        assert isinstance(orjson.loads(arguments(made, binds)), dict)
