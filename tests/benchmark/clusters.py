"""How well findings are causes: B-cubed precision and recall (Bagga and Baldwin, 1998), and findings a cause. Pure.

An item is one request that shows one finding. Its cluster is the finding, its category the true cause. A cause that is
split over findings costs recall, a finding that mixes causes precision; what was missed altogether is counted by recall
of detection, not here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .cases import Case
from .locus import Finding, belongs, is_alarm


@dataclass(frozen=True, slots=True)
class BCubed:
    """Precision, recall and their harmonic mean, each from 0 to 1 (1 of nothing)."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """So many requests in one cluster that have one category."""

    cluster: str
    category: str
    weight: int = 1


def b_cubed(items: Iterable[Item]) -> BCubed:
    """The score of a clustering, in linear time: items alike are counted, never compared in pairs."""
    both: Counter[tuple[str, str]] = Counter()
    for item in items:
        both[item.cluster, item.category] += item.weight
    clusters, categories = Counter[str](), Counter[str]()
    for (cluster, category), weight in both.items():
        clusters[cluster] += weight
        categories[category] += weight
    total = both.total()
    if not total:
        return BCubed(1.0, 1.0)
    precision = sum(weight * weight / clusters[cluster] for (cluster, _), weight in both.items()) / total
    recall = sum(weight * weight / categories[category] for (_, category), weight in both.items()) / total
    return BCubed(precision, recall)


def items_of(findings: Sequence[Finding], causes: Sequence[Case]) -> list[Item]:
    """The items of a mixture's report. A finding that tells of none of the `causes` is a category of its own."""
    items = []
    for finding in findings:
        if not is_alarm(finding):
            continue
        name = str(finding["id"])
        telling = [cause.id for cause in causes if belongs(finding, cause)] or [f"none of them: {name}"]
        items += [Item(name, category, max(1, int(finding["requests"]))) for category in telling]
    return items


def per_cause(findings: Sequence[Finding], causes: Sequence[Case]) -> float | None:
    """Findings above info for each true cause that was found; None where none was."""
    found: dict[str, int] = defaultdict(int)
    alarms = [finding for finding in findings if is_alarm(finding)]
    for cause in causes:
        found[cause.id] += any(belongs(finding, cause) for finding in alarms)
    causes_found = sum(found.values())
    return len(alarms) / causes_found if causes_found else None
