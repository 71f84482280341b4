"""Endpoint templates: which segments of a path are names, and which are values.

A segment becomes a placeholder where a recorded OpenAPI document or its own shape says so (number, uuid, hex, date),
where its siblings are too many to be names, where answers echo it as a value (`/stock/tea-assam` answers
`"sku": "tea-assam"`), or where what is answered under it and its siblings is alike. Two names at one place are no
evidence by themselves: `/health` and `/search` stay, and `/orders/search` stays beside `/orders/{id}`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote

from ...capture.model import Exchange, Role
from ..operation import key_of_path, key_path, shortened, shown_statement
from ..protocols import SQL, is_event, is_state
from ..shapes import shape
from .openapi import Documented, document_paths
from .siblings import Answer, is_route_word, values_among

MANY_SIBLINGS = 20
"""More different names than this at one place are values; facts: max(20, 0.3 × hits)."""
MANY_KEYS = 4
"""Of a Redis key, whose parts after the first are values as a rule, however often each is asked for."""
MAX_SEGMENTS = 30
MAX_NAME = 80
"""A longer segment is no name (and no food for a pattern)."""
MAX_ECHO_BODY = 64 << 10
MAX_ANSWERS = 12
"""Answers of one path, and under one name, that are looked at."""
MAX_KNOWN = 24
MAX_ECHOED = 200
"""Siblings whose answers are searched for them."""
MAX_CACHED = 20_000
"""Paths that are kept split: a capture may ask for a hundred thousand."""
MAX_TARGET = 1_000

_VALUE = re.compile(
    r"\d+|(?=.*\d)[A-Za-z0-9]+[-_:.]?[A-Za-z0-9_-]*\d{3,}[A-Za-z0-9_-]*|(?=[^-]*\d)[A-Z]{2,}[-_][A-Z0-9-]*\d[A-Z0-9-]*"
    r"|(?=.*\d)(?=.*[a-zA-Z])[A-Za-z0-9_-]{16,}|[^@]+@[^@]+",
    re.ASCII,
)
_UNROUTED = re.compile(r"[\s@+|'\"<>\\]|[\x80-\ud7ff\ue000-\U0010ffff]")
"""What stands in names of people and things, and in no route."""
_SUFFIX = re.compile(r"\.(?:json|ndjson|jsonld|geojson|xml|csv|tsv|html?|txt|md|ya?ml|atom|rss|ics|pdf)", re.ASCII)
"""A representation's ending: `/orders/17.json` is `/orders/{id}.json`."""
_SEPARATOR = re.compile(r"[^./]+")
"""One part of a destination: AMQP's "exchange/routing.key", a subject of NATS, a topic."""
_SAME_COMMAND = {
    "EVALSHA": "EVAL",
    "HMSET": "HSET",
    "PEXPIRE": "EXPIRE",
    "PEXPIREAT": "EXPIREAT",
    "PSETEX": "SET",
    "SETEX": "SET",
}
_ECHO = re.compile(rb'"([A-Za-z_][A-Za-z0-9_]{0,40})"\s*:\s*"([^"\\]{2,80})"')

Asked = tuple[str, str]
Place = tuple[str, int, tuple[str, ...]]
"""Scope, number of segments, and the templated segments above: siblings share all three."""


def path_of(target: str) -> str:
    """The path of a request target, in origin or absolute form, without its query."""
    if target[:1] != "/" and "://" in target:
        rest = target.split("://", 1)[1]
        target = "/" + rest.split("/", 1)[1] if "/" in rest else "/"
    return target.split("?", 1)[0].split("#", 1)[0]


def without_suffix(segment: str) -> tuple[str, str]:
    """A segment and the ending that names its representation ("17", ".json"), which may be empty."""
    stem, dot, ending = segment.rpartition(".")
    if stem and _SUFFIX.fullmatch(dot + ending):
        return stem, dot + ending
    return segment, ""


@lru_cache(maxsize=16_384)
def is_value(segment: str) -> bool:
    """Whether a segment, less its ending, is a value by its own shape."""
    text = unquote(without_suffix(segment)[0])
    if len(text) > MAX_NAME:
        return True
    name = shape(text)
    if name in {"uuid", "time", "date", "ulid", "email", "int", "jwt"} or name.startswith("hex"):
        return True
    return bool(_VALUE.fullmatch(text) or _UNROUTED.search(text))


class _Siblings:
    """The names that stand at one place: how often each was asked for, and what was answered."""

    def __init__(self) -> None:
        self.hits: dict[str, int] = defaultdict(int)
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.known: list[Answer] = []

    def note(self, name: str, hits: int, answers: Iterable[Answer]) -> None:
        """One more path with `name`."""
        self.hits[name] += hits
        self.answers[name].extend(islice(answers, MAX_ANSWERS - len(self.answers[name])))

    def note_known(self, answers: Iterable[Answer]) -> None:
        """One more path with what is a value by its own shape."""
        self.known.extend(islice(answers, MAX_KNOWN - len(self.known)))

    def echoes(self) -> dict[str, str]:
        """The names that an answer holds as a text, with the member that it is."""
        found: dict[str, str] = {}
        for name, answers in islice(self.answers.items(), MAX_ECHOED):
            wanted = unquote(name).encode("utf-8", "surrogatepass")
            for one in answers:
                body = one.body[:MAX_ECHO_BODY] if one.status < 300 else b""
                # A target comes from a capture: it may hold what no UTF-8 text has.
                if wanted and wanted in body and name not in found:
                    member = next((key for key, value in _ECHO.findall(body) if value == wanted), None)
                    found.update({name: member.decode("ascii")} if member else {})
        return found


