"""The table of cases, read from cases.toml: what each variant is, and what a report must say of it.

Rules: the table is data, nothing here knows a case by name; whoever adds a variant adds a row; a row that cannot be
scored (unknown kind of key, a regression without a place) does not load.
"""

import fnmatch
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("cases.toml")
LEVELS = ("info", "warning", "breaking")
MODES = ("plain", "fault", "concurrent", "many", "thousands")
NEUTRAL = ("noise", "refactoring", "itself")
REGRESSIONS = ("responses", "statuses", "downstream", "latency")
MIXTURE = "mixture"
DIFFICULTIES = {"E": "easy", "M": "medium", "H": "hard"}


@dataclass(frozen=True, slots=True)
class Case:
    """One variant.

    `group` is the table that it stands in. `kinds` are the accepted `surface.kind`s, `places` the accepted loci: of one
    of them every word has to match a part of the finding. `level` is the least severity expected; None where nothing
    may rise above info. `also` are places where the same cause may show besides. `rows` are verdicts of the latency
    table that count as found (an honest "inconclusive"). `masked` cases hide in noisy fields. `parts` are a mixture's.
    `flags` are the variants to switch on, `fault` what goes wrong at a downstream of every side.
    """

    id: str
    group: str
    what: str
    difficulty: str = ""
    level: str | None = None
    kinds: tuple[str, ...] = ()
    places: tuple[tuple[str, ...], ...] = ()
    also: tuple[tuple[str, ...], ...] = ()
    rows: tuple[str, ...] = ()
    mode: str = "plain"
    fault: str | None = None
    masked: bool = False
    parts: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def is_neutral(self) -> bool:
        """Whether nothing may rise above info."""
        return self.group in NEUTRAL


@cache
def all_cases(path: Path = TABLE) -> Mapping[str, Case]:
    """Every case by its id, in the table's order. ValueError where a row is no case."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    cases = {name: _case(name, group, row) for group, rows in tables.items() for name, row in rows.items()}
    for case in cases.values():
        if missing := [part for part in case.parts if part not in cases]:
            raise ValueError(f"{case.id}: no such part: {', '.join(missing)}")
    return cases


def _case(name: str, group: str, row: Mapping[str, Any]) -> Case:
    lists = {key: tuple(row[key]) for key in ("kinds", "rows", "parts", "flags") if key in row}
    places = {key: tuple(tuple(place) for place in row[key]) for key in ("places", "also") if key in row}
    case = Case(name, group, **{**row, **lists, **places})
    if case.mode not in MODES or case.group not in (*NEUTRAL, *REGRESSIONS, MIXTURE):
        raise ValueError(f"{name}: unknown mode or group")
    if case.group in REGRESSIONS and not (case.level in LEVELS and case.kinds and case.places and case.difficulty):
        raise ValueError(f"{name}: a regression needs a level, kinds, places and a difficulty")
    return case


def flags_of(case: Case, cases: Mapping[str, Case]) -> tuple[str, ...]:
    """The variants that `case` switches on at the candidate."""
    if case.parts:
        return tuple(flag for part in case.parts for flag in flags_of(cases[part], cases))
    return case.flags if case.flags or case.group in ("itself", "noise") else (case.id,)


def noise_of(case: Case, *, everything: bool) -> str:
    """What makes noise on every side alike: all of it, nothing, or the noise that `case` is about. Noise of one side
    alone would be a change; where it is one that must not matter, the case has a flag."""
    if everything:
        return "1"
    return case.id if case.group == "noise" and not case.flags else "0"


def chosen(patterns: Sequence[str], cases: Iterable[Case]) -> list[Case]:
    """The cases whose id fits one of `patterns` (`R04`, `D*`); all without one. ValueError where a pattern fits none."""
    known = list(cases)
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(case.id, pattern) for case in known):
            raise ValueError(f"no case fits {pattern!r}")
    return [
        case for case in known if not patterns or any(fnmatch.fnmatchcase(case.id, pattern) for pattern in patterns)
    ]
