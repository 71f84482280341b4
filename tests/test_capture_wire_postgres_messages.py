"""Bytes into messages, and messages into values."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.messages import (
    MOST_KEPT,
    Column,
    Framer,
    Handler,
    Malformed,
    int4_at,
    parse_bind,
    parse_fields,
    parse_parameter_description,
    parse_parse,
    parse_row_description,
    parse_startup,
    values_at,
)
from support import pg_messages as pg


def test_parse_and_bind() -> None:
    assert parse_parse(pg.parse("SELECT $1", "s", (23, 0))[5:]) == ("s", b"SELECT $1", (23, 0))
    bound = parse_bind(pg.bind(b"1", None, portal="p", name="s", formats=(1, 0), results=(1,))[5:])
    assert (bound.portal, bound.statement, bound.formats) == ("p", "s", (1, 0))
    assert (bound.values, bound.result_formats) == ((b"1", None), (1,))


def test_server_messages() -> None:
    columns = (Column("id", 23, 0), Column("ä", 25, 1))
    assert parse_row_description(write.row_description(columns)[5:]) == columns
    assert parse_parameter_description(write.parameter_description((23, 4_000_000_000))[5:]) == (23, 4_000_000_000)
    assert parse_fields(write.error({"S": "ERROR", "C": "42P01"})[5:]) == {"S": "ERROR", "C": "42P01"}
    assert values_at(write.data_row([b"x", None])[5:])[0] == (b"x", None)
    assert parse_startup(pg.startup(user="a", database="b")[8:]) == {"user": "a", "database": "b"}


@pytest.mark.parametrize(
    "read", [parse_parse, parse_bind, parse_row_description, parse_parameter_description, values_at]
)
@given(body=st.binary(max_size=40))
def test_any_body_is_read_or_malformed(read: object, body: bytes) -> None:
    assert callable(read)
    try:
        read(body)
    except Malformed:
        return


def test_an_integer_that_is_cut_is_malformed() -> None:
    with pytest.raises(Malformed):
        int4_at(b"\0\0\0", 0)


@given(st.lists(st.tuples(st.sampled_from(b"QPBE"), st.binary(max_size=30)), max_size=8), st.data())
def test_messages_do_not_depend_on_how_bytes_are_cut(messages: list[tuple[int, bytes]], data: st.DataObject) -> None:
    raw = b"".join(write.message(bytes((kind,)), body) for kind, body in messages)
    framer = Framer()
    seen = []
    while raw:
        size = data.draw(st.integers(1, len(raw)))
        seen += list(framer.feed(raw[:size]))
        raw = raw[size:]
    assert seen == [(kind, body, len(body)) for kind, body in messages]


@pytest.mark.parametrize("piece", [100, 5000, 1 << 20, 1 << 23])
def test_a_message_too_long_to_be_held_is_told_by_its_head(piece: int) -> None:
    body = b"x" * (MOST_KEPT + 1)
    raw = write.message(b"D", body) + write.message(b"Z", b"I")
    framer = Framer()
    seen = [told for at in range(0, len(raw), piece) for told in framer.feed(raw[at : at + piece])]
    assert [(kind, len(head), size) for kind, head, size in seen] == [(68, 1024, len(body)), (90, 1, 1)]


def test_an_impossible_length_is_malformed() -> None:
    with pytest.raises(Malformed):
        list(Framer().feed(b"Q\0\0\0\3"))


@given(
    bodies=st.lists(st.tuples(st.sampled_from(b"QSXD"), st.binary(max_size=30)), max_size=8),
    cuts=st.lists(st.integers(0, 300), max_size=6),
)
def test_dispatch_gives_each_message_to_its_handler_wherever_the_stream_is_split(
    bodies: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(bytes([kind]) + (len(body) + 4).to_bytes(4) + body for kind, body in bodies)
    marks = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    told: list[tuple[int, bytes, int, int]] = []

    def handler(kind: int) -> Handler:
        return lambda body, size, at_us: told.append((kind, body, size, at_us))

    framer = Framer()
    for start, end in pairwise(marks):
        framer.dispatch(stream[start:end], {kind: handler(kind) for kind in b"QSXD"}, 7)
    assert told == [(kind, body, len(body), 7) for kind, body in bodies]


@pytest.mark.parametrize("stream", [b"?\0\0\0\4", b"Q\0\0\0\3"])
def test_dispatch_of_what_is_no_message(stream: bytes) -> None:
    with pytest.raises(Malformed):
        Framer().dispatch(stream, {ord("Q"): lambda *_: None}, 0)


def test_dispatch_of_a_message_that_is_not_held() -> None:
    told: list[tuple[int, int]] = []
    framer = Framer()
    framer.dispatch(b"D" + (MOST_KEPT + 5).to_bytes(4) + bytes(MOST_KEPT + 1), _sizes(told), 0)
    framer.dispatch(b"D\0\0\0\5x", _sizes(told), 0)
    assert [size for _, size in told] == [MOST_KEPT + 1, 1]
    assert told[0][0] < MOST_KEPT


def _sizes(told: list[tuple[int, int]]) -> dict[int, Handler]:
    return {ord("D"): lambda body, size, _: told.append((len(body), size))}
