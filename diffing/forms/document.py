"""JSON texts as values, and values as keys: what is equal has one key, whatever its spelling.

orjson is quick, and wrong in two ways that a differ must not be: it rounds integers past 64 bit and drops a repeated
key. Texts that may hold either take the standard library's way. Depth is bounded for both.
"""

import json

import orjson

from ..report.model import Json

MAX_DEPTH = 200
_LONG_NUMBER = b"0" * 19
_DIGITS = bytes(ord("0") if 48 <= byte <= 57 else 32 for byte in range(256))
"""Every digit as "0", so that a long number is found by a search for plain bytes: a tenth of a pattern's time."""
_ORJSON_DEPTH = 254
_SPARE_DEPTH = _ORJSON_DEPTH - MAX_DEPTH
"""orjson serialises so many levels and no more: what it takes within `_SPARE_DEPTH` lists nests at most `MAX_DEPTH`
deep, and no walk is needed to know it."""


def parse_json(body: bytes, charset: str) -> tuple[Json, bytes, str]:
    """The value, its key where that came for free, or why there is none. orjson rounds integers past 64 bit and drops
    a repeated key: bodies that may hold either take the slow way, and so do those nested deeper than `MAX_DEPTH`."""
    if charset == "utf-8" and not _holds_long_integer(body):
        try:
            parsed: Json = orjson.loads(body)
            # Fewer brackets than levels cannot nest too deep.
            is_flat = body.count(b"{") + body.count(b"[") <= MAX_DEPTH
            key = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS) if is_flat else _key_within_depth(parsed)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            key = b""
        # Fewer quotation marks than the body has: a key came twice (or a quote is spelled \u0022).
        if key and key.count(b'"') == body.count(b'"'):
            return parsed, key, ""
    parsed, why = _parse_slowly(body, charset)
    return parsed, b"", why


def _key_within_depth(value: Json) -> bytes:
    """The key of a value that nests at most `MAX_DEPTH` deep; JSONEncodeError for any other."""
    for _ in range(_SPARE_DEPTH):
        value = [value]
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)[_SPARE_DEPTH:-_SPARE_DEPTH]


def _holds_long_integer(body: bytes) -> bool:
    """Whether a row of 19 digits stands anywhere but in a fraction."""
    digits = body.translate(_DIGITS)
    start = digits.find(_LONG_NUMBER)
    while start > 0 and body[start - 1 : start] == b".":
        end = digits.find(b" ", start)
        start = digits.find(_LONG_NUMBER, end) if end >= 0 else -1
    return start >= 0


def _parse_slowly(body: bytes, charset: str) -> tuple[Json, str]:
    text = decoded_text(body, charset)
    try:
        parsed: Json = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_pairs, parse_int=_int)
    except RecursionError:
        return None, "nested too deep"
    except ValueError as error:
        return None, str(error).split(":", 1)[0]
    return parsed, ""


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    for key, value in pairs:
        name, count = key, 1
        while name in fields and count < 100:
            count += 1
            name = f"{key}#{count}"
        fields[name] = value
    return fields


def _int(digits: str) -> int | str:
    # Past 4,300 digits Python refuses, and so will every reader.
    return int(digits) if len(digits) < 4_000 else digits


def within_depth(value: Json, limit: int = MAX_DEPTH) -> bool:
    """Whether `value` nests at most `limit` deep. Breadth first, so that no stack is at risk."""
    level: list[Json] = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        below: list[Json] = []
        for item in level:
            # By exact type: what a parser made has no other, and this line sees every leaf.
            inner = item.values() if isinstance(item, dict) else item
            below += [one for one in inner if type(one) is dict or type(one) is list]  # type: ignore[union-attr]  # containers only
        if not below:
            return True
        level = below
    return False


def canonical_key(value: Json) -> bytes:
    """Equal exactly where two values are equal and their numbers are spelled as the same type."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=True).encode()


def spelled_alike(one: Json, other: Json) -> bool:
    """Whether two values that Python finds equal are spelled as the same types: 1 == 1.0 == True."""
    try:
        # Mostly their members come in one order, too, and sorting is half of the work.
        if orjson.dumps(one) == orjson.dumps(other):
            return True
    except orjson.JSONEncodeError:
        pass
    return canonical_key(one) == canonical_key(other)


def decoded_text(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return body.decode("latin-1")
