"""What two calls of one SQL statement, Redis command or bus destination are made with.

Arguments are JSON text (docs/format.md). They are brought into a form in which each value has a name and an order that
means nothing is gone; then the same walk that compares bodies compares them.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import orjson

from ...capture.model import Exchange, Request, Withheld
from ..canonical import canonical, canonical_key, within_depth
from ..compare.binary import compare_digests
from ..compare.body import withheld
from ..compare.json import Walk
from ..compare.scalars import Clocks
from ..difference import Difference, child
from ..endpoints.templates import Templates
from ..protocols import DOCUMENTS, SQL, is_event
from ..report.model import Json, Surface
from .documents import compare_documents, without_order
from .key import Key
from .redis_options import named_options

MIN_CONSTANT = 3
"""A value that so many calls of the baseline share is a constant of the code."""

_LIMIT = re.compile(r"\b(?:LIMIT|OFFSET|FETCH\s+(?:FIRST|NEXT))\s+\$(\d+)", re.IGNORECASE)
_IN_LIST = re.compile(r"\bIN\s*\(\s*(\$\d+(?:\s*,\s*\$\d+)*)\s*\)", re.IGNORECASE)
_ROW = r"\(\s*\$\d+(?:\s*,\s*\$\d+)*\s*\)"
_ROWS = re.compile(rf"\bVALUES\s*({_ROW}(?:\s*,\s*{_ROW})+)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_ANY = re.compile(r"\b(?:ANY|ALL|unnest)\s*\(\s*\$(\d+)", re.IGNORECASE)
_MEMBER = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|([^"{},\\]+))([,}])""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_AGAIN = re.compile(r"#\d+\Z")
_KEYS = frozenset({"key", "routing_key"})
_BROKERS = frozenset(
    {
        "ack", "consumer_tag", "delivery_tag", "group", "offset", "partition", "redelivered", "reply_to", "sequence",
        "timestamp",
    }
)  # fmt: skip
"""What a broker or a client library chose."""


def _json(text: str) -> Json:
    """`text` as a value; what is no JSON, or too deep to be walked, stands for itself."""
    if not text:
        return {}
    try:
        value: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"": text}
    return value if within_depth(value) else {"": text}


@lru_cache(maxsize=4096)
def _tables_of(operation: str) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The numbers of the slots of each row of each `VALUES (…), (…)` that a query joins with: a table, so in no order.
    What INSERT writes is in the order in which it is written."""
    if operation[:6].upper() == "INSERT":
        return ()
    return tuple(
        tuple(tuple(map(int, _NUMBER.findall(row))) for row in found[1].split(")")[:-1])
        for found in _ROWS.finditer(operation)
    )


@lru_cache(maxsize=4096)
def _lists_of(operation: str) -> tuple[tuple[tuple[int, ...], ...], frozenset[int], frozenset[int]]:
    """Of a SQL text: the numbers of the slots of each IN list, of arrays whose order means nothing, of limits."""
    lists = tuple(
        tuple(int(slot.strip()[1:]) for slot in found[1].split(",")) for found in _IN_LIST.finditer(operation)
    )
    return (
        lists,
        frozenset(int(found[1]) for found in _ANY.finditer(operation)),
        frozenset(int(found[1]) for found in _LIMIT.finditer(operation)),
    )


def _sorted(values: Iterable[Json]) -> list[Json]:
    return sorted(values, key=canonical_key)


def _statement_arguments(operation: str, text: str) -> Json:
    """By column; the values of an IN list, and the rows of a table of values, as one sorted list."""
    given = _json(text)
    if not isinstance(given, dict):
        return {"": given}
    names = list(given)
    lists, sets, _ = _lists_of(operation)
    for numbers in lists:
        held = [names[number - 1] for number in numbers if number <= len(names)]
        if held:
            given[held[0]] = _sorted(given.pop(name) for name in held)
    for rows in _tables_of(operation):
        tuples = [[given.pop(names[number - 1], None) for number in row if number <= len(names)] for row in rows]
        given[names[rows[0][0] - 1] if rows[0][0] <= len(names) else ""] = _sorted(cast("list[Json]", tuples))
    for number in sets:
        value = given.get(names[number - 1]) if number <= len(names) else None
        members = array_of_text(value) if isinstance(value, str) else value
        if isinstance(members, list):
            given[names[number - 1]] = _sorted(members)
    return given


def array_of_text(text: str) -> list[Json] | None:
    """The members of an array that a client sent as text, `{tea,"a b"}` (PostgreSQL 17 docs, 8.15.6); None for any
    other text, and for arrays of arrays."""
    if text[:1] != "{" or text[-1:] != "}":
        return None
    if text == "{}":
        return []
    members: list[Json] = []
    at = 1
    while found := _MEMBER.match(text, at):
        quoted, plain, end = found.groups()
        members.append(_ESCAPED.sub(r"\1", quoted) if quoted is not None else None if plain == "NULL" else plain)
        at = found.end()
        if end == "}":
            return members if at == len(text) else None
    return None


def arguments_of(call: Exchange) -> Json:
    """The arguments of a call, each value under its name."""
    request = call.request
    if call.protocol in SQL:
        return _statement_arguments(request.operation, request.arguments)
    given = _json(request.arguments)
    if is_event(call):
        return {name: value for name, value in given.items() if name not in _BROKERS} if isinstance(given, dict) else {}
    if call.protocol == DOCUMENTS:
        return without_order(given)
    if call.protocol == "redis":
        return named_options(request.method, given if isinstance(given, list) else [given], request.target)
    return given


