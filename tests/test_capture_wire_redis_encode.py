import pytest

from seamline.capture.wire.redis.encode import encode, encode_command, number_text
from seamline.capture.wire.redis.values import (
    NULL_ARRAY,
    BigNumber,
    Cut,
    Fault,
    Map,
    Push,
    Set,
    Simple,
    Value,
    Verbatim,
)


@pytest.mark.parametrize(
    ("value", "old", "new"),
    [
        (None, b"$-1\r\n", b"_\r\n"),
        (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
        (True, b":1\r\n", b"#t\r\n"),
        (7, b":7\r\n", b":7\r\n"),
        (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
        (b"a", b"$1\r\na\r\n", b"$1\r\na\r\n"),
        (Simple(b"OK"), b"+OK\r\n", b"+OK\r\n"),
        (Fault(b"ERR two\r\nlines"), b"-ERR two  lines\r\n", b"-ERR two  lines\r\n"),
        (Verbatim(b"txt:a"), b"$1\r\na\r\n", b"=5\r\ntxt:a\r\n"),
        (BigNumber(b"99"), b"$2\r\n99\r\n", b"(99\r\n"),
        ([1, [2]], b"*2\r\n:1\r\n*1\r\n:2\r\n", b"*2\r\n:1\r\n*1\r\n:2\r\n"),
        (Map([b"a", 1]), b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        (Set([1]), b"*1\r\n:1\r\n", b"~1\r\n:1\r\n"),
        (Push([1]), b"*1\r\n:1\r\n", b">1\r\n:1\r\n"),
        (Cut(9, "00"), b"$-1\r\n", b"_\r\n"),
    ],
)
def test_a_value_in_either_resp(value: Value, old: bytes, new: bytes) -> None:
    assert encode(value, 2) == old
    assert encode(value, 3) == new


@pytest.mark.parametrize(("value", "text"), [(2.0, b"2"), (0.1, b"0.1"), (float("inf"), b"inf"), (-1e300, b"-1e+300")])
def test_doubles_are_written_as_redis_does(value: float, text: bytes) -> None:
    assert number_text(value) == text


def test_a_command() -> None:
    assert encode_command(["SET", b"\xff", "ä"]) == b"*3\r\n$3\r\nSET\r\n$1\r\n\xff\r\n$2\r\n\xc3\xa4\r\n"
