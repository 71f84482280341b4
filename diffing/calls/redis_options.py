"""A Redis command's arguments by name, and one form for two spellings of one wish: SETEX is SET with EX, PX 300000 is
EX 300. Source: the syntax lines of the Redis 7 command reference; the form of the arguments is docs/format.md's."""

import orjson

from ..canonical import within_depth
from ..report.model import Json

_TIMED = {"SETEX": "EX", "PSETEX": "PX"}
_WITH_VALUE = frozenset({"EX", "PX", "EXAT", "PXAT"})
_FLAGS = frozenset({"NX", "XX", "KEEPTTL", "GET", "GT", "LT"})
_EXPIRIES = {"EXPIRE": "EX", "PEXPIRE": "PX", "EXPIREAT": "EXAT", "PEXPIREAT": "PXAT"}
_MILLISECONDS = {"PX": "EX", "PXAT": "EXAT"}
_SETTING = frozenset({"SET", "SETEX", "PSETEX", "SETNX", "GETSET", "APPEND"})
MAX_NESTED = 1 << 20


def named_options(method: str, arguments: list[Json], key: str) -> dict[str, Json]:
    """The arguments after the key, by name: a value's as `value`, a field's as its name, a lifetime's as `EX` (seconds)
    or `EXAT`, the rest by their place. Text that holds a JSON object or array is taken for that."""
    command = method.upper()
    rest = arguments[1:] if arguments and arguments[0] == key else list(arguments)
    if command in _SETTING:
        return _setting(command, rest)
    if command in _EXPIRIES and rest:
        return {**_lifetime(_EXPIRIES[command], rest[0]), **_options(rest[1:])}
    return _options(rest)


def _setting(command: str, rest: list[Json]) -> dict[str, Json]:
    value: Json
    if rest and isinstance(rest[0], dict) and len(rest[0]) == 1 and "b64" not in rest[0]:
        # The value stands under its key's name.
        (value,), options = rest[0].values(), rest[1:]
    elif command in _TIMED:
        value, options = (rest[1] if len(rest) > 1 else None), rest[:1]
    else:
        value, options = (rest[0] if rest else None), rest[1:]
    if command in _TIMED:
        options = [_TIMED[command], *options]
    return {"value": _read(value), **_options(options)}


def _options(words: list[Json]) -> dict[str, Json]:
    named: dict[str, Json] = {}
    place = 0
    while place < len(words):
        word = words[place]
        name = word.upper() if isinstance(word, str) else ""
        if name in _WITH_VALUE and place + 1 < len(words):
            named.update(_lifetime(name, words[place + 1]))
            place += 1
        elif name in _FLAGS:
            named[name] = True
        elif isinstance(word, dict) and "b64" not in word:
            named.update({field: _read(value) for field, value in word.items()})
        else:
            named[f"argument{place + 1}"] = _read(word)
        place += 1
    return named


def _lifetime(name: str, value: Json) -> dict[str, Json]:
    number = _number(value)
    if name not in _MILLISECONDS:
        return {name: value if number is None else number}
    if number is None:
        return {_MILLISECONDS[name]: value}
    return {_MILLISECONDS[name]: number // 1000 if number % 1000 == 0 else number / 1000}


def _number(value: Json) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 18 else None


def _read(value: Json) -> Json:
    if not isinstance(value, str) or value[:1] not in ("{", "[") or len(value) > MAX_NESTED:
        return value
    try:
        nested: Json = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return nested if within_depth(nested) else value
