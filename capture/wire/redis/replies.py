"""Recorded answers as replies again: the way back from `answers.body_of`, for a client that may speak another RESP.

Redis itself answers some commands with other types in RESP2 and RESP3; a reply recorded in the one is turned into what
the other would have been.
"""

import orjson

from .commands import Args, Command, upper
from .encode import RESP3, number_text
from .texts import Json, data
from .values import NULL_ARRAY, BigNumber, Fault, Map, Push, Set, Simple, Value, Verbatim

_ENTRIES = frozenset({"streams", "entries"})
_BY_NAMES = frozenset({"keys", "fields"})
_MAPS = frozenset({"pairs", "settings"})
_SETS = frozenset({"SMEMBERS", "SINTER", "SUNION", "SDIFF"})
_DOUBLES = frozenset({"ZSCORE", "ZINCRBY", "GEODIST"})
_STRINGS: dict[str, type[bytes]] = {"simple": Simple, "bulk": bytes, "bignum": BigNumber, "verbatim": Verbatim}
_LISTS: dict[str, type[list[Value]]] = {"array": list, "map": Map, "set": Set, "push": Push}


class Unusable(ValueError):
    """The body is no answer of this command's."""


def value_of(known: Command, args: Args, body: bytes, resp: str, protocol: int) -> Value:
    """The reply that `body` was recorded of, its type by the header `resp` ("": by what it looks like), as a client of
    `protocol` (2 or 3) is told it. Raises Unusable where the body is none: nothing at all (it was too large), or not of
    that type."""
    try:
        json = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unusable("no JSON") from None
    return _turned(known, args, _value(known, json, resp or _guessed(known, json)), protocol)


def fault_of(body: bytes, reason: str) -> Fault:
    """The error that `body` was recorded of; `reason` is its code."""
    try:
        json = orjson.loads(body)
    except orjson.JSONDecodeError:
        json = None
    said = json.get("error") if isinstance(json, dict) else None
    text = data(said) if said else (reason or "ERR").encode() + b" recorded error"
    return Fault(text if text[:1].isupper() else b"ERR " + text)


def _value(known: Command, json: Json, resp: str) -> Value:
    if known.shape in ("key", "field") and isinstance(json, dict) and json.keys() != {"b64"}:
        json = next(iter(json.values()), None)
    if resp == "null":
        return None
    if resp == "null-array":
        return NULL_ARRAY
    if resp in _STRINGS:
        return _STRINGS[resp](data(json))
    if resp in _LISTS:
        return _list(known, json, resp)
    return _number(json, resp)


def _guessed(known: Command, json: Json) -> str:
    if known.shape in ("key", "field") and isinstance(json, dict) and json.keys() != {"b64"}:
        json = next(iter(json.values()), None)
    if isinstance(json, dict) and json.keys() != {"b64"}:
        return "array" if known.shape in _BY_NAMES else "map"
    kinds = {list: "array", bool: "bool", int: "int", float: "double", type(None): "null"}
    return kinds.get(type(json), "bulk")


def _number(json: Json, resp: str) -> Value:
    try:
        if resp == "int":
            return int(json)
        if resp == "double":
            return float(json)
    except (TypeError, ValueError, OverflowError):
        raise Unusable("no number") from None
    if resp == "bool" and isinstance(json, bool):
        return json
    raise Unusable("no type of RESP")


def _list(known: Command, json: Json, resp: str) -> Value:
    entries = known.shape in _ENTRIES
    if isinstance(json, dict):
        values: list[Value] = []
        for key, each in json.items():
            if known.shape not in _BY_NAMES:
                values.append(data(key))
            values.append(_nested(each, entries))
    elif isinstance(json, list):
        values = [_nested(each, entries) for each in json]
    else:
        raise Unusable("no array")
    if resp == "map" and len(values) % 2:
        raise Unusable("no map")
    return _LISTS[resp](values)


def _nested(json: Json, entries: bool) -> Value:
    """`entries` says that objects are the fields of a stream's entry, which are an array in either RESP."""
    if isinstance(json, list):
        return [_nested(each, entries) for each in json]
    if isinstance(json, dict):
        if json.keys() == {"b64"}:
            return data(json)
        if json.keys() == {"error"}:
            return Fault(data(json["error"]))
        flat: list[Value] = []
        for key, each in json.items():
            flat += [data(key), _nested(each, entries)]
        return flat if entries else Map(flat)
    return json if json is None or isinstance(json, (bool, int, float)) else data(json)


def _turned(known: Command, args: Args, value: Value, protocol: int) -> Value:
    """A value as the command is answered in `protocol`."""
    if type(value) is list:
        return _to_new(known, args, value) if protocol >= RESP3 else _to_old(args, value)
    if isinstance(value, Map) and protocol < RESP3 and known.shape == "streams":
        return [list(pair) for pair in zip(value[::2], value[1::2], strict=True)]
    if type(value) is bytes and protocol >= RESP3 and known.method in _DOUBLES:
        return _double(value)
    return value


def _to_new(known: Command, args: Args, value: list[Value]) -> Value:
    if known.shape in _MAPS and not len(value) % 2:
        return Map(value)
    if known.shape == "streams" and all(isinstance(each, list) and len(each) == 2 for each in value):
        return Map([each for pair in value if isinstance(pair, list) for each in pair])
    if known.method in _SETS:
        return Set(value)
    if _with_scores(args) and value and all(type(each) is bytes for each in value) and not len(value) % 2:
        return [[value[at], _double(value[at + 1])] for at in range(0, len(value), 2)]
    return value


def _to_old(args: Args, value: list[Value]) -> Value:
    """Members with scores, which RESP3 has in pairs, are a flat array in RESP2."""
    if not _with_scores(args) or not all(_is_scored(each) for each in value):
        return value
    return [
        number_text(each) if isinstance(each, float) else each
        for pair in value
        if isinstance(pair, list)
        for each in pair
    ]


def _is_scored(value: Value) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], (int, float))


def _with_scores(args: Args) -> bool:
    return len(args) > 1 and b"WITHSCORES" in map(upper, args[2:])


def _double(value: Value) -> Value:
    try:
        return float(value) if isinstance(value, bytes) else value
    except ValueError:
        return value
