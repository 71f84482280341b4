"""Replies as JSON. The way back is `replies`.

Where the request names what it asks for, the answer is an object of those names, so that a sanitizer and a differ know
what each value is. The header `resp` keeps the wire's type.
"""

from typing import Any

import orjson

from ...headers import Headers
from .commands import Args, Command, is_secret
from .texts import Json, exact, mapping, name, text
from .values import (
    TYPES,
    Cut,
    Fault,
    Map,
    NullArray,
    Simple,
    Value,
)

_HEADERS = {kind: Headers((("content-type", "application/json"), ("resp", name))) for kind, name in TYPES.items()}
_OK = (b'"OK"', _HEADERS[Simple])
# What nearly every write is answered with.


def body_of(known: Command, args: Args, value: Value) -> tuple[bytes, Headers]:
    """A reply's body and headers. What was too large has no body, and its size and hash in the headers; what is a
    credential has none either."""
    kind = type(value)
    if kind is Simple and value == b"OK":
        return _OK
    if isinstance(value, Cut):
        return b"", cut_headers(value)
    headers = _HEADERS[kind]
    if known.shape == "secret" and kind is not Fault:
        return b"", Headers((*headers.items, ("withheld", "credentials")))
    return orjson.dumps(shaped(known, args, value)), headers


def cut_headers(cut: Cut) -> Headers:
    """What is said of a reply that was too large."""
    return Headers((("resp", cut.kind), ("size", str(cut.size)), ("hash", cut.digest)))


def json_of(value: Value) -> Json:
    """A reply as JSON without any names from outside."""
    if isinstance(value, bytes):
        return _string(value)
    if isinstance(value, list):
        return _many(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(1 << 63) <= value < 1 << 64 else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return None if isinstance(value, (NullArray, Cut)) else value


def _string(value: bytes) -> Json:
    return {"error": text(fault_text(value))} if isinstance(value, Fault) else text(value)


def _many(value: list[Value]) -> Json:
    json = [json_of(each) for each in value]
    if isinstance(value, Map):
        return _object(json)
    return json


def _object(json: list[Json]) -> Json:
    """Names and values in turn as an object; as they are where that would lose something."""
    keys = json[::2]
    if len(json) % 2 or not exact(keys) or keys in (["b64"], ["error"]):
        return json
    return dict(zip(keys, json[1::2], strict=True))


def shaped(known: Command, args: Args, value: Value) -> Json:
    """A reply as JSON, under the names that the request or the command itself gives its parts."""
    shape = known.shape
    if isinstance(value, Fault):
        return _string(value)
    if not shape:
        return json_of(value)
    json = json_of(value)
    if shape == "key" or shape == "field":  # noqa: PLR1714 - this is the hot path
        place = 1 if shape == "key" else 2
        if len(args) <= place:
            return json
        label = name(args[place])
        return json if label == "b64" or label == "error" else {label: json}  # noqa: PLR1714 - as above
    if not isinstance(value, list):
        return json
    return _SHAPES[shape](args, value, json)


def _keys(args: Args, value: list[Value], json: Json) -> Json:
    return _by_names(args[1:], json)


def _fields(args: Args, value: list[Value], json: Json) -> Json:
    return _by_names(args[2:], json)


def _by_names(names: Args, json: Json) -> Json:
    if not isinstance(json, list) or len(names) != len(json):
        return json
    made = mapping([each if isinstance(each, bytes) else None for each in names], json)
    return json if made is None else made


def _pairs(args: Args, value: list[Value], json: Json) -> Json:
    return _object(json) if isinstance(json, list) else json


def _settings(args: Args, value: list[Value], json: Json) -> Json:
    return _object(
        [None if place % 2 and is_secret(value[place - 1]) else json_of(each) for place, each in enumerate(value)]
    )


def _streams(args: Args, value: list[Value], json: Json) -> Json:
    if isinstance(json, dict):
        return {stream: _each_entry(entries) for stream, entries in json.items()}
    if isinstance(value, Map):
        return [_each_entry(each) if place % 2 else each for place, each in enumerate(json)]
    return [[each[0], _each_entry(each[1])] if _is_pair(each) else each for each in json]


def _entries(args: Args, value: list[Value], json: Json) -> Json:
    # XAUTOCLAIM has its entries behind a cursor.
    if len(value) in (2, 3) and isinstance(value[0], bytes) and isinstance(json[1], list):
        return [json[0], _each_entry(json[1]), *json[2:]]
    return _each_entry(json)


def _each_entry(json: Json) -> Json:
    """A stream's entries, each an id and its fields in turn: the fields as an object."""
    if not isinstance(json, list):
        return json
    return [[each[0], _object(each[1])] if _is_pair(each) and isinstance(each[1], list) else each for each in json]


def _is_pair(json: Json) -> bool:
    return isinstance(json, list) and len(json) == 2


_SHAPES: dict[str, Any] = {
    "keys": _keys,
    "fields": _fields,
    "pairs": _pairs,
    "settings": _settings,
    "streams": _streams,
    "entries": _entries,
}


def fault_text(fault: bytes) -> bytes:
    """An error's text without the arguments that Redis quotes of a command it does not know: they could be anything."""
    head, found, _ = fault.partition(b", with args beginning with:")
    return head if found else bytes(fault)
