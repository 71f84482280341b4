"""The values that stand at a path of a document, the path being one that a difference names: `$.items[*].sku`.

The differ writes the paths and this reads them back: `.name`, `['odd name']`, `.*` for any key that is data, `[*]` for
any element.
"""

import re
from functools import lru_cache

from .difference import child
from .report.model import Json

MAX_VALUES = 2_000
"""Most values taken from one document."""
_STEP = re.compile(r"\.\*|\.([A-Za-z_][A-Za-z0-9_-]*)|\['((?:[^'\\]|\\.)*)'\]|(\[\*\])", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
ANY_KEY, ANY_ELEMENT = "*", "[*]"
"""Steps that are no name: a name has a dot in front."""
_DATA = ".*"


@lru_cache(maxsize=4096)
def steps_of(path: str) -> tuple[str, ...] | None:
    """The steps below `$`: a name with a dot in front, `ANY_KEY` or `ANY_ELEMENT`. None for what is no path into a
    document."""
    if not path.startswith("$"):
        return None
    steps: list[str] = []
    place = 1
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            return None
        if found[3]:
            steps.append(ANY_ELEMENT)
        elif found[0] == _DATA:
            steps.append(ANY_KEY)
        else:
            steps.append("." + (found[1] if found[1] is not None else _ESCAPED.sub(r"\1", found[2])))
        place = found.end()
    return tuple(steps)


def values_at(document: Json, path: str) -> list[Json]:
    """Everything at `path`, in the document's order, at most `MAX_VALUES`."""
    steps = steps_of(path)
    if steps is None:
        return []
    level: list[Json] = [document]
    for step in steps:
        below: list[Json] = []
        for value in level:
            _step(value, step, below)
            if len(below) >= MAX_VALUES:
                break
        level = below[:MAX_VALUES]
    return level


def _step(value: Json, step: str, into: list[Json]) -> None:
    if step == ANY_ELEMENT:
        if isinstance(value, list):
            into.extend(value[:MAX_VALUES])
    elif isinstance(value, dict):
        if step == ANY_KEY:
            into.extend(inner for key, inner in value.items() if child("", key) == _DATA)
        elif step[1:] in value:
            into.append(value[step[1:]])
