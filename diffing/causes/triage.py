"""From differences to findings: one cause, one finding.

Rules: a difference that the baseline shows against itself at the same request proves nothing; one that a later round
does not show at the same request is not reported; a cause that explains others absorbs them. Nothing is dropped
silently: what is not reported is listed as suppressed, with the reason and how many occurrences it hides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..comparison import Comparison, Observation
from ..difference import Difference
from ..noise.frequency import Tried, significant, try_frequencies
from ..noise.model import Evidence, NoiseModel, looks_generated
from ..noise.nondeterminism import Unsteady
from ..noise.residual import MEMBERS, TOLERANCE, VALUES, breaches, is_tolerated
from ..noise.significance import CEILING, benjamini_hochberg, confidence, fisher_greater
from ..noise.undecided import undecided_lines
from ..report.model import Suppressed, Surface
from .cascade import fold_cascade
from .cluster import Cluster, cluster_key, transition_class
from .merge import absorb
from .together import merge_together

MIXED_UP = 0.2
"""Share of requests up to which calls of inferred cause may have been given to the wrong one."""
MIN_RATE_RATIO = 3
"""A noisy difference counts only where it is this much more frequent than by itself."""
UNORDERED = "order changes in the baseline itself"
TOLERATED = f"no further off than {TOLERANCE} times what the baseline's own numbers are"


@dataclass(slots=True)
class Hidden:
    """Suppressed occurrences, summed up by place, kind and reason."""

    counts: dict[tuple[str, str, str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, one: Observation, why: str) -> None:
        """Hide one occurrence."""
        path = one.difference.path or one.difference.operation or one.difference.surface.value
        self.counts[one.endpoint, path, one.difference.kind, why] += 1

    def forget(self, endpoint: str, one: Difference) -> None:
        """Hide nothing of `one`'s kind and place any more: it is told after all."""
        path = one.path or one.operation or one.surface.value
        for key in [key for key in self.counts if key[:3] == (endpoint, path, one.kind)]:
            del self.counts[key]

    def listed(self) -> tuple[Suppressed, ...]:
        """All of them, sorted."""
        return tuple(
            Suppressed(path, kind, f"{endpoint}: {why}", hides)
            for (endpoint, path, kind, why), hides in sorted(self.counts.items())
        )


class Triaged(NamedTuple):
    """`undecided` are sentences on what too few rounds were played for."""

    clusters: list[Cluster]
    suppressed: tuple[Suppressed, ...]
    undecided: tuple[str, ...]


def triage(
    rounds: Sequence[Comparison],
    noise: NoiseModel,
    itself: Sequence[Comparison] = (),
    candidates: Sequence[Comparison] = (),
) -> Triaged:
    """The clusters that stand, what was suppressed, and what is left open. `itself` are baselines compared with each
    other, `candidates` the first round's candidate with each later one's."""
    hidden = Hidden()
    first = rounds[0]
    for one in first.masked:
        hidden.add(one, "each side names its own address")
    for one, why in first.renamed:
        hidden.add(one, why)
    derived = [list(breaches(each, noise.learned)) for each in rounds]
    later = [Later.of(each, extra) for each, extra in zip(rounds[1:], derived[1:], strict=True)]
    unsteady = Unsteady.learn(rounds, candidates, itself)
    drawn = [one for one in first.observations if unsteady.covers(one)]
    steady = [one for one in (*first.observations, *derived[0]) if not unsteady.covers(one)]
    clusters = _gather(steady, noise, hidden)
    clusters = _undoubted(clusters, first, hidden)
    clusters = _confirmed(clusters, later, hidden)
    clusters = _significant(clusters, first, noise, hidden)
    for cluster in clusters:
        _weigh(cluster, first, len(later), noise)
    clusters += _unsteady_clusters(drawn, unsteady, first)
    tried = try_frequencies(rounds, itself)
    told = _places(clusters)
    clusters += _frequency_clusters(significant(tried), told, first, hidden)
    told |= _places(clusters)
    left = [one for one in tried if (one.endpoint, one.shown[0].difference.place) not in told]
    standing = fold_cascade(merge_together(absorb(_one_a_place(clusters))), first)
    return Triaged(standing, hidden.listed(), tuple(undecided_lines(left)))


