"""Records: every exchange comes back as it was; whatever else is handed in is refused as BadRecord."""

import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Ask, Exchange, Link, LinkKind, Request, Response
from seamline.capture.store import records
from seamline.capture.store.records import (
    BadRecord,
    decode_ask,
    from_record,
    pack_exchange,
    to_record,
    unpack_exchange,
)
from support.captures import EXCHANGES, an_exchange


def framed(head: bytes, tail: bytes = b"") -> bytes:
    return records.PREFIX.pack(len(head), len(tail)) + head + tail


def as_array(exchange: Exchange) -> list[Any]:
    return list(to_record(exchange))


@given(EXCHANGES)
def test_an_exchange_comes_back_as_it_was(exchange: Exchange) -> None:
    assert unpack_exchange(pack_exchange(exchange)) == exchange
    assert from_record(to_record(exchange)) == exchange


def test_enumerations_come_back_as_themselves() -> None:
    back = unpack_exchange(pack_exchange(an_exchange(links=(Link("t-9", LinkKind.LANE, 1),))))
    assert back.role is an_exchange().role
    assert back.links[0].how is LinkKind.LANE
    assert isinstance(back.links[0].confidence, float)


def test_a_shorter_array_is_filled_with_defaults() -> None:
    record = as_array(an_exchange())[:9]
    assert from_record(record) == an_exchange(response=None)


def test_a_longer_array_is_read_as_far_as_it_is_known() -> None:
    record = [*as_array(an_exchange()), "of a later version", (1, 2)]
    record[8] = (*record[8], "also later")
    record[9] = (*record[9], "also later")
    assert from_record(record) == an_exchange()


