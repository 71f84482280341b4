"""Clusters that always show together: one change seen at several places of an answer.

Two rules hold here. Showing at the same requests alone proves nothing: two clusters are one only where they are also
one kind of change of one thing (the same member of the same part, or the same values), or where one takes the other's
place. Different endpoints stay apart: each is somebody's contract.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..report.model import Severity, Surface
from .cluster import Cluster
from .severity import severity_of

JACCARD = 0.95
"""Share of requests that two clusters must have in common (facts: co-occurrence)."""
MIN_SHARED = 3
"""Requests in common below which showing together is no evidence."""
_STRUCTURE = frozenset(
    {
        "field_removed",
        "field_renamed",
        "type_changed",
        "numeric_repr",
        "null_vs_missing",
        "null_vs_empty",
        "format_changed",
    }
)
_REPLACED = "replaced by"


def merge_together(clusters: Sequence[Cluster]) -> list[Cluster]:
    """`clusters` with those that are one change merged into the one nearest to the root."""
    gone: set[int] = set()
    by_endpoint: dict[str, list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        if cluster.example.surface is Surface.RESPONSE and cluster.example.path:
            by_endpoint[cluster.endpoint].append(cluster)
    for leader, other in _cookies(clusters):
        gone.add(id(other))
        leader.notes.append(f"and {other.example.transition} ({len(other.observations)} requests)")
    for group in by_endpoint.values():
        for leader, other in _one_or_many(group):
            gone.add(id(other))
            for key, observation in other.observations.items():
                renamed = replace(observation.difference, path=leader.example.path)
                leader.observations.setdefault(key, replace(observation, difference=renamed))
                leader.confirmed.setdefault(key, other.confirmed.get(key, 0))
        left = [one for one in group if id(one) not in gone]
        for leader, other, why in (*_repeated(left), *_replaced(left)):
            if id(leader) not in gone and id(other) not in gone:
                gone.add(id(other))
                leader.notes.append(f"{why} {other.example.path} ({len(other.observations)} requests)")
    return [cluster for cluster in clusters if id(cluster) not in gone]


Merged = tuple[Cluster, Cluster, str]


def _cookies(clusters: Sequence[Cluster]) -> Iterable[tuple[Cluster, Cluster]]:
    """What protects one cookie, lost at the same requests: one line of code sets it."""
    same: dict[tuple[str, str, str], list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        one = cluster.example
        if one.surface is Surface.HEADER and one.kind == "attribute_changed":
            same[cluster.endpoint, one.trait, one.transition.partition(":")[0]].append(cluster)
    for alike in same.values():
        alike.sort(key=lambda one: one.example.transition)
        yield from ((alike[0], other) for other in alike[1:] if _co_occur(alike[0], other))


def _one_or_many(group: Sequence[Cluster]) -> Iterable[tuple[Cluster, Cluster]]:
    """The same change of the same member, which stands in a list at some requests and alone at others: XML has no
    other way to write a list of one."""
    same: dict[tuple[str, ...], list[Cluster]] = defaultdict(list)
    for cluster in group:
        one = cluster.example
        same[one.kind, one.trait, ".".join(names_of(cluster))].append(cluster)
    for alike in same.values():
        alike.sort(key=lambda one: (-(one.example.path or "").count("[*]"), one.example.path or ""))
        for other in alike[1:]:
            if other.example.path != alike[0].example.path:
                yield alike[0], other


def _repeated(group: Sequence[Cluster]) -> Iterable[Merged]:
    """The same change of the same thing, shown at several places: a part that an answer holds twice."""
    same: dict[tuple[str, ...], list[Cluster]] = defaultdict(list)
    for cluster in group:
        same[_sort(cluster)].append(cluster)
    for alike in same.values():
        alike.sort(key=lambda one: (len(names_of(one)), one.example.path or ""))
        for place, other in enumerate(alike):
            leader = next((one for one in alike[:place] if _is_one(one, other)), None)
            if leader:
                yield leader, other, "the same at"


def _sort(cluster: Cluster) -> tuple[str, ...]:
    one = cluster.example
    return (one.kind, one.transition, one.trait, names_of(cluster)[-1])


def names_of(cluster: Cluster) -> list[str]:
    """The members' names on a cluster's path, without list marks."""
    return (cluster.example.path or "").replace("[*]", "").split(".")


def _is_one(leader: Cluster, other: Cluster) -> bool:
    if not _co_occur(leader, other):
        return False
    if leader.example.kind in _STRUCTURE and names_of(leader)[-2:] == names_of(other)[-2:]:
        return True
    shared = leader.observations.keys() & other.observations.keys()
    return all(_values(leader, key) == _values(other, key) for key in shared)


def _values(cluster: Cluster, key: str) -> tuple[str, str]:
    one = cluster.observations[key].difference
    return repr(one.before), repr(one.after)


def _co_occur(one: Cluster, other: Cluster) -> bool:
    left, right = one.observations.keys(), other.observations.keys()
    shared = len(left & right)
    return shared >= MIN_SHARED and shared >= JACCARD * len(left | right)


def _replaced(group: Sequence[Cluster]) -> Iterable[Merged]:
    """What was added at exactly the requests, and in exactly the part, where something went: an error that is written
    otherwise. What is worth a look by itself (a sensitive name) stays."""
    for leader in group:
        if leader.example.kind != "field_removed":
            continue
        for other in group:
            added = other.example.kind == "field_added" and severity_of(other.example) is Severity.INFO
            if added and names_of(leader)[:-1] == names_of(other)[:-1] and _co_occur(leader, other):
                yield leader, other, _REPLACED
