"""Values as JSON, from bytes that are what they say and from bytes that are not."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.postgres.oids import BASES, ELEMENTS
from seamline.capture.wire.postgres.types import decoder_of


@pytest.mark.parametrize(
    ("oid", "raw", "value"),
    [
        (16, b"t", True),
        (23, b"-5", -5),
        (20, b"92233720368547758080", "92233720368547758080"),
        (701, b"NaN", "NaN"),
        (701, b"1.5", 1.5),
        (1700, b"1.50", "1.50"),
        (3802, b'{"a": [1]}', {"a": [1]}),
        (114, b"{broken", "{broken"),
        (114, b"[" * 300 + b"]" * 300, "[" * 300 + "]" * 300),
        (17, b"\\x00ff", "\\x00ff"),
        (25, b"\xff", {"b64": "/w=="}),
        (1007, b"{1,NULL,3}", [1, None, 3]),
        (1009, b'{a,"b c","NULL",NULL,"q\\"\\\\"}', ["a", "b c", "NULL", None, 'q"\\']),
        (1007, b"{{1,2},{3,4}}", [[1, 2], [3, 4]]),
        (1007, b"{}", []),
        (1007, b"[2:3]={1,2}", "[2:3]={1,2}"),
        (1007, b"{1,2", "{1,2"),
        (99999, b"mood", "mood"),
    ],
)
def test_text(oid: int, raw: bytes, value: Any) -> None:
    assert decoder_of(oid, 0)(raw) == value


@pytest.mark.parametrize(
    ("oid", "raw", "value"),
    [
        (23, b"\xff\xff\xff\xfb", -5),
        (23, b"\xff", {"b64": "/w=="}),
        (700, b"=\xcc\xcc\xcd", 0.1),
        (3802, b'\x01{"a": 1}', {"a": 1}),
        (3802, b"\x02{}", {"b64": "Ant9"}),
        (1700, b"\0\0\0\0\0\0\x7f\xff", {"b64": "AAAAAAAAf/8="}),
        (99999, b"mood", {"b64": "bW9vZA=="}),
        (1007, b"\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7", [7]),
        (1007, b"\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\1", {"b64": "AAAAAQAAAAAAAAAXf////wAAAAE="}),
    ],
)
def test_binary(oid: int, raw: bytes, value: Any) -> None:
    assert decoder_of(oid, 1)(raw) == value


@given(
    st.sampled_from([*BASES, *ELEMENTS, 99999]),
    st.integers(0, 1),
    st.binary(max_size=60) | st.text(max_size=40).map(str.encode),
)
def test_any_bytes_of_any_type_make_json(oid: int, format_: int, raw: bytes) -> None:
    orjson.dumps(decoder_of(oid, format_)(raw))
