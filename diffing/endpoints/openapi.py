"""Paths that a service documents itself: an OpenAPI or Swagger document among its recorded answers.

Such a document knows better than any statistics which segments are parameters. It is untrusted all the same: bounded in
size and number, and a path that it does not list is treated as if there were none.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from urllib.parse import urlsplit

import orjson

from ...capture.model import Exchange

MAX_DOCUMENT = 8 << 20
MAX_PATHS = 2_000
MAX_SEGMENTS = 30
_ANY = "{}"
_MARKS = (b'"openapi"', b'"swagger"')


Segments = tuple[str, ...]


class Documented:
    """The documented paths, looked up by their length and how they begin; most literal first."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._templates: dict[tuple[int, str, str], list[Segments]] = defaultdict(list)
        for path in sorted(set(paths))[:MAX_PATHS]:
            segments = tuple(path.split("/")[1:])
            if len(segments) <= MAX_SEGMENTS:
                self._templates[_start(segments)].append(segments)
        for templates in self._templates.values():
            templates.sort(key=lambda segments: (sum("{" in one for one in segments), segments))

    def template(self, segments: Segments) -> Segments:
        """The documented path that `segments` are an instance of; () where there is none."""
        length, *words = _start(segments)
        for first, second in product(*((word, _ANY) for word in words)):
            for template in self._templates.get((length, first, second), ()):
                if all(_fits(wanted, segment) for wanted, segment in zip(template, segments, strict=True)):
                    return template
        return ()


def _start(segments: Segments) -> tuple[int, str, str]:
    first, second = ("" if index >= len(segments) else segments[index] for index in (0, 1))
    return len(segments), _ANY if "{" in first else first, _ANY if "{" in second else second


def _fits(wanted: str, segment: str) -> bool:
    if "{" not in wanted:
        return wanted == segment
    before, _, rest = wanted.partition("{")
    after = rest.partition("}")[2]
    return (
        "{" not in after
        and len(segment) > len(before) + len(after)
        and segment.startswith(before)
        and segment.endswith(after)
    )


def document_paths(exchange: Exchange) -> list[str]:
    """The paths of the document that an exchange was answered with, with the base that it names; mostly none."""
    response = exchange.response
    if response is None or response.status != 200 or not 20 < len(response.body) <= MAX_DOCUMENT:
        return []
    if not any(mark in response.body[:4096] for mark in _MARKS):
        return []
    try:
        document = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return []
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        return []
    base = _base(document)
    return [f"{base}{path}" for path in [*paths][:MAX_PATHS] if path.startswith("/")]


def _base(document: dict[str, object]) -> str:
    """Where the paths begin: Swagger's `basePath`, or the path of the first server."""
    base = document.get("basePath")
    servers = document.get("servers")
    if not isinstance(base, str):
        first = servers[0] if isinstance(servers, list) and servers else None
        url = first.get("url") if isinstance(first, dict) else None
        try:
            base = urlsplit(url).path if isinstance(url, str) else ""
        except ValueError:
            base = ""
    return "" if "{" in base else base.rstrip("/")
