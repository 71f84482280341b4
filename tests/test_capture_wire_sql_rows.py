"""Rows of one answer, kept up to a bound."""

import orjson

from seamline.capture.wire.sql.rows import HASHED_FROM, MOST_BYTES, MOST_ROWS, Rows, unique_names


def test_names_are_unique() -> None:
    assert unique_names(["id", "n", "id", "id"]) == ("id", "n", "id#2", "id#3")


def test_rows_by_their_columns() -> None:
    rows = Rows(["id", "id"], ["int4", "text"])
    assert rows.keeps(10)
    rows.add([1, "x"])
    assert orjson.loads(rows.body()) == {
        "columns": ["id", "id"],
        "types": ["int4", "text"],
        "rows": [{"id": 1, "id#2": "x"}],
    }
    assert rows.headers() == (("content-type", "application/json"), ("rows", "1"))


def test_rows_beyond_the_bound_are_counted_and_hashed() -> None:
    made = []
    for last in (b"x" * HASHED_FROM, b"x" * HASHED_FROM, b"y" * HASHED_FROM):
        rows = Rows(["a"], ["int4"])
        for number in range(MOST_ROWS):
            assert rows.keeps(8)
            rows.add([number])
        assert not rows.keeps(8)
        rows.skip(last)
        assert rows.is_cut
        made.append(dict(rows.headers()))
    assert made[0]["rows"] == "201"
    assert made[0]["rows-kept"] == "200"
    assert made[0]["rows-hash"] == made[1]["rows-hash"] != made[2]["rows-hash"]


def test_a_few_bytes_are_not_hashed() -> None:
    rows = Rows(["a"], ["text"])
    rows.skip(b"hunter2")
    assert rows.headers()[1:] == (("rows", "1"), ("rows-kept", "0"))


def test_what_follows_a_row_that_was_not_kept_is_not_kept_either() -> None:
    rows = Rows(["a"], ["text"])
    assert not rows.keeps(MOST_BYTES + 1)
    rows.skip(b"large")
    assert not rows.keeps(1)