@dataclass(frozen=True, slots=True)
class Later:
    """A round that confirms: which requests it replayed (and rows it left behind), and what it showed at them."""

    replayed: frozenset[str]
    shown: frozenset[tuple[object, ...]]

    @classmethod
    def of(cls, comparison: Comparison, moved: Iterable[Observation]) -> "Later":
        """Index a comparison."""
        shown = frozenset(_identity(one) for one in (*comparison.observations, *moved))
        return cls(frozenset(comparison.pairs) | comparison.rows, shown)


def _identity(one: Observation) -> tuple[object, ...]:
    difference = one.difference
    kind = "members" if difference.grade in MEMBERS else difference.grade
    status = difference.transition if difference.surface.value == "status" else ""
    return (one.key, difference.place, kind, status)


def _gather(observations: Iterable[Observation], noise: NoiseModel, hidden: Hidden) -> list[Cluster]:
    clusters: dict[tuple[object, ...], Cluster] = {}
    for one in observations:
        evidence = noise.evidence(one.endpoint, one.difference)
        key = (cluster_key(one), bool(evidence.differs))
        cluster = clusters.setdefault(key, Cluster(one.endpoint, one.difference, evidence))
        cluster.seen.add(one.key)
        why = TOLERATED if is_tolerated(one, noise.learned) else _noise(one, evidence)
        if why:
            hidden.add(one, why)
        else:
            cluster.observations.setdefault(one.key, one)
    return [cluster for cluster in clusters.values() if cluster.observations]


def _noise(one: Observation, evidence: Evidence) -> str:
    if not evidence.trials:
        return "a value that is new in each run (no baseline to tell)" if looks_generated(one.difference) else ""
    if evidence.differs and (one.difference.inner or one.difference.kind) == "order_changed":
        return UNORDERED
    if one.key in evidence.requests:
        return f"differs between baselines: {evidence.differs} times in {evidence.trials} comparisons"
    return ""


def _undoubted(clusters: list[Cluster], first: Comparison, hidden: Hidden) -> list[Cluster]:
    """Without the few requests whose calls may have been mixed up with another's: a change shows at more than a few."""
    kept: list[Cluster] = []
    for cluster in clusters:
        held = cluster.observations.values()
        few = len(held) <= MIXED_UP * first.endpoints[cluster.endpoint]
        if few and all(one.difference.is_doubtful for one in held):
            for one in held:
                hidden.add(one, "the same calls at other requests: their causes are inferred")
        else:
            kept.append(cluster)
    return kept


def _confirmed(clusters: list[Cluster], later: Sequence[Later], hidden: Hidden) -> list[Cluster]:
    """Only requests at which every later round that replayed them shows the same again."""
    for cluster in clusters:
        for key, one in list(cluster.observations.items()):
            tried = [round_ for round_ in later if key in round_.replayed]
            if all(_identity(one) in round_.shown for round_ in tried):
                cluster.confirmed[key] = len(tried)
            else:
                hidden.add(one, "not reproduced in a later round")
                del cluster.observations[key]
    return [cluster for cluster in clusters if cluster.observations]


def _significant(clusters: list[Cluster], first: Comparison, noise: NoiseModel, hidden: Hidden) -> list[Cluster]:
    """Where the baseline shows the same at other requests, the candidate must show it far more often."""
    doubtful = [cluster for cluster in clusters if cluster.evidence.differs]
    p_values = [_p_value(cluster, first) for cluster in doubtful]
    kept = [cluster for cluster in clusters if not cluster.evidence.differs]
    for cluster, real in zip(doubtful, benjamini_hochberg(p_values), strict=True):
        rate = len(cluster.seen) / max(1, first.endpoints[cluster.endpoint])
        by_itself = cluster.evidence.differs / max(1, cluster.evidence.trials)
        if real and rate >= MIN_RATE_RATIO * by_itself:
            kept.append(cluster)
            continue
        for one in cluster.observations.values():
            hidden.add(one, f"as rare as between baselines: {cluster.evidence.differs} in {cluster.evidence.trials}")
    return kept


