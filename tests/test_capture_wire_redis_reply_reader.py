"""The reader of replies: every type, every split, and what is too large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.bounded import LARGEST, LONGEST_LINE, MOST_ELEMENTS, Malformed
from seamline.capture.wire.redis.encode import encode
from seamline.capture.wire.redis.reply_reader import DEEPEST, ReplyReader
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


def replies(data: bytes, step: int = 0) -> list[Value]:
    out: list[Value] = []
    reader = ReplyReader()
    for begin in range(0, len(data), step or len(data) or 1):
        reader.feed(data[begin : begin + step] if step else data, out)
    return out


@pytest.mark.parametrize(
    ("data", "value", "kind"),
    [
        (b"+OK\r\n", b"OK", Simple),
        (b"-WRONGTYPE no\r\n", b"WRONGTYPE no", Fault),
        (b":-5\r\n", -5, int),
        (b"$3\r\na\r\n\r\n", b"a\r\n", bytes),
        (b"$0\r\n\r\n", b"", bytes),
        (b"$-1\r\n", None, type(None)),
        (b"*-1\r\n", NULL_ARRAY, type(NULL_ARRAY)),
        (b"_\r\n", None, type(None)),
        (b"#t\r\n", True, bool),
        (b"#f\r\n", False, bool),
        (b",1.5\r\n", 1.5, float),
        (b",inf\r\n", float("inf"), float),
        (b"(123456789012345678901234567890\r\n", b"123456789012345678901234567890", BigNumber),
        (b"!5\r\nERR x\r\n", b"ERR x", Fault),
        (b"=7\r\ntxt:abc\r\n", b"txt:abc", Verbatim),
        (b"*2\r\n:1\r\n*1\r\n+x\r\n", [1, [b"x"]], list),
        (b"%1\r\n+a\r\n:1\r\n", [b"a", 1], Map),
        (b"~1\r\n:1\r\n", [1], Set),
        (b">1\r\n+a\r\n", [b"a"], Push),
        (b"*0\r\n", [], list),
        (b"%0\r\n", [], Map),
        (b"|1\r\n+ttl\r\n:3\r\n:7\r\n", 7, int),
        (b"*1\r\n|1\r\n+ttl\r\n:3\r\n:7\r\n", [7], list),
    ],
)
def test_each_type_is_read_in_any_split(data: bytes, value: object, kind: type) -> None:
    for step in (0, 1, 2, 3):
        (got,) = replies(data, step)
        assert got == value
        assert type(got) is kind


values = st.recursive(
    st.none()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.booleans()
    | st.binary(max_size=40)
    | st.floats(allow_nan=False)
    | st.from_regex(rb"[A-Z]{1,8}( [a-z]{1,8})?", fullmatch=True).map(Simple)
    | st.from_regex(rb"[A-Z]{1,8} [a-z]{1,8}", fullmatch=True).map(Fault),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(Set)
        | st.lists(inner, max_size=5).map(Push)
        | st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: Map([each for pair in pairs for each in pair])
        )
    ),
    max_leaves=12,
)


@given(st.lists(values, max_size=4), st.integers(1, 50))
def test_what_is_encoded_in_resp3_is_read_again(sent: list[Value], step: int) -> None:
    data = b"".join(encode(value, 3) for value in sent)
    got = replies(data, step)
    assert [encode(value, 3) for value in got] == [encode(value, 3) for value in sent]
    assert repr(got) == repr(sent)


@pytest.mark.parametrize(
    "data",
    [
        b"$x\r\n",
        b"*99999999999999\r\n",
        b"hello\r\n",
        b":x\r\n",
        b",x\r\n",
        b"*?\r\n",
        b"*1\r\n" * (DEEPEST + 1),
        b"+" + b"x" * (LONGEST_LINE + 1),
        b"$" + b"9" * 5000 + b"\r\n",
    ],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        replies(data)


@pytest.mark.parametrize("step", [0, 7777])
def test_a_large_reply_is_one_cut(step: int) -> None:
    large = b"x" * (LARGEST + 1)
    data = encode([b"a", large, 1], 2) + encode(large, 2) + encode([b"y" * 1000] * 300, 2) + b"+OK\r\n"
    array, bulk, many, ok = replies(data, step)
    assert isinstance(array, Cut)
    assert isinstance(bulk, Cut)
    assert isinstance(many, Cut)
    assert (array.kind, array.size) == ("array", LARGEST + 3)
    assert (bulk.kind, bulk.size) == ("bulk", LARGEST + 1)
    assert (many.kind, many.size) == ("array", 300_000)
    assert ok == b"OK"


def test_replies_that_are_cut_differ_where_their_bytes_do() -> None:
    one, other = replies(encode([b"a", b"x" * LARGEST], 2)), replies(encode([b"b", b"x" * LARGEST], 2))
    assert one != other


def test_too_many_elements_are_cut() -> None:
    (got,) = replies(encode([1] * (MOST_ELEMENTS + 1), 2))
    assert isinstance(got, Cut)
