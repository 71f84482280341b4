import re
import struct

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2, timestamp_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture import protobuf
from seamline.capture.protobuf import (
    Leaves,
    ProtobufError,
    fields_of,
    is_fractions,
    packed_integers,
    parse_message,
    rewrite_message,
    rewrite_payload,
)

Type = descriptor_pb2.FieldDescriptorProto


def _order_class() -> type:
    """A message with a field of each kind, built at run time."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="t", syntax="proto3")
    order = file.message_type.add(name="Order")
    kinds = [
        ("id", Type.TYPE_INT64), ("email", Type.TYPE_STRING), ("price", Type.TYPE_DOUBLE), ("rate", Type.TYPE_FLOAT),
        ("count", Type.TYPE_FIXED32), ("big", Type.TYPE_FIXED64), ("raw", Type.TYPE_BYTES), ("zig", Type.TYPE_SINT32),
        ("ok", Type.TYPE_BOOL),
    ]  # fmt: skip
    for number, (name, kind) in enumerate(kinds, 1):
        order.field.add(name=name, number=number, type=kind, label=Type.LABEL_OPTIONAL)
    order.field.add(name="ids", number=20, type=Type.TYPE_INT32, label=Type.LABEL_REPEATED)
    order.field.add(name="names", number=21, type=Type.TYPE_STRING, label=Type.LABEL_REPEATED)
    order.field.add(name="inner", number=2000, type=Type.TYPE_MESSAGE, type_name=".t.Order", label=Type.LABEL_OPTIONAL)
    order.field.add(name="more", number=23, type=Type.TYPE_MESSAGE, type_name=".t.Order", label=Type.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Order"))


Order = _order_class()

KEEP = Leaves(lambda text: text, lambda data: data, lambda value: value)
CHANGE = Leaves(lambda text: f"<{text}>", lambda data: data + b"!", lambda value: value)


def test_a_message_is_read_by_its_numbers() -> None:
    order = Order(
        id=7, email="anna@x.com", price=9.5, rate=0.25, count=3, big=1 << 40, raw=b"\0\xff\xfe\xfd\xfc\xfb", zig=-1,
        ok=True, ids=[1, 300, 70_000], names=["a", "b"], inner=Order(email="b@y.org"), more=[Order(id=1), Order(id=2)],
    )  # fmt: skip
    assert parse_message(order.SerializeToString()) == {
        "1": 7,
        "2": "anna@x.com",
        "3": 9.5,
        "4": 0.25,
        "5": 3,
        "6": 1 << 40,
        "7": {"b64": "AP/+/fz7"},
        "8": 1,
        "9": 1,
        "20": [1, 300, 70_000],
        "21": ["a", "b"],
        "23": [{"1": 1}, {"1": 2}],
        "2000": {"2": "b@y.org"},
    }


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"", ""),
        (b"plain text", "plain text"),
        (b"caf\xc3\xa9\n", "café\n"),
        (b"\x0a\x05alice", {"1": "alice"}),
        # A nested message whose length is a printable character, or whose tag is.
        (b"\x0a$" + b"5" * 36, {"1": "5" * 36}),
        (b"\x2a(" + b"a" * 40, {"5": "a" * 40}),
        (b"\x08\x01", {"1": 1}),
        (b"2(", "2("),
        (b"(A", "(A"),
        (b"\x01\x02\x03", [1, 2, 3]),
        (b"\xff\xfe", {"b64": "//4="}),
    ],
)
def test_a_payload_is_what_is_plausible(payload: bytes, value: object) -> None:
    assert parse_message(b"\x0a" + bytes([len(payload)]) + payload) == {"1": value}


@pytest.mark.parametrize(
    "message",
    [
        timestamp_pb2.Timestamp(seconds=1_700_000_000, nanos=5),
        struct_pb2.Struct(fields={"a": struct_pb2.Value(string_value="b"), "c": struct_pb2.Value(number_value=1.5)}),
        descriptor_pb2.FileDescriptorProto(name="x.proto", package="p", dependency=["a", "b"]),
    ],
)
def test_messages_of_others_come_back_the_same(message: object) -> None:
    data = message.SerializeToString()  # type: ignore[attr-defined]  # protobuf's classes are made at run time
    assert rewrite_message(data, KEEP) is data
    assert parse_message(data)


def test_values_are_replaced_at_every_depth_and_lengths_follow() -> None:
    order = Order(email="a" * 126, inner=Order(email="b" * 120, inner=Order(names=["one", "two"], id=5)), ids=[1, 900])
    made = Order.FromString(rewrite_message(order.SerializeToString(), CHANGE))
    assert made.email == f"<{'a' * 126}>"
    assert made.inner.email == f"<{'b' * 120}>"
    assert list(made.inner.inner.names) == ["<one>", "<two>"]
    assert made.inner.inner.id == 5


def test_integers_are_replaced_where_they_stand() -> None:
    leaves = KEEP._replace(integer=lambda value: value + 1_000_000)
    made = Order.FromString(rewrite_message(Order(id=1, big=2, count=3).SerializeToString(), leaves))
    assert (made.id, made.big, made.count) == (1_000_001, 1_000_002, 3)


def test_odd_spellings_of_numbers_are_kept() -> None:
    data = b"\x8a\x00\x83\x00abc" + b"\x08\x81\x80\x00"
    assert rewrite_message(data, KEEP) is data
    assert rewrite_message(data, CHANGE) == b"\x8a\x00\x05<abc>" + b"\x08\x81\x80\x00"


def test_text_that_could_be_a_message_never_becomes_a_broken_one() -> None:
    two = b'"(' + b"a" * 40 + b"*(" + b"b" * 40
    outer = b"\x0a" + bytes([len(two)]) + two
    made = rewrite_message(outer, KEEP._replace(text=lambda text: re.sub("a+", "z" * 45, text)))
    (field,) = fields_of(made)
    inner = fields_of(made[field.start : field.end])
    assert [each.number for each in inner] == [4, 5]
    assert b"a" not in made


@pytest.mark.parametrize("text", ["a" * 126, "\n" + chr(30) + "x", "(A" * 5, '"' + chr(33) + "a" * 33])
def test_text_that_parses_as_a_message_by_chance_is_cleaned_as_text(text: str) -> None:
    def hide(text: str) -> str:
        return re.sub("[aA]+", lambda match: "-" * len(match[0]), text)

    made = rewrite_message(Order(email=text).SerializeToString(), KEEP._replace(text=hide))
    assert b"a" not in made
    assert b"A" not in made


def test_a_payload_alone_is_rewritten_as_what_it_is() -> None:
    assert rewrite_payload(b"text", CHANGE) == b"<text>"
    assert rewrite_payload(b"\x0a\x04text", CHANGE) == b"\x0a\x06<text>"
    assert rewrite_payload(b"\xff\xfe", CHANGE) == b"\xff\xfe!"
    assert rewrite_payload(b"", CHANGE) == b""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x08", "breaks off"),
        (b"\x80", "breaks off"),
        (b"\x0a\x05abc", "breaks off"),
        (b"\x09abc", "breaks off"),
        (b"\x0d\x00", "breaks off"),
        (b"\x00\x01", "impossible field number"),
        (b"\x0b\x0c", "group"),
        (b"\x0f", "group or an unknown"),
        (b"\x08" + b"\x80" * 10 + b"\x01", "more than ten bytes"),
    ],
)
def test_what_is_no_message_is_an_error(data: bytes, why: str) -> None:
    for read in (parse_message, lambda data: rewrite_message(data, KEEP)):
        with pytest.raises(ProtobufError, match=why):
            read(data)


def test_depth_is_bounded() -> None:
    data = b"\x08\x01"
    for _ in range(200):
        size = len(data)
        data = b"\x0a" + (bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])) + data
    seen: list[bytes] = []
    rewrite_message(data, KEEP._replace(opaque=lambda data: seen.append(data) or data))  # type: ignore[func-returns-value]  # to be short
    assert len(seen) == 1
    assert parse_message(data)


def test_the_number_of_fields_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 100)
    inner = b"\x08\x01" * 30
    data = (b"\x0a" + bytes([len(inner)]) + inner) * 4
    for read in (parse_message, lambda data: rewrite_message(data, KEEP)):
        with pytest.raises(ProtobufError, match="more than"):
            read(data)


@pytest.mark.parametrize(
    ("data", "is_plausible"),
    [
        (struct.pack("<4f", 1.5, -0.25, 0.0, 100.0), True),
        (struct.pack("<2d", 3.14, 1e6), True),
        (b"alicebob", False),
        (b"", False),
        (b"\0\0\xc0\x7f", False),
    ],
)
def test_fractions_look_like_fractions(data: bytes, is_plausible: bool) -> None:
    assert is_fractions(data) is is_plausible


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"\x01\x02\x03", [1, 2, 3]),
        (b"\xe9\x07\xea\x07", [1001, 1002]),
        (b"\x80", None),
        (b"\x80\x00", None),
        (b"\x01\x80\x80\x80\x01", None),
        (b"", None),
    ],
)
def test_packed_integers_are_of_one_size(data: bytes, values: list[int] | None) -> None:
    assert packed_integers(data) == values


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else_and_what_parses_comes_back(data: bytes) -> None:
    try:
        assert rewrite_message(data, KEEP) is data
        parse_message(data)
    except ProtobufError:
        return


@settings(max_examples=200)
@given(
    st.text(max_size=30),
    st.lists(st.text(max_size=30), max_size=3),
    st.binary(max_size=30),
    st.lists(st.integers(0, 1 << 30), max_size=6),
)
def test_rewriting_gives_a_message_that_still_parses(email: str, names: list[str], raw: bytes, ids: list[int]) -> None:
    order = Order(email=email, inner=Order(names=names, raw=raw, ids=ids), raw=raw)
    for leaves in (CHANGE, KEEP._replace(text=lambda text: text * 3), KEEP._replace(text=lambda _: "")):
        Order.FromString(rewrite_message(order.SerializeToString(), leaves._replace(opaque=lambda data: data)))
