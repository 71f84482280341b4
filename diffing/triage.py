"""From differences to findings: one cause, one finding.

Rules: a difference that the baseline shows against itself at the same request proves nothing; one that a later round
does not show at the same request is not reported; a cause that explains others absorbs them. Nothing is dropped
silently: what is not reported is listed as suppressed, with the reason and how many occurrences it hides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from .cluster import Cluster, cluster_key
from .comparison import Comparison, Observation
from .difference import Difference
from .merge import absorb
from .noise import Evidence, NoiseModel, looks_generated
from .report.model import Suppressed, Surface
from .significance import benjamini_hochberg, confidence, fisher_greater

RELATION_US = 30_000_000
"""A time that moved by less against its request is jitter."""
SPREAD_US = 10_000_000
MIN_MOVED = 3
MIXED_UP = 0.2
"""Share of requests up to which calls of inferred cause may have been given to the wrong one."""
MIN_RATE_RATIO = 3
"""A noisy difference counts only where it is this much more frequent than by itself."""
UNORDERED = "order changes in the baseline itself"


@dataclass(slots=True)
class Hidden:
    """Suppressed occurrences, summed up by place, kind and reason."""

    counts: dict[tuple[str, str, str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, one: Observation, why: str) -> None:
        """Hide one occurrence."""
        path = one.difference.path or one.difference.operation or one.difference.surface.value
        self.counts[one.endpoint, path, one.difference.kind, why] += 1

    def listed(self) -> tuple[Suppressed, ...]:
        """All of them, sorted."""
        return tuple(
            Suppressed(path, kind, f"{endpoint}: {why}", hides)
            for (endpoint, path, kind, why), hides in sorted(self.counts.items())
        )


def triage(rounds: Sequence[Comparison], noise: NoiseModel) -> tuple[list[Cluster], tuple[Suppressed, ...]]:
    """The clusters that stand, and what was suppressed."""
    hidden = Hidden()
    first = rounds[0]
    for one in first.masked:
        hidden.add(one, "each side names its own address")
    moved = [moved_times(comparison, noise) for comparison in rounds]
    later = [Later.of(comparison, extra) for comparison, extra in zip(rounds[1:], moved[1:], strict=True)]
    clusters = _gather([*first.observations, *moved[0]], noise, hidden)
    clusters = _undoubted(clusters, first, hidden)
    clusters = _confirmed(clusters, later, hidden)
    clusters = _significant(clusters, first, noise, hidden)
    clusters = absorb(clusters)
    for cluster in clusters:
        _weigh(cluster, first, len(later), noise)
    return clusters, hidden.listed()


def moved_times(comparison: Comparison, noise: NoiseModel) -> list[Observation]:
    """`relation_changed` where times that are new in each run lie elsewhere against their own requests: an expiry of
    15 minutes instead of an hour. Only where all moved the same way, and further than they do by themselves."""
    places: dict[tuple[str, tuple[str, str, str, str]], list[Observation]] = defaultdict(list)
    for one in comparison.observations:
        # A row's time is held against when its table was read: that says nothing of when it was written.
        if one.difference.shift_us is not None and one.difference.surface is not Surface.STATE:
            places[one.endpoint, one.difference.place].append(one)
    found: list[Observation] = []
    for (endpoint, place), observations in places.items():
        by_itself = noise.shift(endpoint, place)
        shifts = [one.difference.shift_us or 0 for one in observations]
        if by_itself is None and not _follows_requests(observations, shifts):
            continue
        bound = max(RELATION_US, 10 * (by_itself or 0))
        if min(shifts) > bound or max(shifts) < -bound:
            found.extend(replace(one, difference=_moved(one)) for one in observations)
    return found


def _follows_requests(observations: Sequence[Observation], shifts: Sequence[int]) -> bool:
    """Whether a time that never moved by itself (both baselines asked in the same second) still goes with its
    request: different at different requests, and moved by one distance at all of them."""
    values = {str(one.difference.before) for one in observations}
    return len(values) >= MIN_MOVED and max(shifts) - min(shifts) <= SPREAD_US


def _moved(one: Observation) -> Difference:
    minutes = round((one.difference.shift_us or 0) / 60_000_000)
    moved = f"{minutes:+d} min against the request"
    return replace(one.difference, kind="relation_changed", trait="", shift_us=None, transition=moved)


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
    kind = "members" if difference.kind in {"multiset_changed", "length_changed"} else difference.grade
    status = difference.transition if difference.surface.value == "status" else ""
    return (one.key, difference.place, kind, status)


def _gather(observations: Iterable[Observation], noise: NoiseModel, hidden: Hidden) -> list[Cluster]:
    clusters: dict[tuple[object, ...], Cluster] = {}
    for one in observations:
        evidence = noise.evidence(one.endpoint, one.difference)
        why = _noise(one, evidence)
        if why:
            hidden.add(one, why)
            continue
        key = cluster_key(one)
        cluster = clusters.setdefault(key, Cluster(one.endpoint, one.difference, evidence))
        cluster.observations.setdefault(one.key, one)
    return list(clusters.values())


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
        rate = len(cluster.observations) / max(1, first.endpoints[cluster.endpoint])
        by_itself = cluster.evidence.differs / max(1, cluster.evidence.trials)
        if real and rate >= MIN_RATE_RATIO * by_itself:
            kept.append(cluster)
            continue
        for one in cluster.observations.values():
            hidden.add(one, f"as rare as between baselines: {cluster.evidence.differs} in {cluster.evidence.trials}")
    return kept


def _p_value(cluster: Cluster, first: Comparison) -> float:
    evidence = cluster.evidence
    return fisher_greater(
        len(cluster.observations),
        first.endpoints[cluster.endpoint],
        min(evidence.differs, evidence.trials),
        evidence.trials,
    )


def _weigh(cluster: Cluster, first: Comparison, later: int, noise: NoiseModel) -> None:
    rounds = 1 + (max(cluster.confirmed.get(key, 0) for key in cluster.observations) if later else 0)
    requests = first.endpoints[cluster.endpoint]
    cluster.of = max(requests, len(cluster.observations))
    cluster.confidence = confidence(
        len(cluster.observations), cluster.of, rounds, noise.trials.get(cluster.endpoint, 0)
    )
