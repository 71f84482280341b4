"""The queries for a PostgreSQL database's state, as text (they run in test_replay_isolation_postgres)."""

import pytest

from seamline.replay.isolation.pgstate import hash_of_rest, last_values, rows_of

sql = pytest.importorskip("psycopg.sql")


def test_rows_come_by_primary_key_and_names_are_quoted() -> None:
    query = rows_of(sql, "public", 'odd "name"', ["id", "to"], ["id"]).as_string()
    assert query == (
        'SELECT seamline_row."id", seamline_row."to" FROM "public"."odd ""name""" AS seamline_row ORDER BY seamline_row."id"'
    )


def test_without_a_key_rows_come_by_their_text() -> None:
    assert rows_of(sql, "a", "b", ["c"], []).as_string().endswith("ORDER BY seamline_row::text")
    assert hash_of_rest(sql, "a", "b", [], 5).as_string().endswith("ORDER BY seamline_row::text OFFSET 5) AS rest")


def test_the_last_values_of_many_sequences_are_asked_for_at_once() -> None:
    query = last_values(sql, [("7", "public", "a", 1), ("8", "odd", 'b"', -2)]).as_string()
    assert query == (
        """SELECT '7', CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM "public"."a" UNION ALL """
        """SELECT '8', CASE WHEN is_called THEN last_value ELSE last_value -  -2 END FROM "odd"."b""\""""
    )
