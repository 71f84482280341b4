"""Mutants of a run: what the second baseline would look like if the service had changed in one small way.

A mutant changes all requests of one endpoint alike, as a change of the code would. Which of the possible ones are made
is drawn by the seed, endpoint by endpoint and operator by operator, so that a capture's rare endpoints count too.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from ...capture.model import Exchange, Role
from ..calls.key import counts, key_of
from ..endpoints.templates import Templates
from ..outbound import CallIndex
from ..pair import Pair
from ..report.model import Json
from . import operators
from .paths import Steps, at, places, shown

MIN_TIMED = 20
"""Pairs of an endpoint from which on its times are judged at all."""

Make = Callable[[Exchange], Exchange | None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`what` was changed at the requests of `endpoint`: `changes` has, by id, what stands in an exchange's place, or
    None where it is gone; `added` are exchanges more."""

    endpoint: str
    what: str
    changes: Mapping[str, Exchange | None]
    added: tuple[Exchange, ...] = ()


def mutants(
    by_endpoint: Mapping[str, Sequence[Pair]], calls: tuple[CallIndex, CallIndex], templates: Templates, seed: int
) -> Iterator[Mutant]:
    """All mutants, an endpoint at a time in turn; `before` of each pair is the first baseline's, `after` the second's,
    which is changed; `calls` are both runs' calls."""
    makers = [iter(_of_endpoint(name, pairs, calls, templates, seed)) for name, pairs in sorted(by_endpoint.items())]
    while makers:
        for maker in [*makers]:
            mutant = next(maker, None)
            if mutant is None:
                makers.remove(maker)
            else:
                yield mutant


def _of_endpoint(
    endpoint: str, pairs: Sequence[Pair], calls: tuple[CallIndex, CallIndex], templates: Templates, seed: int
) -> list[Mutant]:
    made = [
        *_bodies(endpoint, pairs),
        *_whole(endpoint, pairs, "status 500", operators.with_status),
        *_whole(endpoint, pairs, "content-type gone", operators.with_type),
        *_calls(endpoint, pairs, calls, templates),
    ]
    if len(pairs) >= MIN_TIMED:
        made += _whole(endpoint, pairs, "twice as slow", operators.slower)
    # In an order that the seed alone decides, the same on every machine.
    return sorted(made, key=lambda one: hashlib.blake2b(f"{seed} {endpoint} {one.what}".encode()).digest())


def _whole(endpoint: str, pairs: Sequence[Pair], what: str, make: Make) -> list[Mutant]:
    changes = {pair.after.id: one for pair in pairs if (one := make(pair.after)) is not None}
    return [Mutant(endpoint, what, changes)] if changes else []


def _bodies(endpoint: str, pairs: Sequence[Pair]) -> Iterator[Mutant]:
    """A place of the answers of one status and one operator each."""
    held = [(pair, _parsed(pair.before), _parsed(pair.after)) for pair in pairs]
    found: dict[Steps, Json] = {}
    for _, _, after in held:
        for steps, value in places(after):
            found.setdefault(steps, value)
    for steps, value in found.items():
        quiet = all(at(before, steps) == at(after, steps) for _, before, after in held)
        for operator in operators.BODY:
            if operator.fits(value) and (quiet or not operator.is_quiet):
                changes = {
                    pair.after.id: one
                    for pair, _, _ in held
                    if (one := operators.with_body(pair.after, steps, operator.change)) is not None
                }
                if changes:
                    yield Mutant(endpoint, f"{operator.name} at {shown(steps)}", changes)


def _parsed(exchange: Exchange) -> Json:
    if exchange.response is None:
        return None
    try:
        value: Json = orjson.loads(exchange.response.body)
    except orjson.JSONDecodeError:
        return None
    return value


def _calls(
    endpoint: str, pairs: Sequence[Pair], calls: tuple[CallIndex, CallIndex], templates: Templates
) -> Iterator[Mutant]:
    """A kind of call that is gone, made twice, or asks for something else."""
    by_key: dict[str, list[Exchange]] = defaultdict(list)
    steady: dict[str, bool] = defaultdict(lambda: True)
    for pair in pairs:
        mine = _counted(calls[1].sure_of(pair.after.id), templates)
        other = _counted(calls[0].sure_of(pair.before.id), templates)
        for name, held in mine.items():
            by_key[name].extend(held)
            theirs = other.get(name, [])
            steady[name] &= [_asked(one) for one in held] == [_asked(one) for one in theirs]
    for name, held in by_key.items():
        # One call of a request is doubled, all of a kind go: less would be the fewer calls of a better service.
        yield Mutant(endpoint, f"gone: {name}", {call.id: None for call in held})
        firsts = {call.parent: call for call in reversed(held)}.values()
        if held[0].request.method not in _REPEATABLE:
            yield Mutant(endpoint, f"made twice: {name}", {}, tuple(_again(call) for call in firsts))
        if steady[name]:
            changes = {call.id: one for call in firsts if (one := operators.asks_another(call)) is not None}
            if changes:
                yield Mutant(endpoint, f"asks for another: {name}", changes)


_REPEATABLE = frozenset({"GET", "SELECT"})
"""A read more may be a retry; what is done twice is done twice."""


def _counted(calls: Iterable[Exchange], templates: Templates) -> dict[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = defaultdict(list)
    for call in calls:
        if counts(call) and call.role is Role.OUTBOUND:
            key = key_of(call, templates)
            found[f"{key.service} {key.operation}"].append(call)
    return found


def _asked(call: Exchange) -> tuple[str, str, bytes]:
    return (call.request.target, call.request.arguments, call.request.body)


def _again(call: Exchange) -> Exchange:
    return replace(call, id=f"{call.id}-again", started_us=call.started_us + call.latency_us)
