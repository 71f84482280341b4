"""Two texts that are no JSON, by lines: which line changed, came or went, and whether only generated parts did.

A line with a label ("Total: 12", "hits{code=200} 17") is named by it, so that one cause has one path in each answer;
other lines share a path.
"""

import re
from collections.abc import Sequence

from ..difference import Difference, bounded, child
from ..report.model import Surface
from ..shapes import template
from .lexical import compare_lexical
from .scalars import Change, Clocks, compare_texts
from .sequences import joined, order_of, trimmed

MAX_LINES = 20_000
MAX_FOUND = 50
"""Most differences taken from one pair of texts."""
LINES = "$[*]"
"""The path of a line without a label: a member of the text, as noise knows members of an array."""

_LABELLED = re.compile(r"\s*([A-Za-z_][A-Za-z_ .()/-]{0,50}?)\s*[:=]\s*(\S.{0,2000})", re.ASCII)
_MEASURED = re.compile(
    r"([A-Za-z_:][\w:]{0,80}(?<!:))(?:\{[^{}]{0,400}\})?\s+([-+]?[\d.]+(?:[eE][-+]?\d+)?)(?:\s+\d+)?", re.ASCII
)
"""A sample in the text format of Prometheus."""


def compare_text(before: str, after: str, clocks: Clocks) -> Difference | None:
    """One `value_changed` at the document, shown by the first line that differs."""
    if before == after:
        return None
    change = compare_texts(before, after, clocks)
    old, new = first_difference(before, after)
    kind = change.kind if change.kind == "value_changed" else "shape_changed"
    return Difference(Surface.RESPONSE, kind, "$", bounded(old), bounded(new), change.transition, change.trait)


def first_difference(before: str, after: str) -> tuple[str, str]:
    """The first lines that differ; a missing line is empty."""
    left, right = before.split("\n", MAX_LINES), after.split("\n", MAX_LINES)
    for index in range(max(len(left), len(right))):
        old = left[index] if index < len(left) else ""
        new = right[index] if index < len(right) else ""
        if old != new:
            return old, new
    return "", ""


def compare_lines(before: str, after: str, clocks: Clocks) -> list[Difference]:
    """What changed in which lines, sorted by path; a text of one line as a whole."""
    old, new = before.split("\n", MAX_LINES), after.split("\n", MAX_LINES)
    if len(old) == len(new) == 1 or max(len(old), len(new)) > MAX_LINES:
        one = compare_text(before, after, clocks)
        return [one] if one else []
    left, right = trimmed(old, new)
    pairs, removed, added = _paired(old, new, left, right)
    found = [one for first, second in pairs if (one := _changed(old[first], new[second], clocks))]
    kept = {(one.path, one.kind, one.trait): one for one in reversed(found)}
    result = sorted(kept.values(), key=lambda one: (one.path or "", one.kind))[:MAX_FOUND]
    if removed or added:
        result.append(_members([old[place] for place in removed], [new[place] for place in added], len(old), len(new)))
    moved = order_of([second for _, second in pairs])
    if moved:
        result.append(Difference(Surface.RESPONSE, "order_changed", "$", bounded(before), bounded(after), moved))
    return result


Places = list[int]


def _paired(
    old: Sequence[str], new: Sequence[str], left: Places, right: Places
) -> tuple[list[tuple[int, int]], Places, Places]:
    """Lines that answer to each other: equal ones, then those of one template, then those of one label, then as they
    come where as many are left on both sides."""
    pairs: list[tuple[int, int]] = []
    for key in (str, template, _label):
        matched = joined([key(old[place]) for place in left], [key(new[place]) for place in right], left, right)
        pairs += [pair for pair in matched if key is not _label or _label(old[pair[0]])]
        taken = ({first for first, _ in pairs}, {second for _, second in pairs})
        left = [place for place in left if place not in taken[0]]
        right = [place for place in right if place not in taken[1]]
    if len(left) == len(right):
        pairs += zip(left, right, strict=True)
        left, right = [], []
    return sorted(pairs), left, right


def _changed(old: str, new: str, clocks: Clocks) -> Difference | None:
    if old == new:
        return None
    label = _label(old)
    named = bool(label) and label == _label(new)
    values = (_value(old), _value(new)) if named else (old, new)
    change: Change | None = (
        compare_lexical(*values, clocks) if values[0] != values[1] else compare_texts(old, new, clocks)
    )
    if change is None:
        return None
    path = child("$", label) if named else LINES
    return Difference(
        Surface.RESPONSE, change.kind, path, bounded(old), bounded(new), change.transition, change.trait,
        shift_us=change.shift_us,
    )  # fmt: skip


def _label(line: str) -> str:
    found = _MEASURED.fullmatch(line) or _LABELLED.fullmatch(line)
    return found[1] if found else ""


def _value(line: str) -> str:
    found = _MEASURED.fullmatch(line) or _LABELLED.fullmatch(line)
    return found[2] if found else line


def _members(removed: list[str], added: list[str], before: int, after: int) -> Difference:
    moved = f"{before}→{after} lines" if before != after else "other lines"
    shown = (bounded("\n".join(removed[:20])), bounded("\n".join(added[:20])))
    # A text of lines without an order of its own would say `multiset_changed` all the same.
    return Difference(Surface.RESPONSE, "multiset_changed", "$", *shown, moved)
