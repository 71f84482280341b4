"""Two SQL texts that do the same job in different words: what the second one lost.

No grammar, a scan over words: enough to see which columns a condition names and which clauses there are, on any
dialect, and never wrong in a way that could hide a lost condition.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ..difference import Difference
from ..report.model import Surface

MAX_WORDS = 5_000

_WORD = re.compile(
    r"""[A-Za-z_][\w$]*(?:\.[A-Za-z_"`][\w$"`]*)*|"[^"]*"(?:\."[^"]*")*|`[^`]*`(?:\.`[^`]*`)*|\$\d+|[()]|\S"""
)
_OPENS = frozenset({"WHERE", "HAVING"})
_CLOSES = frozenset(
    {
        "EXCEPT", "FETCH", "FOR", "FROM", "GROUP", "INTERSECT", "LIMIT", "OFFSET", "ORDER", "RETURNING", "SELECT",
        "SET", "UNION", "VALUES", "WINDOW",
    }
)  # fmt: skip
_JOINS = frozenset({"CROSS", "FULL", "INNER", "JOIN", "LEFT", "NATURAL", "OUTER", "RIGHT"})
_WORDS = _OPENS | _CLOSES | _JOINS | {
    "ALL", "AND", "ANY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CONFLICT", "DEFAULT", "DELETE", "DESC",
    "DISTINCT", "DO", "ELSE", "END", "ESCAPE", "EXISTS", "FALSE", "FIRST", "ILIKE", "IN", "INSERT", "INTERVAL", "INTO",
    "IS", "KEY", "LAST", "LATERAL", "LIKE", "LOCKED", "NEXT", "NO", "NOT", "NOTHING", "NOWAIT", "NULL", "NULLS", "ON",
    "ONLY", "OR", "ROW", "ROWS", "SHARE", "SIMILAR", "SKIP", "SOME", "THEN", "TRUE", "UPDATE", "USING", "WHEN", "WITH",
}  # fmt: skip
_TENANT = re.compile(r"tenant|org|account|customer|user|owner|workspace")
_BINDING = frozenset({"LIMIT", "ON CONFLICT", "ORDER BY"})
"""Clauses whose loss counts even where this once the same rows came."""
_LOCK = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)\b|\bFOR\s+KEY\s+SHARE\b|\bLOCK\s+IN\s+SHARE\b", re.I)
_CLAUSES = (
    ("ORDER BY", re.compile(r"\bORDER\s+BY\b", re.I)),
    ("LIMIT", re.compile(r"\bLIMIT\b|\bFETCH\s+(?:FIRST|NEXT)\b", re.I)),
    ("OFFSET", re.compile(r"\bOFFSET\b", re.I)),
    ("DISTINCT", re.compile(r"\bDISTINCT\b", re.I)),
    ("GROUP BY", re.compile(r"\bGROUP\s+BY\b", re.I)),
    ("HAVING", re.compile(r"\bHAVING\b", re.I)),
    ("ON CONFLICT", re.compile(r"\bON\s+(?:CONFLICT|DUPLICATE\s+KEY)\b", re.I)),
    ("RETURNING", re.compile(r"\bRETURNING\b", re.I)),
    ("UNION", re.compile(r"\bUNION\b", re.I)),
)


class Parts(NamedTuple):
    """`conditions` are the columns that WHERE, HAVING and ON name; `names` all names; `clauses` those there are."""

    conditions: frozenset[str]
    names: frozenset[str]
    clauses: frozenset[str]
    locks: bool


class Loss(NamedTuple):
    """What a statement lost, as a transition, and the trait that severity goes by: "security" for a condition, "lock",
    "clause" for one that decides which rows come, "" for anything else."""

    transition: str
    trait: str


@lru_cache(maxsize=4096)
def parts_of(text: str) -> Parts:
    """The parts of a SQL text."""
    words = [found[0] for found in _WORD.finditer(text)][:MAX_WORDS]
    conditions: set[str] = set()
    names: set[str] = set()
    inside, outer = False, []
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word == "(":
            outer.append(inside)
        elif word == ")":
            inside = outer.pop() if outer else False
        elif word.upper() in _WORDS:
            inside = _is_inside(inside, word.upper(), following.upper())
        elif (word[0].isalpha() or word[0] in '_"`') and following != "(":
            name = word.rpartition(".")[2].strip('"`').lower()
            names.add(name)
            if inside:
                conditions.add(name)
    clauses = frozenset(name for name, pattern in _CLAUSES if pattern.search(text))
    return Parts(frozenset(conditions), frozenset(names), clauses, bool(_LOCK.search(text)))


def _is_inside(inside: bool, word: str, following: str) -> bool:
    """Whether what follows `word` is a condition."""
    if word in _OPENS:
        return True
    if word == "ON":
        return following not in {"CONFLICT", "DUPLICATE", "UPDATE"}
    return inside and word not in _CLOSES and word not in _JOINS


def loss(before: str, after: str) -> Loss | None:
    """What `after` lost against `before`, worst first; None where it lost nothing that shows."""
    old, new = parts_of(before), parts_of(after)
    lost = old.conditions - new.conditions
    if lost:
        # A column that went and one that came may be one condition under another name: no door is open then.
        replaced = len(new.conditions - old.conditions) >= len(lost) and not any(map(is_of_tenant, lost))
        return Loss(f"condition on {_few(lost)}→missing", "" if replaced else "security")
    if old.locks and not new.locks:
        return Loss("row lock→missing", "lock")
    clauses = old.clauses - new.clauses
    if clauses:
        return Loss(f"{_few(clauses)}→missing", "clause" if clauses & _BINDING else "")
    names = old.names - new.names
    return Loss(f"{_few(names)}→missing", "") if names and not new.names - old.names else None


def is_of_tenant(column: str) -> bool:
    """Whether a condition on `column` keeps one party's rows from another's."""
    return bool(_TENANT.search(column.lower()))


def _few(names: frozenset[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def likeness(before: str, after: str) -> float:
    """Share of names that two statements have in common, 0 to 1."""
    old, new = parts_of(before).names, parts_of(after).names
    return len(old & new) / len(old | new) if old | new else 1.0


def changed(service: str, before: str, after: str) -> Difference:
    """`sql.fingerprint_changed` between two statements."""
    found = loss(before, after) or Loss("another statement", "")
    return Difference(
        Surface.SQL, "fingerprint_changed", None, before, after, found.transition, found.trait, service, before
    )
