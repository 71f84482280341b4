"""Whether a finding stands where a case says, under a name that the case accepts, and loudly enough.

A finding is the JSON object of docs/report.md. A place is a list of words; each has to match, as a whole, one of the
finding's endpoint, path, service, operation, transition or `surface.kind`. `*` stands for anything, nothing else is
special: a path's `[*]` is meant literally, the way reports write it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from .cases import LEVELS, Case

Finding = Mapping[str, Any]
_NAMING = ("endpoint", "path", "service", "operation", "transition")


def class_of(finding: Finding) -> str:
    """Its `surface.kind`."""
    return f"{finding['surface']}.{finding['kind']}"


def is_alarm(finding: Finding) -> bool:
    """Whether it is above info."""
    return bool(finding["severity"] != LEVELS[0])


def stands(finding: Finding, places: Iterable[Sequence[str]]) -> bool:
    """Whether it stands at one of `places`."""
    named = [class_of(finding), *(str(finding[key]) for key in _NAMING if finding.get(key) is not None)]
    return any(all(any(fits(word, name) for name in named) for word in place) for place in places)


def is_called(finding: Finding, case: Case) -> bool:
    """Whether its class is one that `case` accepts."""
    return any(fits(kind, class_of(finding)) for kind in case.kinds)


def is_loud(finding: Finding, case: Case) -> bool:
    """Whether its severity is at least the case's."""
    return case.level is not None and LEVELS.index(finding["severity"]) >= LEVELS.index(case.level)


def belongs(finding: Finding, case: Case) -> bool:
    """Whether it tells of `case`, be it as the hit or as one of its declared consequences."""
    return stands(finding, case.places) or stands(finding, case.also)


def fits(pattern: str, text: str) -> bool:
    """Whether `text` is what `pattern` says."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # "[*]" is a list's index in reports, not a wildcard in brackets.
    pieces = re.split(r"(\[\*\]|\*)", pattern)
    return re.compile("".join(".*" if piece == "*" else re.escape(piece) for piece in pieces), re.DOTALL)
