"""Paths to the leaves of JSON documents: written, read, followed in a document, and found in its text. PURE.

`$.items[3].id` is what it seems; a name that is no plain word stands as `["a.b"]`. An element of an array may say by
what else it is known: `$.items[3|.sku="MUG"|.id=17].id` is the element whose sku is MUG; where not exactly one such is
there, the one whose id is 17, and otherwise the fourth. Order alone is a bad name for an element: a new row above it,
or a change of the sort order, and the request that follows would ask for something else.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json import dumps
from typing import Any

import orjson

MAX_DEPTH = 64
"""Steps of a path."""
MAX_COMPARED = 10_000
"""Elements that are looked at for the one that is meant."""

_PLAIN = r"[A-Za-z_$][A-Za-z0-9_$-]*"
_STRING = r'"(?:[^"\\]|\\.)*"'
_HINT = rf"\|((?:\.{_PLAIN})*)=({_STRING}|-?\d+)"
_STEP = re.compile(rf"\.({_PLAIN})|\[({_STRING})\]|\[(\d{{1,9}})((?:{_HINT})*)\]")
_HINTS = re.compile(_HINT)
_PLAIN_NAME = re.compile(_PLAIN)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}\[\],:]')


class BadPath(ValueError):
    """The text is no path."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an array: by its place, and before that by `hints`, each a path of names below it and the text
    that stands there."""

    index: int
    hints: tuple[tuple[tuple[str, ...], str], ...] = ()


Step = str | Element


def written(steps: Sequence[Step]) -> str:
    """The path as text."""
    return "$" + "".join(map(_written_step, steps))


def _written_step(step: Step) -> str:
    if isinstance(step, str):
        return f".{step}" if _PLAIN_NAME.fullmatch(step) else f"[{dumps(step)}]"
    hints = "".join(f"|{''.join(f'.{name}' for name in names)}={dumps(text)}" for names, text in step.hints)
    return f"[{step.index}{hints}]"


def is_plain(name: str) -> bool:
    """Whether a hint can name a member so."""
    return _PLAIN_NAME.fullmatch(name) is not None


@lru_cache(maxsize=8192)
def parsed(path: str) -> tuple[Step, ...]:
    """The steps of `path`. Raises BadPath."""
    steps: list[Step] = []
    position = 1
    if path[:1] != "$":
        raise BadPath("a path begins with $")
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or len(steps) >= MAX_DEPTH:
            raise BadPath("not a path")
        steps.append(_parsed_step(match))
        position = match.end()
    return tuple(steps)


def _parsed_step(match: re.Match[str]) -> Step:
    try:
        if match[3] is not None:
            hints = ((tuple(names.split(".")[1:]), str(orjson.loads(raw))) for names, raw in _HINTS.findall(match[4]))
            return Element(int(match[3]), tuple(hints))
        return str(orjson.loads(match[2])) if match[2] is not None else match[1]
    except orjson.JSONDecodeError as error:
        raise BadPath("not a path") from error


def text_of(value: Any) -> str | None:
    """The text of a leaf that can be a value: a string, or a whole number. None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def leaf_at(document: Any, steps: Sequence[Step]) -> str | None:
    """The text at `steps` of a decoded document, or None."""
    for step in steps:
        if isinstance(step, str):
            document = document.get(step) if isinstance(document, dict) else None
        else:
            document = _element(document, step) if isinstance(document, list) else None
        if document is None:
            return None
    return text_of(document)


def _element(array: list[Any], step: Element) -> Any:
    for names, text in step.hints:
        found = [one for one in array[:MAX_COMPARED] if leaf_at(one, names) == text]
        if len(found) == 1:
            return found[0]
    return array[step.index] if step.index < len(array) else None


def found(text: str, wanted: Collection[tuple[Step, ...]]) -> dict[tuple[Step, ...], tuple[int, int]]:
    """Where in the JSON `text` the leaves at `wanted` stand, quotes included; of members of the same name the last, as
    parsers have it. Elements are counted, hints are not looked at. `text` is known to be JSON."""
    by_key = {tuple(step if isinstance(step, str) else step.index for step in steps): steps for steps in wanted}
    longest = max(map(len, by_key), default=0)
    spans: dict[tuple[Step, ...], tuple[int, int]] = {}
    above: list[str | int] = []
    kinds: list[bool] = []  # whether each open bracket is an array's
    is_name = False
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign in ("{", "["):
            kinds.append(sign == "[")
            above.append(0 if sign == "[" else "")
            is_name = sign == "{"
        elif sign in ("}", "]"):
            kinds.pop()
            above.pop()
        elif sign == ",":
            is_name = not kinds[-1]
            if kinds[-1]:
                above[-1] = int(above[-1]) + 1
        elif sign == ":":
            is_name = False
        elif is_name:
            above[-1] = orjson.loads(sign) if "\\" in sign else sign[1:-1]
        elif len(above) <= longest and tuple(above) in by_key:
            spans[by_key[tuple(above)]] = match.span()
    return spans


def respelled(value: str, token: str, text: str) -> str:
    """`value` as JSON in place of `token`: a number stays a number where it can, and what `text` escapes is escaped."""
    if token[:1] != '"' and re.fullmatch(r"-?(?:0|[1-9]\d*)", value):
        return value
    return dumps(value, ensure_ascii=text.isascii())


def replaced(text: str, values: dict[tuple[Step, ...], str]) -> str:
    """`text` with the leaves at these places replaced, and nothing else touched."""
    edits = sorted((span, steps) for steps, span in found(text, values).items())
    parts: list[str] = []
    position = 0
    for (start, end), steps in edits:
        parts += text[position:start], respelled(values[steps], text[start:end], text)
        position = end
    return "".join(parts) + text[position:]