WRONG = {
    "id in capitals": (0, "ABC"),
    "id with a path": (0, "../etc"),
    "id as a number": (0, 5),
    "negative seq": (1, -1),
    "seq as a flag": (1, True),
    "unknown role": (2, "sideways"),
    "role as a list": (2, []),
    "service as bytes": (4, b"orders"),
    "start beyond the calendar": (6, 1 << 60),
    "latency as text": (7, "1"),
    "request as text": (8, "GET"),
    "request too short": (8, ("GET", "/")),
    "headers that are not paired": (8, ("GET", "/", ["a"], b"", "1.1")),
    "headers as one text": (8, ("GET", "/", "ab", b"", "1.1")),
    "headers that are not text": (8, ("GET", "/", ["a", 1], b"", "1.1")),
    "body as text": (8, ("GET", "/", [], "body", "1.1")),
    "body longer than the tail": (8, ("GET", "/", [], 5, "1.1")),
    "body of negative length": (8, ("GET", "/", [], -5, "1.1")),
    "status as text": (9, ("200", [], b"", "", "1.1")),
    "status out of range": (9, (1000, [], b"", "", "1.1")),
    "unknown failure": (10, ("exploded", "")),
    "confidence above one": (11, (("t-1", "time", 1.5),)),
    "confidence not a number": (11, (("t-1", "time", float("nan")),)),
    "parent that is no id": (11, (("<b>", "time", 0.5),)),
    "unknown link": (11, (("t-1", "guess", 0.5),)),
    "origin that is no id": (12, "A B"),
    "truncated as a number": (13, 1),
    "withheld too short": (15, (("request.body", 1),)),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_malformed_record_is_refused(case: str) -> None:
    place, value = WRONG[case]
    record = as_array(an_exchange())
    record[place] = value
    with pytest.raises(BadRecord):
        from_record(record)


@pytest.mark.parametrize("record", [None, 5, "text", [], ["a"] * 8, {}])
def test_what_is_no_array_is_refused(record: object) -> None:
    with pytest.raises(BadRecord):
        from_record(record)


@pytest.mark.parametrize(
    "exchange",
    [
        an_exchange(id="Not-Fit"),
        an_exchange(origin=""),
        an_exchange(seq=-1),
        an_exchange(started_us=1 << 60),
        an_exchange(latency_us=1 << 60),
        an_exchange(response=Response(1000, Headers())),
        an_exchange(links=(Link("no id", LinkKind.TIME, 0.5),)),
        an_exchange(request=Request("GET", "/", Headers([("a", "b")] * 5000))),
        an_exchange(request=Request("GET", "/" + "x" * (1 << 20), Headers())),
        an_exchange(request=Request("GET", "/", Headers(), bytes((48 << 20) + 1))),
    ],
    ids=["id", "origin", "seq", "start", "latency", "status", "link", "headers", "head", "body"],
)
def test_the_writer_refuses_what_a_reader_would(exchange: Exchange) -> None:
    with pytest.raises(BadRecord):
        pack_exchange(exchange)


def test_a_refused_exchange_leaves_the_next_one_whole() -> None:
    with pytest.raises(BadRecord):
        pack_exchange(an_exchange(service=object()))
    assert unpack_exchange(pack_exchange(an_exchange(1))) == an_exchange(1)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_exchange_or_a_bad_record(raw: bytes) -> None:
    for candidate in (raw, framed(raw), framed(raw, b"tail")):
        try:
            assert isinstance(unpack_exchange(candidate), Exchange)
        except BadRecord:
            continue


@given(EXCHANGES, st.data())
def test_a_changed_byte_is_an_exchange_or_a_bad_record(exchange: Exchange, data: st.DataObject) -> None:
    raw = bytearray(pack_exchange(exchange))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert isinstance(unpack_exchange(bytes(raw)), Exchange)
    except BadRecord:
        return


BOMBS = {
    "small arrays": b"\x91\xc0" * (1 << 19),
    "deep nesting": b"\x91" * (1 << 20),
    "a map": b"\x81\xa1a\x01",
    "empty maps": b"\xdc\x10\x00" + b"\x80" * 4096,
    "a huge array's head": b"\xdd\xff\xff\xff\xff",
    "a huge text's head": b"\xdb\xff\xff\xff\xff",
    "many arrays of many": (b"\xdc\x20\x00" + (b"\xdc\x00\x40" + b"\x91\xc0" * 64) * 8192)[: 1 << 20],
    "an extension": b"\xd4\x01\x00",
    "a timestamp": msgpack.packb(msgpack.Timestamp(1, 2)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_bounded_memory(name: str) -> None:
    raw = framed(BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(BadRecord):
            unpack_exchange(raw)
        assert tracemalloc.get_traced_memory()[1] < 96 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("head", "tail"), [(2 << 20, 0), (0, 64 << 20), (10, 10)])
def test_a_length_beyond_the_limit_or_the_bytes_is_refused(head: int, tail: int) -> None:
    with pytest.raises(BadRecord):
        unpack_exchange(records.PREFIX.pack(head, tail) + b"short")


def test_bytes_after_a_record_are_refused() -> None:
    with pytest.raises(BadRecord, match="after"):
        unpack_exchange(pack_exchange(an_exchange()) + b"x")


def test_a_tail_that_no_body_claims_is_refused() -> None:
    head = records.pack_head(as_array(an_exchange()))
    with pytest.raises(BadRecord, match="fill"):
        unpack_exchange(framed(head, b"unclaimed"))


def ask_of(exchange: Exchange) -> Ask:
    """The same by way of the whole exchange."""
    e = exchange
    return Ask(
        e.id, e.seq, e.role, e.protocol, e.service, e.session, e.started_us, e.request, e.status, e.truncated, e.withheld,
        e.links,
    )  # fmt: skip


def decoded_ask(raw: bytes) -> Ask:
    head, tail, end = records.record_bounds(raw, 0)
    return decode_ask(raw, head, tail, end)


@given(EXCHANGES)
def test_an_ask_is_the_exchange_without_its_answer(exchange: Exchange) -> None:
    assert decoded_ask(pack_exchange(exchange)) == ask_of(exchange)


@given(EXCHANGES, st.data())
def test_an_ask_of_changed_bytes_is_the_exchanges_or_a_bad_record(exchange: Exchange, data: st.DataObject) -> None:
    raw = bytearray(pack_exchange(exchange))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        ask = decoded_ask(bytes(raw))
    except BadRecord:
        with pytest.raises(BadRecord):
            unpack_exchange(bytes(raw))
        return
    try:
        whole = unpack_exchange(bytes(raw))
    except BadRecord:
        # What is wrong with the answer is nothing to an ask.
        return
    assert ask == ask_of(whole)


@pytest.mark.parametrize("record", [5, [1], {"a": 1}, None])
def test_an_ask_of_something_else_is_a_bad_record(record: object) -> None:
    with pytest.raises(BadRecord):
        decoded_ask(framed(msgpack.packb(record)))


def test_equal_headers_are_one_object_unless_they_are_large() -> None:
    def twice(headers: Headers) -> list[Headers]:
        raw = pack_exchange(an_exchange(request=Request("GET", "/", headers)))
        return [unpack_exchange(raw).request.headers for _ in range(2)]

    first, second = twice(Headers([("A", "b")]))
    assert first is second
    first, second = twice(Headers([("A", "b" * 5000)]))
    assert first == second
    assert first is not second
