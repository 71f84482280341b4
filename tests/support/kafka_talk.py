"""Pieces of Kafka conversations, written from the protocol's documentation."""

import zlib
from collections.abc import Sequence
from typing import Any

Piece = tuple[str, bytes]
Pair = tuple[bytes | None, bytes | None]


def i16(value: int) -> bytes:
    return value.to_bytes(2, signed=True)


def i32(value: int) -> bytes:
    return value.to_bytes(4, signed=True)


def i64(value: int) -> bytes:
    return value.to_bytes(8, signed=True)


def string(value: str | None) -> bytes:
    return i16(-1) if value is None else i16(len(value.encode())) + value.encode()


def data(value: bytes | None) -> bytes:
    return i32(-1) if value is None else i32(len(value)) + value


def varint(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _counted(value: bytes | None) -> bytes:
    return varint(-1) if value is None else varint(len(value)) + value


def batch(
    *pairs: Pair, base: int = 0, coding: int = 0, pack: Any = bytes, headers: Sequence[tuple[str, bytes]] = ()
) -> bytes:
    """A record batch of version 2."""
    said = varint(len(headers)) + b"".join(_counted(name.encode()) + _counted(value) for name, value in headers)
    records = b""
    for number, (key, value) in enumerate(pairs):
        record = b"\0" + varint(0) + varint(number) + _counted(key) + _counted(value) + said
        records += varint(len(record)) + record
    inner = (
        i16(coding) + i32(len(pairs) - 1) + i64(0) * 2 + i64(-1) + i16(-1) + i32(-1) + i32(len(pairs)) + pack(records)
    )
    body = i32(0) + b"\x02" + i32(0) + inner
    return i64(base) + i32(len(body)) + body


def message(magic: int, offset: int, key: bytes | None, value: bytes | None, coding: int = 0) -> bytes:
    """A message of version 0 or 1."""
    inner = bytes((magic, coding)) + (i64(1) if magic else b"") + data(key) + data(value)
    body = zlib.crc32(inner).to_bytes(4) + inner
    return i64(offset) + i32(len(body)) + body


def request(api: int, version: int, correlation: int, body: bytes) -> Piece:
    frame = i16(api) + i16(version) + i32(correlation) + string("app") + body
    return "client", i32(len(frame)) + frame


def response(correlation: int, body: bytes) -> Piece:
    frame = i32(correlation) + body
    return "server", i32(len(frame)) + frame


def _topics(each: dict[tuple[str, int], bytes]) -> bytes:
    return i32(len(each)) + b"".join(
        string(topic) + i32(1) + i32(partition) + body for (topic, partition), body in each.items()
    )


def produce(correlation: int, each: dict[tuple[str, int], bytes], *, acks: int = -1, version: int = 8) -> Piece:
    start = string(None) if version >= 3 else b""
    body = start + i16(acks) + i32(1000) + _topics({place: data(raw) for place, raw in each.items()})
    return request(0, version, correlation, body)


def produced(correlation: int, each: dict[tuple[str, int], tuple[int, int]], *, version: int = 8) -> Piece:
    more = (i64(-1) if version >= 2 else b"") + (i64(0) if version >= 5 else b"")
    more += i32(0) + string(None) if version >= 8 else b""
    body = _topics({place: i16(code) + i64(offset) + more for place, (code, offset) in each.items()})
    return response(correlation, body + (i32(0) if version >= 1 else b""))


def fetch(correlation: int, each: dict[tuple[str, int], int], *, version: int = 11) -> Piece:
    start = i32(-1) + i32(500) + i32(1)
    start += (i32(1 << 20) if version >= 3 else b"") + (b"\0" if version >= 4 else b"")
    start += i32(0) * 2 if version >= 7 else b""
    parts = {}
    for place, offset in each.items():
        epoch = i32(-1) if version >= 9 else b""
        parts[place] = epoch + i64(offset) + (i64(0) if version >= 5 else b"") + i32(1 << 20)
    end = (i32(0) if version >= 7 else b"") + (string("") if version >= 11 else b"")
    return request(1, version, correlation, start + _topics(parts) + end)


def fetched(correlation: int, each: dict[tuple[str, int], bytes], *, version: int = 11) -> Piece:
    start = (i32(0) if version >= 1 else b"") + (i16(0) + i32(0) if version >= 7 else b"")
    parts = {}
    for place, raw in each.items():
        more = i16(0) + i64(9)
        more += (i64(9) + (i64(0) if version >= 5 else b"") + i32(0)) if version >= 4 else b""
        parts[place] = more + (i32(-1) if version >= 11 else b"") + data(raw)
    return response(correlation, start + _topics(parts))


def compact(value: str | None) -> bytes:
    return b"\0" if value is None else bytes((len(value.encode()) + 1,)) + value.encode()


def _flexible_topics(each: dict[tuple[str, int], bytes]) -> bytes:
    return bytes((len(each) + 1,)) + b"".join(
        compact(topic) + b"\x02" + i32(partition) + body + b"\0\0" for (topic, partition), body in each.items()
    )


def commit(correlation: int, each: dict[tuple[str, int], int], *, version: int = 7) -> Piece:
    if version >= 8:
        start = b"\0" + compact("g") + i32(1) + compact("m") + compact(None)
        parts = {place: i64(offset) + i32(-1) + compact("") for place, offset in each.items()}
        return request(8, version, correlation, start + _flexible_topics(parts) + b"\0")
    start = string("g") + (i32(1) + string("m") if version >= 1 else b"")
    start += (string(None) if version >= 7 else b"") + (i64(-1) if 2 <= version <= 4 else b"")
    parts = {}
    for place, offset in each.items():
        parts[place] = i64(offset) + (i32(-1) if version >= 6 else b"") + (i64(1) if version == 1 else b"") + string("")
    return request(8, version, correlation, start + _topics(parts))


def committed(correlation: int, each: dict[tuple[str, int], int], *, version: int = 7) -> Piece:
    parts = {place: i16(code) for place, code in each.items()}
    if version >= 8:
        return response(correlation, b"\0" + i32(0) + _flexible_topics(parts) + b"\0")
    return response(correlation, (i32(0) if version >= 3 else b"") + _topics(parts))


def metadata(correlation: int, *brokers: tuple[int, str, int], version: int = 8) -> Piece:
    body = i32(0) if version >= 3 else b""
    body += i32(len(brokers))
    for node, host, port in brokers:
        body += i32(node) + string(host) + i32(port) + (string(None) if version >= 1 else b"")
    return response(correlation, body + string("cluster") + i32(1) + i32(0))
