"""Difference: one thing that two exchanges of a pair do not share, before anyone asks whether it is noise.

`kind` uses the words of docs/verdict.md. `trait` refines it where severity or noise need to know more
("tokens": only generated parts of a text differ). Noise is counted by `grade`.
"""

import math
import re
from dataclasses import dataclass

import orjson

from .report.model import Json, Surface

MAX_EXAMPLE = 500
"""Most characters of an example value in a report."""

GRADED = frozenset({"tokens", "outside"})
"""Traits that noise is counted apart by: only generated parts differ; what a noisy place still promises is broken."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# A key that is data: a map from ids to things, not a record with fields.
_DATA_KEY = re.compile(r"\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|(?=.*\d)[0-9a-fA-F]{16,}|\d{4}-\d\d-\d\d.*")


@dataclass(frozen=True, slots=True)
class Difference:
    """`shift_us` is how far a time moved against its own request's start, for the relation check; `inner` is the kind
    of change inside a changed downstream request; `is_doubtful` says that two requests' calls may be
    mixed up."""

    surface: Surface
    kind: str
    path: str | None
    before: Json
    after: Json
    transition: str
    trait: str = ""
    service: str | None = None
    operation: str | None = None
    shift_us: int | None = None
    inner: str = ""
    is_doubtful: bool = False

    @property
    def grade(self) -> str:
        """What noise is counted by: token noise does not excuse a changed text."""
        kind = self.inner or self.kind
        return f"{kind}/{self.trait}" if self.trait in GRADED else kind

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Where it is, without what it is."""
        return (self.surface.value, self.path or "", self.service or "", self.operation or "")


def child(path: str, key: str) -> str:
    """The path of a field: `$.name`, `$['odd name']`, `$.*` for a key that is data."""
    if len(key) > 60 or _DATA_KEY.fullmatch(key):
        return f"{path}.*"
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}"
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}['{quoted}']"


def type_name(value: object) -> str:
    """The JSON type, with int and float apart."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def bounded(value: Json) -> Json:
    """`value` fit for a report: short, and of numbers that every JSON reader takes."""
    match value:
        case None | bool():
            return value
        case str():
            return value if len(value) <= MAX_EXAMPLE else f"{value[:MAX_EXAMPLE]}… (+{len(value) - MAX_EXAMPLE})"
        case int():
            return value if -(1 << 63) <= value < 1 << 63 else f"{value:#x}"[:MAX_EXAMPLE]
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return _bounded_tree(value)


def _bounded_tree(value: list[Json] | dict[str, Json]) -> Json:
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return f"{type_name(value)} of {len(value)}"
    if len(text) <= MAX_EXAMPLE:
        loaded: Json = orjson.loads(text)
        return loaded
    return f"{text[:MAX_EXAMPLE].decode('utf-8', 'replace')}… (+{len(text) - MAX_EXAMPLE})"
