import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.csv_body import CsvBody
from support.sanitizing import Walks


def clean(text: str, separator: str | None = None) -> str:
    walks = Walks()
    return CsvBody(walks.keys, walks.values).clean(text, separator)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id,sku,name,price\r\n1,AB-1,Blue shirt,12.5\r\n",
        "1,2,3\n4,5,6\n",
        "just text",
        'a,b\n"x ""y"" z",2\n',
        "a;b\n1;2",
    ],
)
def test_ordinary_tables_stay_byte_for_byte(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_are_judged_by_their_heading(separator: str) -> None:
    rows = [
        ["id", "First Name", "password", "total"],
        ["1", "Anna", 'hun"ter2', "5"],
        ["2", "Bob", f"a{separator}1", "6"],
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows(rows)
    made = list(csv.reader(io.StringIO(clean(buffer.getvalue())), delimiter=separator))
    assert made[0] == rows[0]
    for old, new in zip(rows[1:], made[1:], strict=True):
        assert (old[0], old[3]) == (new[0], new[3])
        assert old[1] != new[1]
        assert old[2] != new[2]


def test_cells_are_judged_by_shape_where_there_is_no_heading() -> None:
    made = clean("1,anna@x.com\n2,bob@x.com\n")
    assert "anna" not in made
    assert "bob" not in made


def test_a_name_beside_an_email_is_a_persons() -> None:
    assert "Anna" not in clean("name,email\nAnna,a@b.com\n")
    assert "Shirt" in clean("name,price\nShirt,2\n")


@given(st.text('ab",;\n\r\t@.x1', max_size=200))
def test_any_text_is_cleaned(text: str) -> None:
    assert isinstance(clean("email,password\n" + text), str)
