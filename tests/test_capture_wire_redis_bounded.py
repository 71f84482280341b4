"""What holds in both directions: lengths that lie, and bytes that are anything."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.bounded import Hashed, Malformed, length
from test_capture_wire_redis_command_reader import commands
from test_capture_wire_redis_reply_reader import replies


@given(st.binary(max_size=300), st.integers(1, 20))
def test_random_bytes_are_read_or_refused(data: bytes, step: int) -> None:
    for read in (replies, commands):
        try:
            read(data, step)  # type: ignore[operator]  # either takes bytes and a step
        except Malformed as error:
            assert not any(word in str(error) for word in ("\\x", "b'"))


@pytest.mark.parametrize("data", [b"*1000000000\r\n", b"%1000000000\r\n*1000000000\r\n", b"$1000000000\r\nx"])
def test_a_length_that_lies_takes_no_memory(data: bytes) -> None:
    tracemalloc.start()
    replies(data)
    commands(b"*1000000000\r\n$1000000000\r\nx")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(("line", "number"), [(b"5", 5), (b"-1", -1), (b"0", 0)])
def test_a_length(line: bytes, number: int) -> None:
    assert length(line) == number


@pytest.mark.parametrize("line", [b"", b"x", b"?", b"9" * 20, b"9" * 5000])
def test_what_is_no_length(line: bytes) -> None:
    with pytest.raises(Malformed):
        length(line)


def test_a_hash_is_that_of_all_bytes_in_any_pieces() -> None:
    one, other = Hashed(), Hashed("array")
    one.add(b"abc")
    other.add(b"a")
    other.add(b"bc")
    assert one.cut()[:2] == other.cut()[:2]
    assert (one.cut().size, other.cut().kind) == (3, "array")
