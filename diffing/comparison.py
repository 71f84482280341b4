"""Two runs side by side: every difference of every pair, before anyone asks what is noise.

The same function compares baseline with candidate and baseline with baseline; noise is what the second one shows.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ..capture.model import Exchange
from .addresses import Addresses
from .calls.compare import CallPairs, compare_calls
from .compare.exchange import compare_exchanges
from .difference import Difference
from .endpoints.templates import Templates
from .identity.sights import Named, Sight, Trust, is_id
from .identity.told import told_apart
from .outbound import CallIndex
from .pair import Pair, nearest, pair_up
from .report.model import Json
from .rounds import Run
from .states.authors import Authors, renamings
from .states.compare import compare_state

Unordered = Callable[[str, str, str], frozenset[str]]
"""Array paths whose order means nothing, by endpoint, downstream service and operation ("" for the answer itself)."""


def nothing_unordered(_endpoint: str, _service: str = "", _operation: str = "") -> frozenset[str]:
    """Nothing is known yet."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Side:
    """A run with what is derived from it once."""

    run: Run
    addresses: Addresses
    calls: CallIndex

    @classmethod
    def of(cls, run: Run) -> "Side":
        """Index `run`."""
        return cls(run, Addresses.of(run), CallIndex(run.exchanges))


@dataclass(frozen=True, slots=True)
class Observation:
    """One difference at one request, `key` being its id in the replayed capture. For a row of a final state `key`
    names the row, and `request` who wrote it, where that is known."""

    key: str
    endpoint: str
    difference: Difference
    request: str = ""


@dataclass(slots=True)
class Comparison:
    """`unverified` counts (endpoint, why); `alone` says what one side lacks; `context` what failed downstream at a
    request on the candidate's side only; `tables` and `rows` name the final states; `walked` counts the pairs
    whose bodies needed more than a look at their keys. `named` are ids that the sides were told differently, or that
    name their rows; `renamed` what differs in nothing but that, with why it is no difference; `sights` are the ids
    seen, once they were asked for (identity/sights)."""

    observations: list[Observation] = field(default_factory=list)
    masked: list[Observation] = field(default_factory=list)
    pairs: dict[str, tuple[str, Pair]] = field(default_factory=dict)
    endpoints: Counter[str] = field(default_factory=Counter)
    unverified: Counter[tuple[str, str]] = field(default_factory=Counter)
    alone: list[str] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    walked: int = 0
    named: list[Named] = field(default_factory=list)
    renamed: list[tuple[Observation, str]] = field(default_factory=list)
    sights: list[Sight] | None = None


def compare_runs(
    before: Side, after: Side, templates: Templates, unordered: Unordered = nothing_unordered
) -> Comparison:
    """Everything that two runs of one capture do not share."""
    pairing = pair_up(before.run, after.run)
    result = Comparison()
    calls = CallPairs(
        before.calls, after.calls, templates, before.addresses, after.addresses, _tapped_alike(before, after)
    )
    if not calls.comparable:
        result.alone.append("downstream calls: recorded on one side only")
    for pair in pairing.pairs:
        endpoint = templates.endpoint(pair.before)
        result.pairs[pair.key] = (endpoint, pair)
        result.endpoints[endpoint] += 1
        compared = compare_exchanges(pair, before.addresses, after.addresses, unordered(endpoint, "", ""))
        _note(result, pair.key, endpoint, compared.differences)
        result.masked.extend(Observation(pair.key, endpoint, one) for one in compared.masked)
        result.walked += compared.walked
        if compared.unverified:
            result.unverified[endpoint, compared.unverified] += 1
        result.named.extend(told_apart(endpoint, pair, before, after, templates))
    named: list[tuple[Json, Json]] = []
    for key, (endpoint, pair) in result.pairs.items():
        found = compare_calls(calls, pair, partial(unordered, endpoint))
        _note(result, key, endpoint, found.differences)
        named.extend(found.told)
        if found.context:
            result.context[key] = found.context
        if found.unverified:
            result.unverified[endpoint, found.unverified] += 1
    if calls.comparable:
        stored = [(one.before, one.after) for one in result.named if one.trust is Trust.STORED and is_id(one.spot)]
        _compare_states(result, before, after, renamings(result.observations, named, stored))
    _note_alone(result, pairing.only_before, pairing.only_after, templates)
    return result


def _tapped_alike(before: Side, after: Side) -> bool:
    """Whether both runs hold downstream calls, or were made the same way: a recording without taps against a replay
    with them says nothing about calls."""
    if bool(before.calls.services) == bool(after.calls.services):
        return True
    return before.run.manifest.engine == after.run.manifest.engine


def _compare_states(result: Comparison, before: Side, after: Side, names: dict[str, str]) -> None:
    """What the runs left behind, rows being to a table what requests are to an endpoint."""
    found = compare_state(before.run, after.run, names, Authors(result.pairs, before.calls, after.calls).of)
    result.observations.extend(
        Observation(one.key, one.table, one.difference, one.request) for one in found.differences
    )
    result.endpoints.update(found.rows)
    result.tables = set(found.rows)
    result.rows = found.keys
    result.named.extend(found.named)
    result.alone.extend(found.unverified)


def _note(result: Comparison, key: str, endpoint: str, differences: list[Difference]) -> None:
    result.observations.extend(Observation(key, endpoint, one) for one in differences)


def _note_alone(
    result: Comparison, before: tuple[Exchange, ...], after: tuple[Exchange, ...], templates: Templates
) -> None:
    """Requests on one side only, summed up by endpoint, with an example and its nearest candidates."""
    for alone, others, side in ((before, after, "candidate"), (after, before, "baseline")):
        by_endpoint: dict[str, list[Exchange]] = {}
        for exchange in alone:
            by_endpoint.setdefault(templates.endpoint(exchange), []).append(exchange)
        for endpoint, exchanges in sorted(by_endpoint.items()):
            close = nearest(exchanges[0], others[:1000])
            hint = f"; nearest: {'; '.join(close)}" if close else ""
            ids = exchanges[0].origin or exchanges[0].id
            result.alone.append(f"{endpoint}: {len(exchanges)} without a counterpart in the {side} ({ids}{hint})")