def _documented_values(template: tuple[str, ...], segments: list[str]) -> Iterator[tuple[str, str]]:
    for wanted, segment in zip(template, segments, strict=True):
        before, brace, rest = wanted.partition("{")
        if brace:
            name, _, after = rest.partition("}")
            yield name, unquote(segment[len(before) : len(segment) - len(after)])


class Templates:
    """Learnt over whole captures, so that an endpoint has one name on both sides. Scopes (a downstream's name, or ""
    for the service under test) do not share paths."""

    def __init__(self) -> None:
        self._values: dict[Place, tuple[str, frozenset[str]]] = {}
        self._documented: dict[str, Documented] = {}
        self._statements: dict[str, str] = {}
        self._keyed: set[str] = set()
        self._cache: dict[tuple[str, str], tuple[str, tuple[tuple[str, str], ...]]] = {}

    @classmethod
    def learn(cls, exchanges: Iterable[Exchange]) -> "Templates":
        """Templates of every HTTP path and Redis key in `exchanges`, and one spelling of each SQL text."""
        hits: dict[Asked, int] = defaultdict(int)
        seen: dict[Asked, dict[tuple[str, int], bytes]] = defaultdict(dict)
        documents: dict[str, list[str]] = defaultdict(list)
        templates = cls()
        for exchange in exchanges:
            if exchange.protocol == "http":
                key = (scope_of(exchange), path_of(exchange.request.target))
                hits[key] += 1
                if exchange.response:
                    answer = (exchange.request.method, exchange.response.status)
                    if answer not in seen[key] and len(seen[key]) < MAX_ANSWERS:
                        seen[key][answer] = exchange.response.body
                        documents[key[0]] += document_paths(exchange)
            elif exchange.protocol == "redis" and not is_event(exchange):
                hits[scope_of(exchange), key_path(exchange.request.target)] += 1
                templates._keyed.add(scope_of(exchange))
            elif exchange.protocol in SQL:
                templates._note_statement(exchange)
        templates._documented = {scope: Documented(paths) for scope, paths in documents.items() if paths}
        # Keys come after paths: what is a value in a path is one in a key, too.
        templates._grow({key: count for key, count in hits.items() if key[0] not in templates._keyed}, seen)
        known = frozenset(unquote(one) for _, values in templates._values.values() for one in values)
        templates._grow({key: count for key, count in hits.items() if key[0] in templates._keyed}, {}, known)
        return templates

    def _note_statement(self, exchange: Exchange) -> None:
        """One text for one fingerprint: the shortest of those seen, then the first in the alphabet."""
        name, text = fingerprint(exchange), shown_statement(exchange.request.operation)
        held = self._statements.get(name)
        if held is None or (len(text), text) < (len(held), held):
            self._statements[name] = text

    def _grow(
        self,
        hits: dict[Asked, int],
        seen: dict[Asked, dict[tuple[str, int], bytes]],
        known: frozenset[str] = frozenset(),
    ) -> None:
        # Level by level, because a placeholder above decides which siblings stand together below.
        split = [(scope, path.split("/")[1:], (scope, path)) for scope, path in hits]
        split = [entry for entry in split if len(entry[1]) <= MAX_SEGMENTS]
        for depth in range(max((len(segments) for _, segments, _ in split), default=0)):
            level: dict[Place, _Siblings] = defaultdict(_Siblings)
            for scope, segments, key in split:
                if depth >= len(segments):
                    continue
                siblings = level[self._above(scope, segments, depth)]
                if is_value(segments[depth]):
                    siblings.note_known(self._answers(scope, segments, depth, seen.get(key, {})))
                else:
                    siblings.note(segments[depth], hits[key], self._answers(scope, segments, depth, seen.get(key, {})))
            for place, siblings in level.items():
                if siblings.hits:
                    self._settle(place, siblings, known)

    def _answers(
        self, scope: str, segments: list[str], depth: int, seen: dict[tuple[str, int], bytes]
    ) -> Iterable[Answer]:
        """What one path was answered with, as evidence on its segment at `depth`."""
        rest = "/".join("{}" if is_value(one) else one for one in segments[depth + 1 :])
        return (Answer(method, rest, status, body) for (method, status), body in seen.items())

    def _settle(self, place: Place, siblings: "_Siblings", known: frozenset[str]) -> None:
        """Which of the siblings are values, and what they are called; `known` are values of other places."""
        scope, _, above = place
        names = siblings.hits
        echoes = siblings.echoes()
        if len(echoes) >= 2 and len(echoes) >= 0.6 * min(len(names), MAX_ECHOED):
            called = sorted(echoes.values())
            values = frozenset(name for name in names if name in echoes or not is_route_word(name))
            self._values[place] = (max(called, key=called.count), values)
        elif len(names) > self._most_names(place, sum(names.values())):
            kept = names if scope in self._keyed else [name for name in names if not is_route_word(name)]
            self._values[place] = ("id", frozenset(kept))
        elif scope in self._keyed:
            found = {name for name in names if above and unquote(name) in known}
            if found:
                self._values[place] = ("id", frozenset(found))
        else:
            found = values_among(siblings.answers, above[-1] if above else "", siblings.known)
            if found:
                self._values[place] = ("id", frozenset(found))

    def _most_names(self, place: Place, hits: int) -> float:
        """How many siblings may be names: of a key's parts after the first fewer than of a path's."""
        scope, _, above = place
        return MANY_KEYS if scope in self._keyed and above else max(MANY_SIBLINGS, 0.3 * hits)

    def _above(self, scope: str, segments: list[str], depth: int) -> Place:
        done: tuple[str, ...] = ()
        for segment in segments[:depth]:
            named = is_value(segment) or bool(self._name(segment, (scope, len(segments), done)))
            done = (*done, "{}" + without_suffix(segment)[1] if named else segment)
        return (scope, len(segments), done)

    def _name(self, segment: str, place: Place) -> str:
        """What the value `segment` at `place` is called; "" for one that is no value as far as was seen."""
        name, values = self._values.get(place, ("", frozenset()))
        return name if segment in values else ""

    def split(self, scope: str, target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The template of a target, and its placeholders' names and values in order."""
        path = path_of(target)
        key = (scope, path)
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            found = self._cache[key] = self._split(scope, path)
        return found

    def _split(self, scope: str, path: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        segments = path.split("/")[1:]
        if len(segments) > MAX_SEGMENTS:
            return "/" + "/".join(segments[:MAX_SEGMENTS]) + "/…", ()
        documented = self._documented[scope].template(tuple(segments)) if scope in self._documented else ()
        if documented:
            return "/" + "/".join(documented), tuple(_documented_values(documented, segments))
        shown: list[str] = []
        values: list[tuple[str, str]] = []
        for depth, segment in enumerate(segments):
            place = self._above(scope, segments, depth)
            # One placeholder a place: a sku with digits and one without are both a {sku}.
            name = self._values.get(place, ("id",))[0] if is_value(segment) else self._name(segment, place)
            stem, ending = without_suffix(segment)
            shown.append(f"{{{name}}}{ending}" if name else segment)
            if name:
                values.append((name, unquote(stem)))
        return "/" + "/".join(shown), tuple(values)

    def endpoint(self, exchange: Exchange) -> str:
        """What is asked: `GET /orders/{id}`, `shop.Cart/Add`, a SQL text, `GET user:{id}:cart`, `consume orders.new`;
        for a final state what it is the state of."""
        request = exchange.request
        if exchange.protocol == "http":
            return f"{request.method} {self.split(scope_of(exchange), request.target)[0]}"
        if is_state(exchange):
            return request.target
        if exchange.protocol in SQL:
            return self.statement(exchange)
        if is_event(exchange):
            return f"{request.method.lower()} {destination(request.target)}".strip()
        if exchange.protocol == "redis":
            return f"{command_of(exchange)} {self.key_template(exchange)}".strip()
        return request.operation or request.target.lstrip("/") or request.method

    def statement(self, exchange: Exchange) -> str:
        """The SQL text that stands for all calls of the exchange's fingerprint."""
        name = fingerprint(exchange)
        return shortened(self._statements.get(name) or shown_statement(exchange.request.operation), name)

    def key_template(self, exchange: Exchange) -> str:
        """`user:{id}:cart`."""
        return key_of_path(self.split(scope_of(exchange), key_path(exchange.request.target))[0])

    def key_values(self, exchange: Exchange) -> tuple[tuple[str, str], ...]:
        """The placeholders of a Redis key with their values, in order."""
        return self.split(scope_of(exchange), key_path(exchange.request.target))[1]


def scope_of(exchange: Exchange) -> str:
    """Whose paths an exchange speaks of."""
    return exchange.service if exchange.role is Role.OUTBOUND else ""


def fingerprint(exchange: Exchange) -> str:
    """A SQL call's fingerprint; the text itself where the recorder made none."""
    return exchange.request.headers.get("fingerprint") or shown_statement(exchange.request.operation)


def command_of(exchange: Exchange) -> str:
    """A Redis call's command, one word for one wish: a value with a lifetime is set, whichever command says so, and a
    script is called the same by its text and by its hash."""
    command = (exchange.request.operation or exchange.request.method).upper()
    return _SAME_COMMAND.get(command, command)


@lru_cache(maxsize=8192)
def destination(target: str) -> str:
    """A topic, subject or queue with the parts that are values replaced: `orders.{id}.created`."""
    return _SEPARATOR.sub(lambda part: "{id}" if is_value(part[0]) else part[0], target[:MAX_TARGET])
