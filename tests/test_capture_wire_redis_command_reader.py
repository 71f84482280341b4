"""The reader of commands: every split, inline commands, and what is too large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.bounded import LARGEST, LONGEST_LINE, MOST_ELEMENTS, Malformed
from seamline.capture.wire.redis.command_reader import LARGEST_COMMAND, CommandReader
from seamline.capture.wire.redis.encode import encode_command
from seamline.capture.wire.redis.values import Cut


def commands(data: bytes, step: int = 0) -> list[list[bytes | Cut]]:
    out: list[list[bytes | Cut]] = []
    reader = CommandReader()
    for begin in range(0, len(data), step or len(data) or 1):
        reader.feed(data[begin : begin + step] if step else data, out)
    return out


@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=6), max_size=5), st.integers(1, 40))
def test_commands_are_read_in_any_split(sent: list[list[bytes]], step: int) -> None:
    assert commands(b"".join(map(encode_command, sent)), step) == sent


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00",
        b"*1\r\n:1\r\n",
        b"*1\r\n$-1\r\n",
        b"*1\r\n$x\r\n",
        b"GET " + b"x" * (LONGEST_LINE + 1),
        b"*" + b"1" * 40,
        b"*2\r\nPING\r\n",
    ],
)
def test_what_is_no_command_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        commands(data)


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"PING\r\n", [[b"PING"]]),
        (b'  SET a "b"\n', [[b"SET", b"a", b"b"]]),
        (b"\r\n\r\nPING\r\n", [[b"PING"]]),
        (b"*0\r\n*-1\r\nPING\r\n", [[b"PING"]]),
        (b"PING\r\n*1\r\n$4\r\nQUIT\r\n", [[b"PING"], [b"QUIT"]]),
    ],
)
def test_inline_and_empty_commands(data: bytes, read: list[list[bytes]]) -> None:
    for step in (0, 1, 2):
        assert commands(data, step) == read


@pytest.mark.parametrize("step", [0, 1000, 65536])
def test_a_large_argument_is_cut_and_the_rest_is_not(step: int) -> None:
    large = b"x" * (LARGEST + 1)
    first, second = commands(encode_command(["SET", "k", large, "EX", "5"]) + encode_command(["PING"]), step)
    assert [first[0], first[1], *first[3:]] == [b"SET", b"k", b"EX", b"5"]
    assert isinstance(first[2], Cut)
    assert (first[2].size, len(first[2].digest)) == (LARGEST + 1, 32)
    assert second == [b"PING"]


def test_a_last_argument_that_is_large_ends_the_command() -> None:
    data = encode_command(["SET", "k", b"x" * (LARGEST + 1)])
    for step in (0, 999):
        first, second = commands(data + data, step)
        assert first == second
        assert len(first) == 3


def test_a_command_with_too_much_in_it_is_cut_at_its_end() -> None:
    for args in ([b"x" * (LARGEST - 1)] * 9, [b"x"] * (MOST_ELEMENTS + 5)):
        (got,) = commands(encode_command([b"RPUSH", b"k", *args]))
        assert isinstance(got[-1], Cut)
        assert sum(len(arg) for arg in got if isinstance(arg, bytes)) <= LARGEST_COMMAND
        assert sum(len(arg) for arg in got if isinstance(arg, bytes)) + got[-1].size == 6 + sum(map(len, args))
