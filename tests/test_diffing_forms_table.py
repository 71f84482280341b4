"""CSV by its columns' names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.forms.table import MAX_COLUMNS, TableError, parse_table
from seamline.diffing.report.model import Json


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("sku,qty\na,1\n", ["sku", "qty"], [{"sku": "a", "qty": "1"}]),
        ('sku;note\r\na;"x;\ny"\r\n', ["sku", "note"], [{"sku": "a", "note": "x;\ny"}]),
        ("sku\tqty\na\t1", ["sku", "qty"], [{"sku": "a", "qty": "1"}]),
        (
            "a,1\nb,2",
            ["column_1", "column_2"],
            [{"column_1": "a", "column_2": "1"}, {"column_1": "b", "column_2": "2"}],
        ),
        (
            "a,a\n1,2",
            ["column_1", "column_2"],
            [{"column_1": "a", "column_2": "a"}, {"column_1": "1", "column_2": "2"}],
        ),
        ("sku,qty\na\nb,1,2", ["sku", "qty"], [{"sku": "a"}, {"sku": "b", "qty": "1", "#more": ["2"]}]),
        ("\ufeffsku,qty\n\na,1", ["sku", "qty"], [{"sku": "a", "qty": "1"}]),
        ("", [], []),
    ],
)
def test_tables(text: str, columns: list[str], rows: list[Json]) -> None:
    assert parse_table(text) == {"columns": columns, "rows": rows}


def test_quotes_that_do_not_fit_and_too_many_columns_are_no_table() -> None:
    for text in ('a,b\n"x', 'a,b\n"x"y,1', "," * (MAX_COLUMNS + 1)):
        with pytest.raises(TableError):
            parse_table(text)


@given(st.text(max_size=60))
def test_any_text_is_a_table_or_is_none(text: str) -> None:
    try:
        assert set(parse_table(text)) == {"columns", "rows"}
    except TableError as error:
        assert str(error)
