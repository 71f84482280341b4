"""The recording as a third party: what it answered says which side changed.

Baseline and candidate run today, on this machine; the recording was made elsewhere and before. Where the baseline still
answers as recorded and the candidate does not, the change did it. Where both answer otherwise, and alike, the
environment has drifted: that is listed, and never a finding.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ..causes.cluster import Cluster
from ..comparison import Comparison, Side, Unordered, compare_runs
from ..endpoints.templates import Templates
from ..report.model import Suppressed, Surface
from .model import NoiseModel, looks_generated
from .significance import confidence

AS_BASELINE = "the recording answers as the baseline does"
AS_CANDIDATE = "the recording answers as the candidate does: it is the baseline that differs from it"
AS_NEITHER = "the recording answers otherwise than either side"
DRIFT = "drift: the recording answers otherwise than both sides, which agree"
SURFACES = frozenset({Surface.STATUS, Surface.HEADER, Surface.RESPONSE})
"""What a recording shows in the same words as a run. Calls may have been recorded with other taps, or with none."""

Place = tuple[str, str, str, str]
At = tuple[str, Place]


def recorded_against(
    recording: Side, baseline: Side, candidate: Side, templates: Templates, unordered: Unordered
) -> tuple[Comparison, Comparison]:
    """The recording held against either side of the first round."""
    return (
        compare_runs(recording, baseline, templates, unordered),
        compare_runs(recording, candidate, templates, unordered),
    )


def triangulate(
    clusters: Sequence[Cluster], sides: tuple[Comparison, Comparison], noise: NoiseModel
) -> tuple[Suppressed, ...]:
    """Say in each cluster what the recording says of it, and list the drift. `sides` are the recording against the
    baseline and against the candidate."""
    places = [_places(one, noise) for one in sides]
    for cluster in clusters:
        if cluster.example.surface in SURFACES:
            _say(cluster, places, sides[0], noise)
    told = {(cluster.endpoint, cluster.example.place) for cluster in clusters}
    return _drift(sides, noise, told)


def _places(comparison: Comparison, noise: NoiseModel) -> dict[At, set[str]]:
    """Which requests differ from the recording, by place; noise left out."""
    found: dict[At, set[str]] = defaultdict(set)
    for one in comparison.observations:
        evidence = noise.evidence(one.endpoint, one.difference)
        if not evidence.differs and one.difference.surface in SURFACES and not looks_generated(one.difference):
            found[one.endpoint, one.difference.place].add(one.key)
    return found


def _say(cluster: Cluster, places: Sequence[dict[At, set[str]]], recorded: Comparison, noise: NoiseModel) -> None:
    at = (cluster.endpoint, cluster.example.place)
    keys = set(cluster.observations) & recorded.pairs.keys()
    if not keys or cluster.evidence.differs:
        return
    baseline, candidate = (len(keys & one.get(at, set())) for one in places)
    if not baseline and candidate == len(keys):
        cluster.notes.append(AS_BASELINE)
        _raise(cluster, recorded, noise)
    elif baseline == len(keys):
        cluster.notes.append(AS_NEITHER if candidate else AS_CANDIDATE)


def _raise(cluster: Cluster, recorded: Comparison, noise: NoiseModel) -> None:
    """The recording is one more run of the baseline, which did not show it either."""
    trials = noise.trials.get(cluster.endpoint, 0) + recorded.endpoints[cluster.endpoint]
    rounds = 1 + max(cluster.confirmed.get(key, 0) for key in cluster.observations)
    sure = confidence(len(cluster.observations), cluster.of, rounds, trials)
    cluster.confidence = max(cluster.confidence, sure)


def _drift(
    sides: tuple[Comparison, Comparison], noise: NoiseModel, told: Iterable[tuple[object, ...]]
) -> tuple[Suppressed, ...]:
    """What both sides answer otherwise than recorded, at places of which no finding tells."""
    baseline, candidate = (_places(one, noise) for one in sides)
    known = set(told)
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in sides[0].observations:
        at = (one.endpoint, one.difference.place)
        if at not in known and one.key in baseline.get(at, ()) and one.key in candidate.get(at, ()):
            path = one.difference.path or one.difference.surface.value
            counts[one.endpoint, path, one.difference.kind] += 1
    return tuple(
        Suppressed(path, kind, f"{endpoint}: {DRIFT}", hides)
        for (endpoint, path, kind), hides in sorted(counts.items())
    )
