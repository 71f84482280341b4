"""The table of commands: keys, forms of arguments, and credentials that go nowhere."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.commands import UNKNOWN, arguments, command, is_secret, target
from seamline.capture.wire.redis.values import Cut


def split(line: str) -> list[bytes]:
    return [word.encode() for word in line.split()]


@pytest.mark.parametrize(
    ("line", "operation", "key", "made"),
    [
        ("set user:1 v EX 60", "SET", "user:1", [{"user:1": "v"}, "EX", "60"]),
        ("SETEX k 60 v", "SETEX", "k", [{"k": "v"}, "60"]),
        ("PSETEX k 60", "PSETEX", "k", ["k", "60"]),
        ("GET k", "GET", "k", ["k"]),
        ("SET k", "SET", "k", ["k"]),
        ("MSET a 1 b 2", "MSET", "a", [{"a": "1", "b": "2"}]),
        ("MSET a 1 b", "MSET", "a", ["a", "1", "b"]),
        ("HSET h email a@b.c n 1", "HSET", "h", ["h", {"email": "a@b.c", "n": "1"}]),
        ("HINCRBY h n 2", "HINCRBY", "h", ["h", {"n": "2"}]),
        ("XADD s * a 1", "XADD", "s", ["s", "*", {"a": "1"}]),
        ("XADD s NOMKSTREAM MAXLEN ~ 9 LIMIT 5 1-1 a 1", "XADD", "s",
         ["s", "NOMKSTREAM", "MAXLEN", "~", "9", "LIMIT", "5", "1-1", {"a": "1"}]),
        ("XADD s MINID 5 * a 1 a 2", "XADD", "s", ["s", "MINID", "5", "*", "a", "1", "a", "2"]),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS s >", "XREADGROUP", "s",
         ["GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">"]),
        ("XREAD COUNT 1", "XREAD", "", ["COUNT", "1"]),
        ("EVAL return 1 k a", "EVAL", "k", ["return", "1", "k", "a"]),
        ("BLPOP q 0", "BLPOP", "q", ["q", "0"]),
        ("ZUNION 2 a b", "ZUNION", "a", ["2", "a", "b"]),
        ("OBJECT ENCODING k", "OBJECT ENCODING", "k", ["k"]),
        ("config get maxmemory", "CONFIG GET", "", ["maxmemory"]),
        ("CONFIG SET maxmemory 1mb", "CONFIG SET", "", [{"maxmemory": "1mb"}]),
        ("XGROUP CREATE s g 0", "XGROUP CREATE", "s", ["s", "g", "0"]),
        ("KEYS user:*", "KEYS", "", ["user:*"]),
        ("JSON.GET doc $", "JSON.GET", "doc", ["doc", "$"]),
        ("CLIENT", "CLIENT", "", []),
        ("CLIENT a@b.c", "CLIENT", "", ["a@b.c"]),
        ("SUBSCRIBE a b", "SUBSCRIBE", "a", ["a", "b"]),
    ],
)  # fmt: skip
def test_a_command(line: str, operation: str, key: str, made: Any) -> None:
    args = split(line)
    known = command(args)
    assert known.operation == operation
    assert known.method == operation.split(maxsplit=1)[0]
    assert target(known, args) == key.encode()
    assert arguments(known, args) == made


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("AUTH hunter2", [None]),
        ("auth bob hunter2", [None, None]),
        ("HELLO 3 AUTH bob hunter2 SETNAME me", ["3", "AUTH", None, None, "SETNAME", "me"]),
        ("HELLO 3 auth bob", ["3", "auth", None]),
        ("CONFIG SET requirepass hunter2 maxmemory 1", [{"requirepass": None, "maxmemory": "1"}]),
        ("CONFIG SET MasterAuth hunter2", [{"MasterAuth": None}]),
        ("ACL SETUSER bob on >hunter2 #hunter2 ~k", ["bob", "on", None, None, "~k"]),
        ("MIGRATE h 1 k 0 5 AUTH hunter2 KEYS a", ["h", "1", "k", "0", "5", "AUTH", None, "KEYS", "a"]),
        ("MIGRATE h 1 k 0 5 AUTH2 bob hunter2", ["h", "1", "k", "0", "5", "AUTH2", None, None]),
        ("SENTINEL SET m auth-pass hunter2", ["m", "auth-pass", None]),
    ],
)
def test_credentials_are_dropped(line: str, made: Any) -> None:
    args = split(line)
    assert arguments(command(args), args) == made


@pytest.mark.parametrize("word", [b"a@b.c", b"", b"1", b"x" * 60, b"\xff", b"no word"])
def test_a_name_that_is_no_word_is_never_an_operation(word: bytes) -> None:
    known = command([word, b"a"])
    assert known is UNKNOWN
    assert len(arguments(known, [word, b"a"])) == 2
    assert command([Cut(1, "")]) is UNKNOWN


def test_what_holds_a_credential() -> None:
    assert is_secret(b"RequirePass")
    assert not is_secret(b"maxmemory")
    assert not is_secret(None)


@given(st.lists(st.sampled_from(split(
    "SET XADD MAXLEN ~ = LIMIT HELLO AUTH MIGRATE CONFIG SET ACL SETUSER >x XREAD STREAMS EVAL 1 MSET b64 HSET"
)) | st.binary(max_size=8), min_size=1, max_size=8))  # fmt: skip
def test_any_words_have_a_form(args: list[bytes]) -> None:
    known = command(args)
    assert isinstance(arguments(known, args), list)
    assert isinstance(target(known, args), bytes)
    assert "\x00" not in known.operation


def test_many_spellings_fill_no_memory() -> None:
    from seamline.capture.wire.redis import commands as module

    for number in range(3_000):
        command([b"x%d" % number])
        command([b"CLIENT", b"x%d" % number])
    assert len(module._BY_NAME) <= 2048
    assert len(module._BY_OPERATION) <= 2048


def test_a_value_is_no_subcommand() -> None:
    assert command([b"CONFIG", b"get", b"x"]).operation == "CONFIG GET"
    assert command([b"CLIENT", b"no-evict", b"on"]).operation == "CLIENT NO-EVICT"
    assert command([b"ACL", b"sess_c4a7a51e9f86", b"x"]).operation == "ACL"
