"""Values back to bytes: what was decoded is encoded the same, and PostgreSQL agrees."""

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.postgres.encode import encode
from seamline.capture.wire.postgres.oids import BASES, ELEMENTS
from seamline.capture.wire.postgres.types import decoder_of
from support.postgres import Server, postgres

VALUES = """
true::bool | -5::int2 | 7::int4 | 9007199254740993::int8 | 'x\\y'::text | 'a'::"char" | 1.5::float4 | 0.1::float4 | 1e20::float8
'NaN'::float8 | 12345.6700::numeric | -0.00012::numeric | 1e30::numeric | 0::numeric | 0.0::numeric | 'NaN'::numeric
100000000::numeric | '2024-02-29'::date | '0044-03-15 BC'::date | 'infinity'::date | '12:34:56.789'::time
'12:34:56+05:30'::timetz | '2024-02-29 01:02:03.000004'::timestamp | '1999-12-31 23:59:59.5+00'::timestamptz
'-infinity'::timestamptz | '0044-03-15 01:02:03 BC'::timestamp | '12345-01-01'::date | '1 year 2 mons -3 days 04:05:06.7'::interval
'-1 mon -04:00:00'::interval | '-1 day +02:00:00'::interval | '0'::interval | '{"a": [1, 2, "x"]}'::jsonb | '[1]'::json
'\\xdeadbeef'::bytea | '6f8d3d1a-1c1e-4c5c-9d3e-0a1b2c3d4e5f'::uuid | ARRAY[1,2,NULL]::int4[] | ARRAY[[1,2],[3,4]]::int8[]
ARRAY['a','b c','','NULL','q"\\x',NULL]::text[] | '{}'::int4[] | ARRAY['1.50','2']::numeric[] | '10.0.0.1'::inet
'10.0.0.0/8'::cidr | '::1/64'::inet | ARRAY['2024-01-01'::date] | ARRAY['{"a": 1}'::jsonb] | ARRAY[true,false] | 123::oid
ARRAY['\\x00ff'::bytea]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres("trust") as running:
        yield running


def test_postgresql_says_the_same_in_text_and_binary_and_back(server: Server) -> None:
    import psycopg

    with psycopg.connect(server.dsn, options="-c timezone=UTC") as connection:
        for written in VALUES.replace("\n", " | ").strip(" |").split(" | "):
            seen = []
            for format_ in (0, 1):
                result = connection.pgconn.exec_params(f"SELECT {written}".encode(), [], result_format=format_)
                raw, oid = result.get_value(0, 0), result.ftype(0)
                assert raw is not None, written
                value = decoder_of(oid, format_)(raw)
                assert encode(value, oid, format_) == raw, written
                seen.append(value)
            assert seen[0] == seen[1], written


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(lambda each: abs(each.adjusted()) < 60))
def test_numerics(number: Any) -> None:
    text = f"{number:f}"
    raw = encode(text, 1700, 1)
    assert raw is not None
    back = decoder_of(1700, 1)(raw)
    assert back == (text.removeprefix("-") if not number else text)


@pytest.mark.parametrize(
    ("value", "oid"),
    [
        ("x", 23),
        (None, 23),
        ("x", 16),
        ("nonsense", 1082),
        ("x", 2950),
        ({"b64": "!"}, 17),
        ([[1], [1, 2]], 1007),
        (1, 17),
    ],
)
def test_a_value_that_is_not_of_its_type_is_a_value_error(value: Any, oid: int) -> None:
    if value is None:
        assert encode(value, oid, 1) is None
        return
    with pytest.raises(ValueError, match=r".*"):
        encode(value, oid, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists, max_leaves=5
)


@given(JSON, st.sampled_from([*BASES, *ELEMENTS, 99999]), st.integers(0, 1))
def test_any_value_is_bytes_or_a_value_error(value: Any, oid: int, format_: int) -> None:
    try:
        made = encode(value, oid, format_)
    except ValueError:
        return
    assert made is None or isinstance(made, bytes)


def test_bytes_that_are_no_text_come_back() -> None:
    assert encode({"b64": "/w=="}, 25, 0) == b"\xff"
    assert encode({"b64": "x"}, 3802, 0) == b'{"b64": "x"}'
    assert encode(0.1, 700, 1) == struct.pack("!f", 0.1)