def argument_key(call: Exchange) -> bytes:
    """Equal for calls that ask the same."""
    request = call.request
    if call.protocol in SQL or (call.protocol == "redis" and not is_event(call)):
        if call.protocol == "redis" or any(_lists_of(request.operation)[:2]) or _tables_of(request.operation):
            return canonical_key([request.target, arguments_of(call)])
        return request.arguments.encode("utf-8", "surrogatepass")
    if call.protocol == DOCUMENTS:
        return canonical_key([request.target, arguments_of(call)])
    body = _body_key(request)
    kept_back = b"".join(one.digest.encode() for one in call.withheld if one.part == "request.body")
    return body + kept_back + (canonical_key(arguments_of(call)) if is_event(call) else b"")


@lru_cache(maxsize=4096)
def _body_key(request: Request) -> bytes:
    body = canonical(request.body, request.headers)
    return hashlib.sha256(request.target.encode("utf-8", "surrogatepass") + b"\0" + body.key).digest()


class Constants:
    """Which arguments are constants of the baseline's code: the same in each of at least three calls of a key."""

    def __init__(self) -> None:
        self._values: dict[Key, dict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
        self._calls: dict[Key, int] = defaultdict(int)

    def note(self, key: Key, call: Exchange) -> None:
        """One more call of the baseline."""
        self._calls[key] += 1
        given = arguments_of(call)
        if isinstance(given, dict):
            for name, value in given.items():
                held = self._values[key][name]
                if len(held) < 2:
                    held.add(canonical_key(value))

    def holds(self, key: Key, name: str) -> bool:
        """Whether the argument `name` never varies."""
        return self._calls[key] >= MIN_CONSTANT and len(self._values[key].get(name, ())) == 1

    def names(self, key: Key) -> frozenset[str]:
        """The arguments that never vary."""
        return frozenset(name for name in self._values.get(key, ()) if self.holds(key, name))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the comparison of two calls' arguments has to know besides the calls."""

    templates: Templates
    constants: Constants
    unordered: frozenset[str] = frozenset()


def compare_arguments(key: Key, before: Exchange, after: Exchange, asked: Asked) -> list[Difference]:
    """What two calls of `key` are made with, where that differs: `sql.literal_changed`, `sql.argument_changed`,
    `redis.key_changed`, `redis.arg_changed`, `bus.key_changed`, `bus.arg_changed`."""
    kept_back = withheld(before, "request.arguments"), withheld(after, "request.arguments")
    if any(kept_back):
        return _digests(key, kept_back[0], kept_back[1])
    if before.request.arguments == after.request.arguments and before.request.target == after.request.target:
        return []
    walk = Walk(Clocks(before.started_us, after.started_us), asked.unordered, key.surface)
    old, new = arguments_of(before), arguments_of(after)
    if before.protocol == DOCUMENTS:
        return compare_documents(old, new, walk, asked.constants.names(key))
    if key.surface is Surface.SQL:
        return _slots(key, before, walk, (old, new), asked)
    if key.surface is Surface.REDIS:
        return [*_redis_key(before, after, asked), *(_kind(one, "arg_changed") for one in walk.run(old, new))]
    found = walk.run(old, new)
    return [_kind(one, "key_changed" if (one.path or "")[2:] in _KEYS else "arg_changed") for one in found]


def _digests(key: Key, before: Withheld | None, after: Withheld | None) -> list[Difference]:
    """Of arguments that were kept back only size and digest are known; on one side only, nothing."""
    if before is None or after is None:
        return []
    changed = compare_digests((before.digest, before.size), (after.digest, after.size), "withheld arguments' digest")
    kind = "argument_changed" if key.surface is Surface.SQL else "arg_changed"
    return [replace(changed, surface=key.surface, kind=kind, inner=changed.kind)] if changed else []


def _kind(one: Difference, kind: str) -> Difference:
    return replace(one, kind=kind, inner=one.kind)


def _slots(key: Key, before: Exchange, walk: Walk, both: tuple[Json, Json], asked: Asked) -> list[Difference]:
    """By slot, so that it is known which of them the baseline's code holds itself."""
    old, new = both
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [_kind(one, "argument_changed") for one in walk.run(old, new)]
    given = _json(before.request.arguments)
    names = list(given) if isinstance(given, dict) else []
    limits = {names[number - 1] for number in _lists_of(before.request.operation)[2] if number <= len(names)}
    found: list[Difference] = []
    for name in {**old, **new}:
        part = Walk(walk.clocks, walk.unordered, walk.surface)
        shown = _AGAIN.sub("", name)
        first: Json = {shown: old[name]} if name in old else {}
        second: Json = {shown: new[name]} if name in new else {}
        constant = name in limits or asked.constants.holds(key, name)
        kind = "literal_changed" if constant else "argument_changed"
        found.extend(_kind(one, kind) for one in part.run(first, second))
    return found


def _redis_key(before: Exchange, after: Exchange, asked: Asked) -> list[Difference]:
    """`redis.key_changed` for each value in the key that is another one."""
    old, new = asked.templates.key_values(before), asked.templates.key_values(after)
    found: list[Difference] = []
    for (name, first), (_, second) in zip(old, new, strict=False):
        walk = Walk(Clocks(before.started_us, after.started_us), surface=Surface.REDIS)
        found.extend(_kind(one, "key_changed") for one in walk.run(first, second, child("key", name)))
    return found
