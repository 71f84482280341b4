"""Error fields as JSON, without values that nobody could clean."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.postgres.errors import error_body, error_fields


def body(code: str = "23505", **fields: str) -> dict[str, object]:
    return error_body({"S": "ERROR", "V": "ERROR", "C": code, **fields})


def test_values_of_a_key_stand_under_their_columns() -> None:
    made = body(M="duplicate key", D="Key (email, n)=(a@b.c, 5) already exists.", n="users_key", F="nbtinsert.c", L="1")
    assert made == {
        "severity": "ERROR",
        "code": "23505",
        "message": "duplicate key",
        "detail": "Key (email, n)=($1) already exists.",
        "key": {"email": "a@b.c", "n": "5"},
        "constraint": "users_key",
    }
    assert error_fields(made)["D"] == "Key (email, n)=(a@b.c, 5) already exists."


def test_a_key_of_an_expression_and_one_with_commas() -> None:
    assert body(D="Key (lower(email))=(x) already exists.")["key"] == {"lower(email)": "x"}
    assert body(D="Key (a)=(x, y) already exists.")["key"] == {"a": "x, y"}
    told = body(D='Key (a)=(1) is not present in table "t".')
    assert told["detail"] == 'Key (a)=($1) is not present in table "t".'


@pytest.mark.parametrize(
    ("code", "field", "text", "kept"),
    [
        ("23502", "D", "Failing row contains (1, hunter2, null).", "Failing row contains (…)."),
        ("22P02", "M", 'invalid input syntax for type integer: "hunter2"', "invalid input syntax for type integer"),
        ("42601", "M", "syntax error at or near \"'hunter2'\"", "syntax error at or near a value"),
        ("28P01", "M", 'password authentication failed for user "jane"', 'password authentication failed for user "…"'),
        ("23514", "D", "Fehlgeschlagene Zeile enthält (1, hunter2).", "Fehlgeschlagene Zeile enthält (…)."),
        ("42P01", "M", 'relation "x" does not exist', 'relation "x" does not exist'),
    ],
)
def test_values_that_have_no_name_are_left_out(code: str, field: str, text: str, kept: str) -> None:
    assert kept in body(code, **{field: text}).values()


def test_a_key_is_found_in_any_language() -> None:
    made = body(D="Schlüssel (name)=(Jane Doe) existiert bereits.")
    assert made["key"] == {"name": "Jane Doe"}
    assert made["detail"] == "Schlüssel (name)=($1) existiert bereits."
    assert error_fields(made)["D"] == "Schlüssel (name)=(Jane Doe) existiert bereits."
    assert body(D="キー(name)=(Jane)はすでに存在します。")["detail"] == "キー(name)=($1)はすでに存在します。"


def test_an_error_of_nothing_is_still_one() -> None:
    assert error_fields({}) == {"S": "ERROR", "V": "ERROR", "C": "XX000", "M": "error"}


@given(st.dictionaries(st.sampled_from("SVCMDHPstcdnWqFLR"), st.text(max_size=30)))
def test_any_fields_make_json_and_fields_again(fields: dict[str, str]) -> None:
    orjson.dumps(error_body(fields))
    assert {"S", "V", "C", "M"} <= error_fields(error_body(fields)).keys()
