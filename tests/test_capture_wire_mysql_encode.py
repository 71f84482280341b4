"""What a stub's server says is what the decoder reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.mysql.columns import parse_column
from seamline.capture.wire.mysql.encode import auth_switch, binary_row, column, eof, ok, raw_of, text_row
from seamline.capture.wire.mysql.results import parse_ok
from seamline.capture.wire.mysql.values import binary_row as read_binary
from seamline.capture.wire.mysql.values import text_row as read_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=9),
    lambda each: st.lists(each, max_size=3),
    max_leaves=5,
)
TYPE = st.sampled_from(
    ["int", "bigint unsigned", "double", "datetime", "time", "date", "varchar", "blob", "bit", "jso"]
)


def test_ok_and_eof() -> None:
    said = parse_ok(ok(2, 300, 7, "Rows matched"), 0)
    assert (said.status, said.affected, said.insert_id, said.info) == (2, 300, 7, "Rows matched")
    assert eof(3) == b"\xfe\0\0\x03\0"
    assert auth_switch(b"c" * 20).startswith(b"\xfemysql_native_password\0")


@pytest.mark.parametrize(("value", "raw"), [(True, b"1"), ({"b64": "??"}, b""), ([1], b"[1]"), (1.5, b"1.5")])
def test_values_of_other_makes(value: object, raw: bytes) -> None:
    assert raw_of(value, "varchar") == raw


@given(st.lists(st.tuples(JSON, TYPE), min_size=1, max_size=5))
def test_whatever_was_recorded_makes_a_row_that_can_be_read(pairs: list[tuple[object, str]]) -> None:
    values, types = [value for value, _ in pairs], [kind for _, kind in pairs]
    columns = tuple(parse_column(column("c", kind), False) for kind in types)
    assert len(read_text(text_row(values, types), columns)) == len(values)
    assert len(read_binary(binary_row(values, types), columns)) == len(values)