def _p_value(cluster: Cluster, first: Comparison) -> float:
    evidence = cluster.evidence
    # All that showed in the round, as all that showed between the baselines is counted on the other side.
    return fisher_greater(
        min(len(cluster.seen), first.endpoints[cluster.endpoint]),
        first.endpoints[cluster.endpoint],
        min(evidence.differs, evidence.trials),
        evidence.trials,
    )


def _weigh(cluster: Cluster, first: Comparison, later: int, noise: NoiseModel) -> None:
    rounds = 1 + (max(cluster.confirmed.get(key, 0) for key in cluster.observations) if later else 0)
    requests = first.endpoints[cluster.endpoint]
    cluster.of = max(requests, len(cluster.observations))
    trials, differs = noise.trials.get(cluster.endpoint, 0), cluster.evidence.differs
    cluster.confidence = confidence(len(cluster.observations), cluster.of, rounds, trials, differs)


def _one_a_place(clusters: list[Cluster]) -> list[Cluster]:
    """Without what a breach at the same place says better, and without a list's breach that one of its members' own
    findings says better."""
    outside = [cluster for cluster in clusters if cluster.example.trait in {"outside", "unit"}]
    kept: dict[tuple[object, ...], Cluster] = {}
    for cluster in [*outside, *(one for one in clusters if one.example.trait not in {"outside", "unit"})]:
        one = cluster.example
        same = [other for other in outside if other is not cluster and _is_at(other, cluster)]
        plain = one.trait not in {"outside", "unit"} and one.grade in VALUES | MEMBERS
        if (plain and same) or (one.kind in MEMBERS and one.trait == "outside" and _member_told(cluster, clusters)):
            continue
        held = kept.setdefault((cluster.endpoint, *one.place, one.kind, transition_class(one)), cluster)
        for key, observation in cluster.observations.items():
            held.observations.setdefault(key, observation)
    return list(kept.values())


def _is_at(one: Cluster, other: Cluster) -> bool:
    return (one.endpoint, one.example.place) == (other.endpoint, other.example.place)


def _member_told(cluster: Cluster, clusters: list[Cluster]) -> bool:
    inside = f"{cluster.example.path}[*]"
    return any(one.endpoint == cluster.endpoint and (one.example.path or "").startswith(inside) for one in clusters)


def _places(clusters: Iterable[Cluster]) -> set[tuple[object, ...]]:
    return {(cluster.endpoint, cluster.example.place) for cluster in clusters}


def _unsteady_clusters(drawn: Iterable[Observation], unsteady: Unsteady, first: Comparison) -> list[Cluster]:
    """One cluster for each place at which the candidate differs from itself."""
    found: dict[tuple[object, ...], Cluster] = {}
    for one in drawn:
        told = replace(one, difference=unsteady.told(one))
        nothing = Evidence(frozenset(), 0, first.endpoints[one.endpoint])
        cluster = found.setdefault(cluster_key(told), Cluster(one.endpoint, told.difference, nothing))
        cluster.observations.setdefault(one.key, told)
    for cluster in found.values():
        cluster.of, cluster.confidence = first.endpoints[cluster.endpoint], CEILING
    return list(found.values())


def _frequency_clusters(
    changed: Iterable[Tried], told: set[tuple[object, ...]], first: Comparison, hidden: Hidden
) -> list[Cluster]:
    """Clusters of what happens more often than by itself, at places of which nothing is told yet."""
    found: list[Cluster] = []
    for one in changed:
        shown = [replace(each, difference=_as_frequency(each.difference, one.how)) for each in one.shown]
        if not shown or (shown[0].endpoint, shown[0].difference.place) in told:
            continue
        endpoint, example = shown[0].endpoint, shown[0].difference
        cluster = Cluster(endpoint, example, Evidence(frozenset(), 0, 0))
        cluster.observations = {each.key: each for each in shown}
        cluster.of = max(first.endpoints[endpoint], len(cluster.observations))
        cluster.confidence = round(min(CEILING, 1 - one.p_value), 3)
        cluster.notes.append(f"changed frequency: {one.how}")
        hidden.forget(endpoint, example)
        found.append(cluster)
    return found


def _as_frequency(one: Difference, how: str) -> Difference:
    if one.surface is not Surface.RESPONSE or one.kind != "value_changed":
        return one
    return replace(one, trait="frequency", transition="changed frequency")
