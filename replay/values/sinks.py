"""The places of a request that may hold what an answer said, and what each of them takes. PURE."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from ...capture.headers import Headers
from ...capture.model import Request
from ...capture.sanitize.vocabulary import words as word_set
from . import expanding, names, urls, walk
from .bodies import JSON, Body
from .decodings import MAX_STEPS
from .expanding import Inner
from .names import LONGEST_NAME
from .place import Place
from .telling import STRONG, WEAK, strength

MOST = 400
"""Values taken from one request."""
MOST_LEAVES = 3_000
"""Leaves of a request's body that are looked at: the first ones."""
_MOST_BELOW = 48
"""Values within one leaf."""
_LONGEST = 16 << 10
_REMEMBERED = 1024

ANY = "*"
"""The key of a value that tells where it came from by itself."""
UNSURE = names.UNSURE

_DULL = word_set(
    "host user-agent accept accept-encoding accept-language accept-charset content-type content-length "
    "content-encoding transfer-encoding connection cache-control pragma origin referer traceparent tracestate "
    "baggage date te trailer expect upgrade keep-alive range via forwarded dnt priority if-unmodified-since "
    "proxy-connection upgrade-insecure-requests x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port "
    "x-real-ip x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled b3 x-amzn-trace-id "
    "x-cloud-trace-context x-requested-with cookie"
)
TAG = "etag:"
FIELD = "field:"
_TAGS = frozenset({"if-match", "if-none-match", "if-range"})
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "x-authorization"})


@dataclass(slots=True)
class Sink:
    """A value in a leaf of a request, `chain` steps below it. `keys` are under what an answer must hold it, best first;
    none where only what lies `below` may be a link. The same text in the same sort of place is one sink in all
    requests."""

    value: str
    keys: tuple[str, ...]
    telling: int
    chain: tuple[str, ...] = ()
    below: tuple["Sink", ...] = ()

    def walk(self) -> Iterator["Sink"]:
        """This one and all below."""
        yield self
        for inner in self.below:
            yield from inner.walk()


class Target(NamedTuple):
    """What a request's path says: the path, its segments, the nouns that it is about (best first), and whether it ends
    in a collection's name rather than in an element's."""

    path: str
    segments: tuple[Inner, ...]
    about: tuple[str, ...]
    is_collection: bool


Wants = Callable[["Sink"], bool]
MakeSink = Callable[[str, tuple[str, ...], tuple[str, ...]], "Sink | None"]


def target_of(target: str) -> Target:
    """`target` read."""
    return _known_target(target) if len(target) <= _REMEMBERED else _target_of(target)


def _target_of(target: str) -> Target:
    path = urls.url_parts(target[:_LONGEST])[1].partition("#")[0].rstrip("/")
    segments = tuple(expanding.segments(path))
    about: list[str] = []
    is_collection = False
    for number in range(len(segments) - 1, -1, -1):
        segment = segments[number]
        is_id = bool(segment.noun and _is_value(segment.text)) or not names.is_noun(segment.text)
        if number == len(segments) - 1:
            is_collection = not is_id
        one = "" if is_id else names.noun(segment.text)
        if one and one not in about:
            about.append(one)
        if len(about) == 2:
            break
    return Target(path, segments, tuple(about), is_collection)


_known_target = lru_cache(maxsize=16_384)(_target_of)


def _is_value(segment: str) -> bool:
    return strength(segment) > WEAK or any(map(str.isdigit, segment))


