"""What the baseline against itself says of values that are new in each run, held against each comparison with the
candidate: consistent names, steady distances from the request.

`relate` adds what is broken to a comparison's observations, and moves what is kept to `Comparison.renamed`: that an id
has another name on each side, or that a time goes with its request, is no difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..difference import Difference
from ..report.model import Surface
from .bijection import Domains, Held, Names, Violation, established, grouped, hold_against
from .nouns import names_an_id
from .own import made_alike, own_names, own_places
from .rewalk import Unordered, walk_again
from .sequence import OUT_OF_ORDER, ordered_domains, out_of_order
from .sights import Sight, Spot, Trust, is_strong_token, sights_of
from .times import Offsets, relate_times

if TYPE_CHECKING:
    from ..comparison import Comparison, Observation

RENAMED = "an id that each side draws itself, the same one everywhere"
_CALLS = frozenset({Surface.HTTP, Surface.GRPC, Surface.SQL, Surface.REDIS, Surface.BUS, Surface.STATE})


def _nothing_unordered(_endpoint: str, _service: str = "", _operation: str = "") -> frozenset[str]:
    return frozenset()


def relate_alike(itself: Sequence["Comparison"], unordered: Unordered = _nothing_unordered) -> None:
    """Compare the lists of runs of one code again in each other's names: two orders that only took each other's number
    have not changed places."""
    sights = [sights_of(one) for one in itself]
    domains = Domains(sights)
    for comparison, seen in zip(itself, sights, strict=True):
        if domains.spots:
            walk_again(comparison, domains.spots, domains.names(seen), unordered)


def relate(
    comparisons: Sequence["Comparison"],
    itself: Sequence["Comparison"],
    unordered: Unordered = _nothing_unordered,
) -> None:
    """Relate each comparison of a baseline and a candidate to what `itself`, comparisons of baselines, show.
    `unordered` names the array paths whose order means nothing."""
    baselines = [sights_of(one) for one in itself]
    domains = Domains(baselines)
    ordered = ordered_domains(domains.names(sights) for sights in baselines)
    places = own_places(itself)
    for comparison in comparisons:
        sights = sights_of(comparison)
        names = domains.names(sights)
        held = hold_against(sights, domains.spots)
        if domains.spots:
            walk_again(comparison, domains.spots, names, unordered)
        changed, kept = relate_times(comparison, Offsets(itself, comparison))
        kept.extend(own_names(comparison, places))
        kept.extend((one, RENAMED) for one in _consistent(sights, held))
        kept.extend((one, RENAMED) for one in _handed_on(sights, domains, names))
        _set_apart(comparison, kept)
        early = _early(out_of_order(sights, names, domains.spots, ordered))
        comparison.observations.extend([*_broken(held.broken), *early, *changed])


def _set_apart(comparison: "Comparison", kept: Sequence[tuple["Observation", str]]) -> None:
    gone = {id(one): (one, why) for one, why in kept}
    comparison.observations[:] = [one for one in comparison.observations if id(one) not in gone]
    comparison.renamed.extend(gone.values())


def _broken(violations: Iterable[Violation]) -> list["Observation"]:
    """One observation for each request and place, whatever else stands in the same text."""
    found: dict[tuple[object, ...], Observation] = {}
    for sight, _, reused in violations:
        one = sight.observation
        if one is None or sight.trust is Trust.ASKED or _in_list(one.difference):
            continue
        moved = "its own id→another's" if reused else "one id→two names"
        difference = one.difference
        at = (one.key, one.endpoint, difference.place)
        if at not in found:
            found[at] = replace(one, difference=_as(difference, "relation_broken", moved))
    return list(found.values())


def _early(sights: Iterable[Sight]) -> list["Observation"]:
    """`relation_changed` where an answer gives an id whose number is no longer that of its place in time."""
    found: dict[tuple[str, str, str], Observation] = {}
    for sight in sights:
        one = sight.observation
        if one is None or one.difference.surface is not Surface.RESPONSE or sight.spot.part or _in_list(one.difference):
            continue
        moved = replace(one, difference=_as(one.difference, "relation_changed", OUT_OF_ORDER))
        found.setdefault((one.key, one.endpoint, one.difference.path or ""), moved)
    return list(found.values())


def _in_list(one: Difference) -> bool:
    """Which element of an answer's list answers to which is only known in the candidate's names."""
    return one.surface is Surface.RESPONSE and "[*]" in (one.path or "")


def _as(one: Difference, kind: str, transition: str, trait: str = "") -> Difference:
    """A difference told as a broken relation: as such in answers, inside its own kind in calls and rows."""
    if one.surface is Surface.RESPONSE or (one.surface is Surface.HEADER and kind == "relation_broken"):
        return replace(one, surface=Surface.RESPONSE, kind=kind, transition=transition, trait=trait, inner="")
    return replace(one, inner=kind, transition=transition, trait=trait)


def _consistent(sights: Iterable[Sight], held: Held) -> Iterable["Observation"]:
    """Differences of which every part is the other side's name for the same id."""
    good = {id(one) for one in held.consistent}
    parts: dict[int, list[Sight]] = defaultdict(list)
    for one in sights:
        if one.observation is not None:
            parts[id(one.observation)].append(one)
    for each in parts.values():
        observation = each[0].observation
        if observation is None or not all(id(one) in good for one in each) or not _is_all(each, observation):
            continue
        if made_alike(observation.difference.before, observation.difference.after):
            yield observation


def _is_all(parts: Sequence[Sight], observation: "Observation") -> bool:
    """Whether a text differs in these parts alone: short words and times in it are no sights."""
    text, other = str(observation.difference.before), str(observation.difference.after)
    for one in parts:
        text, other = text.replace(one.before, "\0", 1), other.replace(one.after, "\0", 1)
    return text == other


def _handed_on(sights: Iterable[Sight], domains: Domains, names: Names) -> Iterable["Observation"]:
    """Calls and rows that differ in nothing but the name of an id, at places where the baseline shows none: what a
    side was told is no difference there, unless the candidate has it from elsewhere."""
    held = list(sights)
    pairs = established(names) | _agreed(held)
    for one in held:
        if one.observation is None or one.observation.difference.surface not in _CALLS or one.spot.part:
            continue
        if one.spot in domains.spots or (one.is_number and not _is_named_number(one)):
            continue
        if (one.before, one.after) in pairs:
            yield one.observation


def _agreed(sights: Iterable[Sight]) -> frozenset[tuple[str, str]]:
    """Drawn tokens, made alike, on which the calls and rows agree at two places at least: what is stored under an id
    and handed on under it is one thing, whatever the answer calls it."""
    passed = [
        one
        for one in sights
        if one.observation is not None
        and one.observation.difference.surface in _CALLS
        and is_strong_token(one.before)
        and made_alike(one.before, one.after)
    ]
    groups = grouped(passed, dict.fromkeys((one.spot for one in passed), 0))
    spots: dict[tuple[str, str], set[Spot]] = defaultdict(set)
    for one in passed:
        spots[one.before, one.after].add(one.spot)
    return frozenset(pair for pair in established(Names.of(groups)) if len(spots[pair]) > 1)


def _is_named_number(one: Sight) -> bool:
    path = one.spot.place[1]
    return names_an_id(path) or path.startswith(("path.", "key."))
