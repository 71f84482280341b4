"""Rows read by their columns."""

import marshal

import orjson
import pytest

from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.layout import Layout, layout_of, rows_body, unnamed, with_formats
from seamline.capture.wire.postgres.messages import Column, Malformed

COLUMNS = (Column("id", 23, 0), Column("n", 25, 0))


def row(layout: Layout, *values: bytes | None) -> object:
    rows = layout.rows()
    body = write.data_row(values)[5:]
    rows.take(body, len(body))
    return orjson.loads(rows.body())["rows"][0]


def test_rows_by_name() -> None:
    layout = layout_of(write.row_description(COLUMNS)[5:])
    assert row(layout, b"1", None) == {"id": 1, "n": None}
    assert layout.oids == (23, 25)


def test_formats_of_a_bind() -> None:
    assert row(with_formats(COLUMNS, (1,)), b"\0\0\0\1", b"x") == {"id": 1, "n": "x"}
    assert row(with_formats(COLUMNS, (1, 0)), b"\0\0\0\1", b"x") == {"id": 1, "n": "x"}
    assert row(with_formats(COLUMNS, ()), b"1", b"x") == {"id": 1, "n": "x"}


def test_rows_that_nobody_described() -> None:
    body = write.data_row([b"1", b"x"])[5:]
    assert row(unnamed(body), b"1", b"x") == {"$1": "1", "$2": "x"}


def test_a_row_that_is_cut_is_malformed() -> None:
    with pytest.raises(Malformed):
        Layout(COLUMNS).rows().take(b"\0\2\0\0\0\1x", 7)


def test_a_row_whose_head_alone_was_held_is_counted() -> None:
    rows = Layout(COLUMNS).rows()
    rows.take(b"\0\2", 5000)
    assert (rows.count, rows.is_cut) == (1, True)


def test_rows_are_read_where_they_are_asked_for() -> None:
    rows = with_formats(COLUMNS, (1, 0)).rows()
    for number in range(3):
        body = write.data_row([number.to_bytes(4), b"x"])[5:]
        rows.take(body, len(body))
    assert rows.size == 3 * len(body)
    maker, *values = marshal.loads(marshal.dumps(rows.plain()))
    assert maker == "postgres"
    assert rows_body(*values) == rows.body()
    assert orjson.loads(rows.body())["rows"] == [{"id": number, "n": "x"} for number in range(3)]


def test_a_row_whose_lengths_lie_is_left_out() -> None:
    rows = Layout(COLUMNS).rows()
    rows.take(b"\0\2\0\0\0\xff1\0\0\0\1x", 12)
    assert orjson.loads(rows.body())["rows"] == []
    assert rows.headers()[1] == ("rows", "1")