class Sinks:
    """Reads requests. `wants` is asked of each sink, and those that it wants are given with their places: a place is
    written only then."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Sink | None] = {}

    def of(self, request: Request, wants: Wants) -> list[tuple[Place, Sink]]:
        """The wanted sinks of `request`, the outermost ones, at most `MOST`."""
        reading = _Reading(self._sink, target_of(request.target), wants)
        reading.path()
        reading.query(request.target)
        reading.headers(request.headers)
        if request.body:
            reading.body(request)
        return reading.found

    def _sink(self, value: str, keys: tuple[str, ...], about: tuple[str, ...]) -> Sink | None:
        which = (value, keys, about)
        try:
            return self._made[which]
        except KeyError:
            made = _made(value, keys, about, (), [_MOST_BELOW])
            if made is not None or len(value) <= _REMEMBERED:
                self._made[which] = made
            return made


class _Reading:
    """One request that is read."""

    def __init__(self, sink: MakeSink, target: Target, wants: Wants) -> None:
        self.found: list[tuple[Place, Sink]] = []
        self._sink = sink
        self._target = target
        self._wants = wants

    def path(self) -> None:
        for segment in self._target.segments:
            if segment.noun or strength(segment.text) > WEAK:
                number = segment.step.rpartition(":")[2]
                self._leaf("path", number, segment.text, _segment_keys(segment))

    def query(self, target: str) -> None:
        query = urls.url_parts(target[:_LONGEST])[2] if "?" in target else ""
        for name, value, path in urls.pairs_of(query[1:].partition("#")[0]) if query else ():
            self._leaf("query", path, value, names.sink_keys(name[:LONGEST_NAME], self._target.about))

    def headers(self, headers: Headers) -> None:
        counts: dict[str, int] = {}
        for raw_name, value in headers.items:
            name = raw_name.lower()
            if name == "cookie":
                self._cookies(value)
            if name in _DULL or name.startswith(("sec-", ":")) or len(value) > _LONGEST or not value:
                continue
            number = counts[name] = counts.get(name, -1) + 1
            where = f"{name}#{number}" if number else name
            if name in _TAGS:
                self._tags(where, value)
            elif name == "if-modified-since":
                self._leaf("header", where, value, (f"modified:{self._target.path}",))
            elif name in _CREDENTIALS:
                inner = expanding.scheme_of(value)
                text, chain = (value, ()) if inner is None else (inner.text, (inner.step,))
                self._leaf("header", where, text, ("credential",), chain)
            else:
                self._leaf("header", where, value, names.sink_keys(name[:LONGEST_NAME].removeprefix("x-"), ()))

    def _tags(self, where: str, value: str) -> None:
        """Entity tags are of one resource: those of two empty lists are equal by chance."""
        pieces = value.split(",")[:32] if value.count('"') > 2 else [value]
        for number, piece in enumerate(pieces):
            chain = (f"split:,:{number}",) if len(pieces) > 1 else ()
            self._leaf("header", where, piece.strip(), (f"{TAG}{self._target.path}",), chain)

    def _cookies(self, header: str) -> None:
        for pair in header[:_LONGEST].split(";")[:100]:
            name, equals, value = pair.strip().partition("=")
            if equals and value:
                self._leaf("cookie", name, value, (f"cookie:{name}", *names.sink_keys(name[:LONGEST_NAME], ())))

    def body(self, request: Request) -> None:
        body = Body(request.headers, request.body)
        about = self._target.about
        if body.kind != JSON:
            for leaf in body.leaves()[:MOST_LEAVES]:
                keys = names.sink_keys(leaf.name[:LONGEST_NAME], about) if leaf.name else ()
                # A page's field that is sent back as it was. Words are choices that every page offers.
                is_given = leaf.field and any(map(str.isdigit, leaf.text))
                self._leaf("body", leaf.path, leaf.text, (f"{FIELD}{leaf.field}", *keys) if is_given else keys)
            return
        about = _asked_for(body) or about
        for spot, key, value in islice(walk.leaves(body.document), MOST_LEAVES):
            above = walk.holder_of(spot, key).container()
            entities = (above.name,) if above.name else (above.general,) if above.in_array else about
            text = value if isinstance(value, str) else str(value)
            sink = self._sink(text, names.sink_keys(walk.name_of(spot, key), entities), about)
            if sink is not None and self._wants(sink) and len(self.found) < MOST:
                self.found.append((Place("body", walk.path_of(spot, key)), sink))

    def _leaf(self, part: str, path: str, value: str, keys: tuple[str, ...], chain: tuple[str, ...] = ()) -> None:
        sink = self._sink(value, keys, self._target.about)
        if sink is not None and self._wants(sink) and len(self.found) < MOST:
            self.found.append((Place(part, path, chain), sink))


def _asked_for(body: Body) -> tuple[str, ...]:
    """What a GraphQL request is about, by the name of its operation."""
    document = body.document
    if isinstance(document, dict) and isinstance(document.get("query"), str):
        operation = document.get("operationName")
        one = names.entity(operation[:LONGEST_NAME]) if isinstance(operation, str) else ""
        return (one,) if one else ()
    return ()


def _segment_keys(segment: Inner) -> tuple[str, ...]:
    return (f"at:{segment.above}", *names.slot_keys(segment.noun)) if segment.noun else ()


def _made(
    value: str, keys: tuple[str, ...], about: tuple[str, ...], chain: tuple[str, ...], left: list[int]
) -> Sink | None:
    """The sink of `value`, or None where there is nothing to look for. `left` counts down what may lie below."""
    telling = strength(value)
    own = keys
    if telling > WEAK or not value.isdigit() or value in ("0", "1"):
        keys = tuple(key for key in keys if key != UNSURE)
    if telling == STRONG or (telling > WEAK and not (keys and keys[0].startswith(TAG))):
        keys = (*keys, ANY)
    below: list[Sink] = []
    for inner in expanding.inner_of(value) if len(chain) < MAX_STEPS else ():
        left[0] -= 1
        if left[0] < 0:
            break
        if not inner.step.startswith("jwt"):
            made = _made(inner.text, _inner_keys(inner, own, about), about, (*chain, inner.step), left)
            if made is not None:
                below.append(made)
    if not keys and not below:
        return None
    return Sink(value, keys, telling, chain, tuple(below))


def _inner_keys(inner: Inner, own: tuple[str, ...], about: tuple[str, ...]) -> tuple[str, ...]:
    if inner.above:
        return _segment_keys(inner)
    if inner.name:
        return names.sink_keys(inner.name[:LONGEST_NAME], (inner.noun,) if inner.noun else about)
    if inner.noun:
        return names.slot_keys(inner.noun)
    return own if expanding.keeps_meaning(inner.step) else ()
