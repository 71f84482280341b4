"""Reads this side's values from its answers, and puts them into requests. PURE.

Everything of a request that is no link's value is byte for byte as it was: a JSON body keeps its spelling, numbers stay
numbers and texts texts, headers keep their order and case.
"""

from collections.abc import Iterable, Sequence

from ...capture.codings import CodingError
from ...capture.headers import Headers
from ...capture.model import Request, Response
from . import decodings, urls
from .bodies import Body
from .link import ValueLink
from .place import Place
from .urls import Irreversible

Values = Sequence[tuple[ValueLink, str]]


def value_at(place: Place, message: Request | Response) -> str | None:
    """What stands at `place` of `message`; None where it has no such place, or it does not decode."""
    return values_at((place,), message).get(place)


def values_at(places: Iterable[Place], message: Request | Response) -> dict[Place, str]:
    """What stands at each of `places` of `message`, as far as there is anything. Its body is read once."""
    found: dict[Place, str] = {}
    body: Body | None = None
    for place in places:
        if place.part == "body" and body is None:
            body = Body(message.headers, message.body)
        try:
            text = body.at(place.path) if place.part == "body" and body else _leaf(place, message)
        except (ValueError, RecursionError):
            continue
        value = None if text is None else decodings.followed(text, place.chain)
        if value is not None:
            found[place] = value
    return found


def _leaf(place: Place, message: Request | Response) -> str | None:
    """The text of a leaf outside of the body."""
    match place.part:
        case "header":
            name, _, number = place.path.partition("#")
            found = message.headers.get_all(name)
            at = int(number or 0)
            return found[at] if at < len(found) else None
        case "set-cookie":
            return _set_cookie(message.headers, place.path)
        case "cookie":
            headers = message.headers.get_all("cookie")
            split = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
            return next((value for name, _, value in split if name == place.path), None)
        case "path" | "query" if isinstance(message, Request):
            _, path, query = urls.url_parts(message.target)
            if place.part == "query":
                return urls.pair_at(query[1:].partition("#")[0], place.path)
            return decodings.decoded(path, f"url:path:{place.path}")
    return None


def _set_cookie(headers: Headers, wanted: str) -> str | None:
    """The value of the last cookie of that name: later ones replace earlier ones (RFC 6265, 5.3)."""
    found: str | None = None
    for header in headers.get_all("set-cookie"):
        name, equals, rest = header.partition("=")
        if equals and name.strip() == wanted:
            found = rest.partition(";")[0].strip()
    return found


def replaced(request: Request, links_with_values: Values) -> Request:
    """`request` with each link's value put into its sink. A value that cannot be put (its sink is not there, or its
    coding cannot be undone) leaves its place as it was."""
    target, headers, body = request.target, request.headers, request.body
    by_part: dict[str, dict[str, list[tuple[tuple[str, ...], str]]]] = {}
    for link, value in links_with_values:
        by_part.setdefault(link.sink.part, {}).setdefault(link.sink.path, []).append((link.sink.chain, value))
    for part, leaves in by_part.items():
        if part in ("path", "query"):
            target = _target(request, target, part, leaves)
        elif part in ("header", "cookie"):
            headers = _headers(headers, part, leaves)
    if "body" in by_part:
        body = _body(request, by_part["body"])
        if len(body) != len(request.body) and "content-length" in headers:
            headers = headers.with_value("content-length", str(len(body))) if _has_one_length(headers) else headers
    if (target, headers, body) == (request.target, request.headers, request.body):
        return request
    return Request(request.method, target, headers, body, request.version, request.operation, request.arguments)


def _has_one_length(headers: Headers) -> bool:
    return len(headers.get_all("content-length")) == 1


def _put(text: str, values: Iterable[tuple[tuple[str, ...], str]]) -> str:
    """`text` with values put into it, the last pieces first: a value may hold the separator itself."""
    for chain, value in sorted(values, key=lambda item: [_order(step) for step in item[0]], reverse=True):
        try:
            text = decodings.put(text, chain, value)
        except (Irreversible, ValueError, IndexError):
            continue
    return text


def _order(step: str) -> tuple[str, int, str]:
    head, _, number = step.rpartition(":")
    return (head, int(number), "") if number.isdecimal() else (step, 0, "")


def _target(request: Request, target: str, part: str, leaves: dict[str, list[tuple[tuple[str, ...], str]]]) -> str:
    for path, values in leaves.items():
        head, segments, query = urls.url_parts(target)
        old = value_at(Place(part, path), request)
        if old is None:
            continue
        new = _put(old, values)
        if new == old:
            continue
        if part == "path":
            target = head + urls.with_segment(segments, int(path), new) + query
        else:
            pairs, mark, fragment = query[1:].partition("#")
            target = head + segments + "?" + urls.with_pair(pairs, path, new) + mark + fragment
    return target


def _headers(headers: Headers, part: str, leaves: dict[str, list[tuple[tuple[str, ...], str]]]) -> Headers:
    items = list(headers.items)
    counts: dict[str, int] = {}
    for at, (name, value) in enumerate(items):
        lowered = name.lower()
        number = counts[lowered] = counts.get(lowered, -1) + 1
        if part == "cookie" and lowered == "cookie":
            items[at] = (name, ";".join(_cookie(pair, leaves) for pair in value.split(";")))
        elif part == "header":
            values = leaves.get(f"{lowered}#{number}" if number else lowered)
            if values:
                items[at] = (name, _put(value, values))
    return Headers(items)


def _cookie(pair: str, leaves: dict[str, list[tuple[tuple[str, ...], str]]]) -> str:
    name, equals, value = pair.partition("=")
    values = leaves.get(name.strip())
    if not equals or not values:
        return pair
    bare = value.strip()
    blanks = len(value) - len(value.lstrip())
    return f"{name}={value[:blanks]}{_put(bare, values)}{value[blanks + len(bare) :]}"


def _body(request: Request, leaves: dict[str, list[tuple[tuple[str, ...], str]]]) -> bytes:
    body = Body(request.headers, request.body)
    made: dict[str, str] = {}
    for path, values in leaves.items():
        old = value_at(Place("body", path), request)
        if old is not None:
            new = _put(old, values)
            if new != old:
                made[path] = new
    try:
        return body.with_values(made) if made else request.body
    except (Irreversible, CodingError):
        return request.body
