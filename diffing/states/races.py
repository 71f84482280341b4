"""What only shows where requests overlap: lost updates, rows that come twice, checks that two pass at once. PURE.

Rules of this file:
- requests that overlap have no order, so only what no order changes is compared: how many answers of each status an
  endpoint gave, how many rows a table has, what a column of numbers adds up to;
- every replay of the baseline must agree with every other one, and the candidate must differ in every round: what
  chance decides is no finding. With three rounds a place where each run tosses a biased coin passes for one in fewer
  than 0.4 % of cases (six heads, three tails: p^6 (1 - p)^3 at most).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import orjson

from ...capture.model import Exchange, Role
from ..causes.cluster import finding_id
from ..causes.severity import severity_of
from ..difference import Difference, child
from ..endpoints.templates import Templates
from ..protocols import is_state
from ..report.model import Finding, Json, Surface
from ..rounds import Run

CONFIRMED, ONCE = 0.99, 0.9
_SHOWN = "only where requests overlap as they did when recorded: every baseline came to {}, the candidate to {}"

Number = int | Decimal


class Place(NamedTuple):
    """Something that is counted: the answers of `endpoint` with the status `what`, or of a table (`endpoint`) of
    `service` its rows ("") or a column (`what`)."""

    endpoint: str
    what: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Overlapped:
    """One round with the overlaps kept."""

    baselines: tuple[Run, ...]
    candidate: Run


def race_findings(rounds: Sequence[Overlapped]) -> list[Finding]:
    """What the candidate comes to in every round, and the baseline in none."""
    if not rounds:
        return []
    runs = [run for each in rounds for run in (*each.baselines, each.candidate)]
    templates = Templates.learn(exchange for run in runs for exchange in run.exchanges)
    usual = [_counted(run, templates) for each in rounds for run in each.baselines]
    now = [_counted(each.candidate, templates) for each in rounds]
    places = sorted({place for counts in (*usual, *now) for place in counts})
    changed: dict[Place, tuple[Number, Sequence[Number]]] = {}
    for place in places:
        steady, values = _steady(usual, place), [_at(counts, place) for counts in now]
        told = [value for value in values if value is not None]
        # Where the number of rows is another one, what they add up to is too.
        is_followed = bool(place.what) and place._replace(what="") in changed
        if steady is not None and len(told) == len(values) and steady not in told and not is_followed:
            changed[place] = steady, told
    confidence = CONFIRMED if len(rounds) > 2 else ONCE
    return [
        *(_of_state(place, *found, confidence) for place, found in changed.items() if place.service),
        *_of_answers({place: found for place, found in changed.items() if not place.service}, confidence),
    ]


def _steady(usual: Iterable[Mapping[Place, Number]], place: Place) -> Number | None:
    """What every replay of the baseline came to, or None where they do not agree."""
    values = {_at(counts, place) for counts in usual}
    return values.pop() if len(values) == 1 else None


def _at(counts: Mapping[Place, Number], place: Place) -> Number | None:
    """No answer of a status is none; a table that was not read may hold anything."""
    return counts.get(place, None if place.service else 0)


def _counted(run: Run, templates: Templates) -> dict[Place, Number]:
    counts: dict[Place, Number] = {}
    answered: Counter[Place] = Counter()
    for exchange in run.exchanges:
        if is_state(exchange):
            counts |= _table(exchange)
        elif exchange.role is Role.INBOUND and not exchange.links:
            status = "no answer" if exchange.status is None else str(exchange.status)
            answered[Place(templates.endpoint(exchange), status)] += 1
    return counts | answered


def _table(exchange: Exchange) -> dict[Place, Number]:
    """The number of a table's rows, and the sums of its numbers where all rows are there."""
    response, name = exchange.response, exchange.request.target
    if response is None or exchange.truncated or exchange.withheld:
        return {}
    rows = response.headers.get("rows") or ""
    counts: dict[Place, Number] = {}
    if rows.isdecimal() and len(rows) < 19:
        counts[Place(name, "", exchange.service)] = int(rows)
    if "rows-kept" in response.headers:
        return counts
    keys = {part.strip() for part in (response.headers.get("primary-key") or "").split(",")}
    for column, value in _sums(response.body).items():
        if column not in keys:
            counts[Place(name, column, exchange.service)] = value
    return counts


def _sums(body: bytes) -> dict[str, Number]:
    """What each column adds up to whose values are all numbers, or nothing."""
    try:
        told: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    rows = told.get("rows") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(rows, list):
        return {}
    columns, types = told.get("columns"), told.get("types")
    if not isinstance(columns, list) or not isinstance(types, list):
        return {}
    found: dict[str, Number] = {}
    for column, type_name in zip(columns, types, strict=False):
        values = [row.get(column) for row in rows if isinstance(row, dict)] if isinstance(column, str) else []
        numbers = [_number(value, str(type_name)) for value in values if value is not None]
        if numbers and None not in numbers:
            found[str(column)] = sum(number for number in numbers if number is not None)
    return found


def _number(value: Json, type_name: str) -> Number | None:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and type_name in ("numeric", "decimal") and len(value) < 40:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    return None


def _of_state(place: Place, steady: Number, now: Sequence[Number], confidence: float) -> Finding:
    path = child("$", place.endpoint)
    if place.what:
        kind, path, moved = "row_changed", child(path, place.what), f"sum {steady}→{now[0]}"
    else:
        kind = "multiset_changed" if now[0] > steady else "row_missing"
        moved = f"{steady}→{now[0]} rows"
    one = Difference(
        Surface.STATE, kind, path, str(steady), str(now[0]), moved, "", place.service, f"state of {place.endpoint}"
    )
    return _finding(place.endpoint, one, steady, now, confidence)


def _of_answers(changed: Mapping[Place, tuple[Number, Sequence[Number]]], confidence: float) -> list[Finding]:
    """One finding an endpoint: the status that lost most answers, and the one that won most."""
    endpoints: dict[str, list[tuple[Number, str]]] = {}
    for place, (steady, now) in changed.items():
        endpoints.setdefault(place.endpoint, []).append((now[0] - steady, place.what))
    findings = []
    for endpoint, moves in endpoints.items():
        (lost, old), (won, new) = min(moves), max(moves)
        if lost >= 0 or won <= 0:
            continue
        one = Difference(Surface.STATUS, "changed", None, old, new, f"{old}→{new}")
        steady, now = changed[Place(endpoint, new)]
        findings.append(_finding(endpoint, one, steady, now, confidence))
    return findings


def _finding(endpoint: str, one: Difference, steady: Number, now: Sequence[Number], confidence: float) -> Finding:
    return Finding(
        id=finding_id(endpoint, one),
        surface=one.surface,
        kind=one.kind,
        severity=severity_of(one),
        confidence=confidence,
        endpoint=endpoint,
        path=one.path,
        service=one.service,
        operation=one.operation,
        transition=one.transition,
        requests=len(now),
        of=len(now),
        exchanges=(),
        before=one.before,
        after=one.after,
        reproduce="",
        explanation=(_SHOWN.format(steady, ", ".join(map(str, now))),),
    )
