"""What two MongoDB commands of one name and collection ask: documents where SQL has a text.

A command's conditions are members of a document (`filter`, `query`, `q` of an update, `$match` of a pipeline), so one
that is gone is seen as such. Source of the commands' forms: the MongoDB manual, "Database Commands".
"""

import re
from collections.abc import Collection
from dataclasses import replace

from ..canonical import canonical_key
from ..compare.json import Walk
from ..difference import Difference
from ..report.model import Json
from .statement import is_of_tenant

_SETS = frozenset({"$all", "$in", "$nin"})
"""Operators whose list has no order."""
_CONDITION = re.compile(r"(?:^\$\.(?:filter|query)|\.q|\['\$match'\])\.(?P<what>.+)")
_LIMIT = re.compile(r"^\$\.(?:batchSize|limit|skip)$|\['\$(?:limit|sample|skip)'\]|\.limit$")
_TOP = re.compile(r"\$\.(\w+)")


def without_order(value: Json) -> Json:
    """`value`, which is bounded in its depth, with the lists sorted whose order means nothing."""
    if isinstance(value, list):
        return [without_order(one) for one in value]
    if not isinstance(value, dict):
        return value
    plain = {name: without_order(part) for name, part in value.items()}
    for name in _SETS & plain.keys():
        part = plain[name]
        if isinstance(part, list):
            plain[name] = sorted(part, key=canonical_key)
    return plain


def compare_documents(before: Json, after: Json, walk: Walk, constants: Collection[str]) -> list[Difference]:
    """The differences of two commands' arguments: `fingerprint_changed` where a condition is gone, `literal_changed`
    for limits and for what the baseline's code holds itself (`constants`, names of arguments), else
    `argument_changed`."""
    found = walk.run(before, after)
    come = {_parent(one) for one in found if one.kind == "field_added"}
    return [_told(one, come, constants) for one in found]


def _told(one: Difference, come: Collection[str], constants: Collection[str]) -> Difference:
    path = one.path or ""
    condition = _CONDITION.search(path)
    if condition and one.kind in {"field_removed", "field_renamed"}:
        # One that went and one that came may be one condition under another name: no door is open then.
        replaced = one.kind == "field_renamed" or _parent(one) in come
        open_door = not replaced or is_of_tenant(condition["what"])
        moved = f"condition on {condition['what']}→missing"
        trait = "security" if open_door else ""
        return replace(one, kind="fingerprint_changed", inner=one.kind, transition=moved, trait=trait)
    top = _TOP.match(path)
    is_constant = bool(_LIMIT.search(path)) or (top is not None and top[1] in constants)
    return replace(one, kind="literal_changed" if is_constant else "argument_changed", inner=one.kind)


def _parent(one: Difference) -> str:
    return (one.path or "").rpartition(".")[0]
