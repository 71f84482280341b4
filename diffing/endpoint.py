"""Endpoint templates: which segments of a path are names, and which are values.

A segment becomes a placeholder where its own shape says so (number, uuid, hex, date), where its siblings are too many
to be names, or where answers echo it as a value (`/stock/tea-assam` answers `"sku": "tea-assam"`). Two values seen at
one place are no evidence: `/health` and `/search` stay.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import unquote

from ..capture.model import Exchange, Role
from .shapes import shape

MANY_SIBLINGS = 20
"""More different names than this at one place are values; facts: max(20, 0.3 × hits)."""
MAX_SEGMENTS = 30
MAX_NAME = 80
"""A longer segment is no name (and no food for a pattern)."""
MAX_ECHO_BODY = 64 << 10

_VALUE = re.compile(
    r"\d+|(?=.*\d)[A-Za-z0-9]+[-_:.]?[A-Za-z0-9_-]*\d{3,}[A-Za-z0-9_-]*|(?=[^-]*\d)[A-Z]{2,}[-_][A-Z0-9-]*\d[A-Z0-9-]*"
    r"|(?=.*\d)(?=.*[a-zA-Z])[A-Za-z0-9_-]{16,}|[^@]+@[^@]+",
    re.ASCII,
)
_SUFFIX = re.compile(r"\.(?:json|ndjson|jsonld|geojson|xml|csv|tsv|html?|txt|md|ya?ml|atom|rss|ics|pdf)", re.ASCII)
"""A representation's ending: `/orders/17.json` is `/orders/{id}.json`."""
_ECHO = re.compile(rb'"([A-Za-z_][A-Za-z0-9_]{0,40})"\s*:\s*"([^"\\]{2,80})"')

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


def is_value(segment: str) -> bool:
    """Whether a segment, less its ending, is a value by its own shape."""
    text = unquote(without_suffix(segment)[0])
    if len(text) > MAX_NAME:
        return True
    name = shape(text)
    if name in {"uuid", "time", "date", "ulid", "email", "int", "jwt"} or name.startswith("hex"):
        return True
    return bool(_VALUE.fullmatch(text))


class Templates:
    """Learnt over whole captures, so that an endpoint has one name on both sides. Scopes (a downstream's name, or ""
    for the service under test) do not share paths."""

    def __init__(self) -> None:
        self._children: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._echoes: dict[Place, dict[str, str]] = defaultdict(dict)
        self._names: dict[Place, str] = {}
        self._cache: dict[tuple[str, str], tuple[str, tuple[tuple[str, str], ...]]] = {}

    @classmethod
    def learn(cls, exchanges: Iterable[Exchange]) -> "Templates":
        """Templates of every HTTP path in `exchanges`."""
        hits: dict[tuple[str, str], int] = defaultdict(int)
        bodies: dict[tuple[str, str], bytes] = {}
        for exchange in exchanges:
            key = (scope_of(exchange), path_of(exchange.request.target))
            hits[key] += 1
            if key not in bodies and exchange.response and exchange.response.status < 300:
                bodies[key] = exchange.response.body[:MAX_ECHO_BODY]
        templates = cls()
        templates._grow(hits, bodies)
        return templates

    def _grow(self, hits: dict[tuple[str, str], int], bodies: dict[tuple[str, str], bytes]) -> None:
        # Level by level, because a placeholder above decides which siblings stand together below.
        split = [(scope, path.split("/")[1:], (scope, path)) for scope, path in hits]
        split = [entry for entry in split if len(entry[1]) <= MAX_SEGMENTS]
        for depth in range(max((len(segments) for _, segments, _ in split), default=0)):
            level: set[Place] = set()
            for scope, segments, key in split:
                if depth < len(segments) and not is_value(segments[depth]):
                    place = self._above(scope, segments, depth)
                    self._children[place][segments[depth]] += hits[key]
                    self._note_echo(place, segments[depth], bodies.get(key, b""))
                    level.add(place)
            for place in level:
                self._settle(place)

    def _note_echo(self, place: Place, segment: str, body: bytes) -> None:
        # A target comes from a capture: it may hold what no UTF-8 text has.
        wanted = unquote(segment).encode("utf-8", "surrogatepass")
        if wanted and wanted in body:
            for key, value in _ECHO.findall(body):
                if value == wanted:
                    self._echoes[place].setdefault(segment, key.decode("ascii"))
                    return

    def _settle(self, place: Place) -> None:
        children = self._children[place]
        echoes = self._echoes.get(place, {})
        if len(echoes) >= 2 and len(echoes) >= 0.6 * len(children):
            names = sorted(echoes.values())
            self._names[place] = max(names, key=names.count)
        elif len(children) > max(MANY_SIBLINGS, 0.3 * sum(children.values())):
            self._names[place] = "id"

    def _above(self, scope: str, segments: list[str], depth: int) -> Place:
        done: tuple[str, ...] = ()
        for segment in segments[:depth]:
            named = is_value(segment) or (scope, len(segments), done) in self._names
            done = (*done, "{}" + without_suffix(segment)[1] if named else segment)
        return (scope, len(segments), done)

    def split(self, scope: str, target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The template of a target, and its placeholders' names and values in order."""
        path = path_of(target)
        key = (scope, path)
        if key not in self._cache:
            self._cache[key] = self._split(scope, path)
        return self._cache[key]

    def _split(self, scope: str, path: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        segments = path.split("/")[1:]
        if len(segments) > MAX_SEGMENTS:
            return "/" + "/".join(segments[:MAX_SEGMENTS]) + "/…", ()
        shown: list[str] = []
        values: list[tuple[str, str]] = []
        for depth, segment in enumerate(segments):
            name = "id" if is_value(segment) else self._names.get(self._above(scope, segments, depth), "")
            stem, ending = without_suffix(segment)
            shown.append(f"{{{name}}}{ending}" if name else segment)
            if name:
                values.append((name, unquote(stem)))
        return "/" + "/".join(shown), tuple(values)

    def endpoint(self, exchange: Exchange) -> str:
        """`GET /orders/{id}`."""
        template, _ = self.split(scope_of(exchange), exchange.request.target)
        return f"{exchange.request.method} {template}"


def scope_of(exchange: Exchange) -> str:
    """Whose paths an exchange speaks of."""
    return exchange.service if exchange.role is Role.OUTBOUND else ""
