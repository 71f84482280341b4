"""The data of a COPY."""

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seamline.capture.wire.postgres.copies import CopyRows

PLAIN = 'COPY t (a, "b c") FROM STDIN'


def copied(operation: str, *data: bytes) -> CopyRows:
    copy = CopyRows(operation, is_inward=True)
    for each in data:
        copy.add(each, len(each))
    return copy


def test_rows_under_their_columns() -> None:
    copy = copied(PLAIN, b"1\tx\n2", b"\t\\N\n", b"3\ta\\tb\\\\\\x41\\101\n\\.\n")
    assert orjson.loads(copy.body()) == {
        "columns": ["a", "b c"],
        "types": ["text", "text"],
        "rows": [{"a": "1", "b c": "x"}, {"a": "2", "b c": None}, {"a": "3", "b c": "a\tb\\AA"}],
    }
    assert dict(copy.headers())["content-type"] == "application/json"


def test_without_columns_fields_have_numbers() -> None:
    copy = copied("COPY t FROM STDIN", b"1\tx\n")
    assert orjson.loads(copy.body())["rows"] == [{"unnamed_secret_1": "1", "unnamed_secret_2": "x"}]


@pytest.mark.parametrize("operation", ["COPY t FROM STDIN WITH (FORMAT csv)", "COPY t FROM STDIN (FORMAT binary)"])
def test_other_formats_are_told_by_size_and_hash(operation: str) -> None:
    copy = copied(operation, b"1,x\n" * 500)
    assert (copy.body(), copy.is_cut) == (b"", True)
    headers = dict(copy.headers())
    assert headers["copied-bytes"] == "2000"
    assert len(headers["copied-hash"]) == 32


def test_a_few_bytes_have_no_hash() -> None:
    assert "copied-hash" not in dict(copied("COPY t FROM STDIN BINARY", b"1,x\n").headers())


def test_many_rows_are_counted() -> None:
    copy = copied(PLAIN, b"1\tx\n" * 201)
    assert copy.is_cut
    assert dict(copy.headers())["rows"] == "201"


@given(st.lists(st.binary(max_size=40), max_size=5))
@example([b"\\8"])
def test_any_data_makes_json(data: list[bytes]) -> None:
    body = copied(PLAIN, *data).body()
    assert not body or orjson.loads(body)
