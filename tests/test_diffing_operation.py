"""What a call asks, in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.operation import (
    MAX_SHOWN,
    is_write,
    key_of_path,
    key_path,
    shortened,
    shown_statement,
    statement_writes,
)
from seamline.diffing.report.model import Surface

# a SQL text as recorded, as it is shown
SHOWN: list[tuple[str, str]] = [
    ("SELECT id FROM x WHERE a = $1 AND b = $2", "SELECT id FROM x WHERE a = $1 AND b = $2"),
    ("SELECT id FROM x WHERE a IN ($1, $2, $3) AND b = $4", "SELECT id FROM x WHERE a IN (…) AND b = $1"),
    ("SELECT id FROM x WHERE a in ($1)", "SELECT id FROM x WHERE a IN (…)"),
    ("INSERT INTO x (a, b) VALUES ($1, $2), ($3, $4)", "INSERT INTO x (a, b) VALUES ($1, $2)"),
    (
        "INSERT INTO x (a) VALUES (lower($1)),(lower($2)) RETURNING a",
        "INSERT INTO x (a) VALUES (lower($1)) RETURNING a",
    ),
    ('DECLARE "_django_curs_1" NO SCROLL CURSOR FOR SELECT 1', "DECLARE cursor NO SCROLL CURSOR FOR SELECT 1"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_what_varies_from_call_to_call_is_not_shown(text: str, shown: str) -> None:
    assert shown_statement(text) == shown


@given(st.text(alphabet="VALUES IN($1,)lowerDECLARE CURSOR", max_size=400))
def test_any_text_is_shown_and_twice_is_once(text: str) -> None:
    assert shown_statement(shown_statement(text)) == shown_statement(text)


def test_a_hostile_text_is_no_slower() -> None:
    assert shown_statement("VALUES (" + "(" * 50_000).startswith("VALUES ((")
    assert shown_statement("IN ($1" + ", $1" * 50_000).startswith("IN ($1, $2")


def test_long_texts_that_differ_at_the_end_stay_apart() -> None:
    long = "SELECT " + "x" * 500
    assert shortened(long, "aaaaaaaa11") != shortened(long, "bbbbbbbb22")
    assert len(shortened(long, "aaaaaaaa11")) < MAX_SHOWN + 20
    assert shortened("SELECT 1", "aaaaaaaa11") == "SELECT 1"


@given(st.text(max_size=60))
def test_a_key_survives_being_a_path(key: str) -> None:
    clean = key.encode("utf-8", "replace").decode()
    assert key_of_path(key_path(clean)) == clean


WRITES: list[tuple[Surface, str, bool]] = [
    (Surface.HTTP, "GET /x", False),
    (Surface.HTTP, "OPTIONS /x", False),
    (Surface.HTTP, "POST /x", True),
    (Surface.HTTP, "PURGE /x", True),
    (Surface.SQL, "SELECT updated_at FROM x", False),
    (Surface.SQL, "SELECT a FROM x FOR UPDATE", False),
    (Surface.SQL, "SELECT a FROM x FOR NO KEY UPDATE", False),
    (Surface.SQL, "UPDATE x SET a = $1", True),
    (Surface.SQL, "WITH gone AS (DELETE FROM x RETURNING a) SELECT a FROM gone", True),
    (Surface.SQL, "SELECT replace(a, $1, $2) FROM x", False),
    (Surface.SQL, "COPY x FROM STDIN", True),
    (Surface.SQL, "COPY x TO STDOUT", False),
    (Surface.REDIS, "GET user:{id}", False),
    (Surface.REDIS, "SET user:{id}", True),
    (Surface.REDIS, "GETDEL user:{id}", True),
    (Surface.BUS, "publish orders", True),
    (Surface.GRPC, "shop.Cart/GetCart", False),
    (Surface.GRPC, "shop.Cart/ListItems", False),
    (Surface.GRPC, "shop.Cart/Add", True),
    (Surface.GRPC, "shop.Cart/Getaway", True),
]


@pytest.mark.parametrize(("surface", "operation", "writes"), WRITES)
def test_what_changes_something(surface: Surface, operation: str, writes: bool) -> None:
    assert is_write(surface, operation) is writes


def test_a_lock_is_no_change() -> None:
    assert not statement_writes("SELECT a FROM x WHERE b = $1 FOR UPDATE")
    assert statement_writes("INSERT INTO x (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = $2")
