"""What a Redis database holds, as tables: one a key template, a row a key.

Two sides never read their keys in the same instant, so a time to live is told as a class, and an id within a key
leaves its place open in the table's name. Of a value that is too large the hash is told.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from ...capture.errors import CouldNotCheck
from ...capture.wire.redis.answers import json_of, shaped
from ...capture.wire.redis.commands import command
from ...capture.wire.redis.texts import Json, label, name, text
from ...capture.wire.redis.values import Cut, Fault, Value
from .redis_link import RedisLink
from .tables import TableState

COLUMNS = ("key", "type", "ttl", "value")
_TYPES = ("text", "text", "text", "json")
_MOST_KEYS = 200_000
_MOST_TEMPLATES = 1_000
_PAGE = 200
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_ID = re.compile(r"\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|.*@.*|(?=.*\d)\w{20,}")


async def state_of(link: RedisLink, number: int, limit: int) -> list[TableState]:
    """The keys of a database by template, templates and keys in order; at most `limit` rows a template."""
    keys = sorted(await _keys(link, number))
    tables: dict[str, list[bytes]] = {}
    for key in keys:
        template = template_of(key)
        tables.setdefault(template if len(tables) < _MOST_TEMPLATES else "*", []).append(key)
    return [await _table(link, number, template, held, limit) for template, held in sorted(tables.items())]


def template_of(key: bytes) -> str:
    """A key with its ids left open: `user:42:cart` is `user:*:cart`."""
    return "".join("*" if _ID.fullmatch(part) else part for part in re.split(r"([:/|.])", label(key)[:200]))


def ttl_class(milliseconds: Value) -> str:
    """A PTTL as none, seconds, minutes, hours or days."""
    if not isinstance(milliseconds, int) or milliseconds < 0:
        return "none"
    for bound, word in ((_MINUTE, "seconds"), (_HOUR, "minutes"), (_DAY, "hours")):
        if milliseconds < bound:
            return word
    return "days"


async def _keys(link: RedisLink, number: int) -> set[bytes]:
    found: set[bytes] = set()
    cursor = b"0"
    while len(found) < _MOST_KEYS:
        page = await link.run(number, ["SCAN", cursor, "COUNT", str(_PAGE)])
        if not isinstance(page, list) or len(page) != 2 or not isinstance(page[1], list):
            raise CouldNotCheck(f"the keys of Redis database {number} cannot be listed", "look for very long keys")
        found.update(key for key in page[1] if isinstance(key, bytes))
        cursor = page[0] if isinstance(page[0], bytes) else b"0"
        if cursor == b"0":
            break
    return found


async def _table(link: RedisLink, number: int, template: str, keys: Sequence[bytes], limit: int) -> TableState:
    kept, rest = keys[:limit], keys[limit:]
    asked = await link.run_all(number, [[word, key] for key in kept for word in ("TYPE", "PTTL")])
    kinds = [label(kind) if isinstance(kind, bytes) else "" for kind in asked[::2]]
    values = await link.run_all(number, [_reading(kind, key) for kind, key in zip(kinds, kept, strict=True)])
    rows = [
        [text(key), kind, ttl_class(ttl), _shown(kind, key, value)]
        for key, kind, ttl, value in zip(kept, kinds, asked[1::2], values, strict=True)
        if kind not in ("", "none")
    ]
    digest = hashlib.blake2b(b"\n".join(rest), digest_size=16).hexdigest() if rest else ""
    return TableState(template, COLUMNS, _TYPES, ("key",), rows, len(rows) + len(rest), digest)


def _reading(kind: str, key: bytes) -> list[str | bytes]:
    read: dict[str, list[str | bytes]] = {
        "string": ["GET", key],
        "hash": ["HGETALL", key],
        "list": ["LRANGE", key, "0", "-1"],
        "set": ["SMEMBERS", key],
        "zset": ["ZRANGE", key, "0", "-1", "WITHSCORES"],
        "stream": ["XRANGE", key, "-", "+"],
    }
    return read.get(kind, ["DUMP", key])


def _shown(kind: str, key: bytes, value: Value) -> Json:
    """A value as JSON, under names wherever there are any."""
    if isinstance(value, Cut):
        return {"size": value.size, "hash": value.digest}
    if isinstance(value, Fault) or value is None:
        return None
    shown: Callable[[bytes, Any], Json] = _SHOWN.get(kind, _opaque)
    return shown(key, value)


def _members(_: bytes, value: list[Value]) -> Json:
    return sorted((json_of(each) for each in value), key=str)


def _scored(_: bytes, value: list[Value]) -> Json:
    return [[json_of(value[at]), json_of(value[at + 1])] for at in range(0, len(value) - 1, 2)]


def _fields(_: bytes, value: list[Value]) -> Json:
    pairs = sorted(zip(value[::2], value[1::2], strict=False), key=str)
    flat = [each for pair in pairs for each in pair]
    return shaped(command([b"HGETALL"]), [], flat)


def _opaque(_: bytes, value: Value) -> Json:
    return {"hash": hashlib.blake2b(value if isinstance(value, bytes) else b"", digest_size=16).hexdigest()}


_SHOWN: dict[str, Callable[[bytes, Any], Json]] = {
    "string": lambda key, value: {name(key): text(value)},
    "hash": _fields,
    "list": lambda _, value: json_of(value),
    "set": _members,
    "zset": _scored,
    "stream": lambda _, value: shaped(command([b"XRANGE"]), [], value),
}
