"""One cause, one finding: clusters that another cluster explains are absorbed by it.

Only where the explanation is exact: the same endpoint, and the fields, calls or headers that the cause names.
"""

from collections.abc import Callable, Iterable

from ..comparison import Observation
from ..identity.sequence import OUT_OF_ORDER
from ..identity.sights import parts_of
from ..operation import is_write
from ..report.model import Severity, Surface
from .cluster import Cluster
from .severity import severity_of

_MEMBERS = ("multiset_changed", "length_changed")
_FINER = {
    "shape_changed": ("value_changed", "relation_broken"),
    "type_changed": ("relation_broken",),
    "format_changed": ("relation_changed",),
    "relation_changed": ("value_changed",),
    "relation_broken": ("value_changed",),
}
"""Kinds that explain others at their own place."""
CALLS = (Surface.HTTP, Surface.GRPC, Surface.SQL, Surface.REDIS, Surface.BUS)


def absorb(clusters: list[Cluster]) -> list[Cluster]:
    """`clusters` without those that others explain."""
    gone: set[int] = set()
    for rule in _RULES:
        left = [cluster for cluster in clusters if id(cluster) not in gone]
        for cluster, explained in rule(left):
            gone.add(id(explained))
            cluster.notes.append(_note(explained))
    return [cluster for cluster in clusters if id(cluster) not in gone]


Explained = Iterable[tuple[Cluster, Cluster]]
Rule = Callable[[list[Cluster]], Explained]


def _note(explained: Cluster) -> str:
    one = explained.example
    where = one.path or one.operation or ""
    return f"explains {one.surface.value}.{one.kind} {where} of {len(explained.observations)} requests"


def _of(clusters: list[Cluster], surface: Surface, *kinds: str) -> list[Cluster]:
    return [one for one in clusters if one.example.surface is surface and one.example.kind in kinds]


def _renamed(clusters: list[Cluster]) -> Explained:
    """A renaming explains the same fields' loss and gain where the values did not tell."""
    for cause in _of(clusters, Surface.RESPONSE, "field_renamed"):
        parent = (cause.example.path or "").rpartition(".")[0]
        old, _, new = cause.example.transition.partition("→")
        paths = {f"{parent}.{old}", f"{parent}.{new}"}
        for other in _of(clusters, Surface.RESPONSE, "field_removed", "field_added", "null_vs_missing"):
            if other.endpoint == cause.endpoint and other.example.path in paths:
                yield cause, other


def _members(clusters: list[Cluster]) -> Explained:
    """A list that lost members at some requests and was cut at others has one cause: the more frequent name stays."""
    by_place: dict[tuple[str, tuple[str, str, str, str]], list[Cluster]] = {}
    for one in _of(clusters, Surface.RESPONSE, *_MEMBERS):
        by_place.setdefault((one.endpoint, one.example.place), []).append(one)
    for group in by_place.values():
        group.sort(key=lambda one: (-len(one.observations), one.example.kind != "multiset_changed"))
        for other in group[1:]:
            for key, observation in other.observations.items():
                group[0].observations.setdefault(key, observation)
                group[0].confirmed.setdefault(key, other.confirmed.get(key, 0))
            yield group[0], other


def _moved(clusters: list[Cluster]) -> Explained:
    """A value that is made otherwise, or stands in another relation, is another value because of that; one that is made
    otherwise cannot keep its relations."""
    for cause in _of(clusters, Surface.RESPONSE, *_FINER):
        for other in _of(clusters, Surface.RESPONSE, *_FINER[cause.example.kind]):
            same = (other.endpoint, other.example.place) == (cause.endpoint, cause.example.place)
            if same and (other.example.kind == "value_changed" or _within(other, cause)):
                yield cause, other


def _within(other: Cluster, cause: Cluster) -> bool:
    return other.observations.keys() <= cause.observations.keys()


def _calls(clusters: list[Cluster], *kinds: str) -> list[Cluster]:
    return [one for one in clusters if one.example.surface in CALLS and one.example.kind in kinds]


def _scaled(clusters: list[Cluster]) -> Explained:
    """Calls that multiply explain single extra calls of the same operation, and the batch that they replace; where one
    call took the place of one, the batch was of one item. That is a part of the whole: a change that most requests show
    is none of a few that multiply, and what is better explains nothing that is worse."""
    for cause in _calls(clusters, "count_scaling"):
        operations = {cause.example.operation, *(one.difference.inner for one in cause.observations.values())} - {""}
        for other in _calls(clusters, "missing", "extra", "rewrite", "fingerprint_changed"):
            same = (other.endpoint, other.example.service) == (cause.endpoint, cause.example.service)
            named = {other.example.operation, other.example.inner} - {""}
            if same and named & operations and _outweighs(cause, other):
                yield cause, other


def _outweighs(cause: Cluster, other: Cluster) -> bool:
    if other.example.kind in {"missing", "extra"}:
        return True
    worse = severity_of(cause.example) >= severity_of(other.example)
    return worse and 2 * len(cause.observations) >= len(other.observations)


def _bypassed(clusters: list[Cluster]) -> Explained:
    """A cache that is asked no more: the reads behind it come at each request, and what filled it is gone."""
    for cause in _of(clusters, Surface.REDIS, "missing"):
        if is_write(Surface.REDIS, cause.example.operation or ""):
            continue
        for other in _calls(clusters, "extra", "missing", "count_scaling"):
            behind = other.example.kind == "extra" or other.example.surface is Surface.REDIS
            same = other.endpoint == cause.endpoint and other.observations.keys() <= cause.observations.keys()
            harmless = severity_of(other.example) < Severity.BREAKING
            if other is not cause and same and behind and harmless and _is_behind(cause, other):
                yield cause, other


def _is_behind(cause: Cluster, other: Cluster) -> bool:
    """Whether `other` is a read of a database, or fills the very key that is asked for no more."""
    if other.example.surface is not Surface.REDIS:
        return not is_write(other.example.surface, other.example.operation or "")
    key = (cause.example.operation or "").partition(" ")[2]
    fills = is_write(Surface.REDIS, other.example.operation or "")
    return fills and key == (other.example.operation or "").partition(" ")[2]


def _rolled_back(clusters: list[Cluster]) -> Explained:
    """A transaction that is taken back keeps nothing of its rows."""
    for cause in _of(clusters, Surface.STATUS, "changed"):
        for other in _of(clusters, Surface.SQL, "transaction_changed"):
            if other.endpoint == cause.endpoint and other.observations.keys() <= cause.observations.keys():
                yield cause, other


def _same_row(clusters: list[Cluster]) -> Explained:
    """Rows that are there twice are rows too many."""
    for cause in _of(clusters, Surface.STATE, "multiset_changed"):
        for other in _of(clusters, Surface.STATE, "row_extra", "row_missing"):
            if other.endpoint == cause.endpoint and other.observations.keys() <= cause.observations.keys():
                yield cause, other


def _refused(clusters: list[Cluster]) -> Explained:
    """Who refuses a request or fails at it makes other calls than who serves it: calls that are missing, new or
    multiplied at such requests alone follow from the status. Traffic to a new service is reported all the same, and so
    is what may be why: a new call that fails, one that failed and is not tried again."""
    for cause in _of(clusters, Surface.STATUS, "changed"):
        if all(_served(word) for word in cause.example.transition.split("→")):
            continue
        for other in _calls(clusters, "missing", "extra", "extra_write", "count_scaling"):
            same = other.endpoint == cause.endpoint and other.observations.keys() <= cause.observations.keys()
            if same and other.example.trait not in {"security", "failed"}:
                yield cause, other


def _served(outcome: str) -> bool:
    return int(outcome) < 400 if outcome.isdigit() else outcome in {"OK", "ok"}


def _broken_relation(clusters: list[Cluster]) -> Explained:
    for cause in _of(clusters, Surface.RESPONSE, "relation_broken"):
        for other in _of(clusters, Surface.HEADER, "changed"):
            if other.endpoint == cause.endpoint and other.example.path == "header.location":
                yield cause, other


def _one_id(clusters: list[Cluster]) -> Explained:
    """An id that is another's is so wherever the answer names it; a request that was carried out a second time (few of
    its endpoint's) names nothing that it named at first."""
    early = [
        one for one in _of(clusters, Surface.RESPONSE, "relation_changed") if one.example.transition == OUT_OF_ORDER
    ]
    for group in (_of(clusters, Surface.RESPONSE, "relation_broken"), early):
        yield from _named_again(sorted(group, key=_telling))


def _named_again(broken: list[Cluster]) -> Explained:
    taken: set[int] = set()
    for cause in broken:
        for other in broken:
            if other is cause or other.endpoint != cause.endpoint or {id(other), id(cause)} & taken:
                continue
            if _within(other, cause) and (_is_location(cause) or _is_minority(cause) or _same_ids(cause, other)):
                taken.add(id(other))
                yield cause, other


def _telling(cluster: Cluster) -> tuple[object, ...]:
    """Most requests first, then the Location that says itself what it contradicts, then the shortest path of a body."""
    path = cluster.example.path or ""
    steps = path.count(".") + path.count("[")
    return (-len(cluster.observations), not _is_location(cluster), not path.startswith("$"), steps, path)


def _is_location(cluster: Cluster) -> bool:
    return cluster.example.path == "header.location" and cluster.example.transition.startswith("location = ")


def _is_minority(cluster: Cluster) -> bool:
    return 2 * len(cluster.observations) < cluster.of


def _same_ids(cause: Cluster, other: Cluster) -> bool:
    return all(_ids(one) & _ids(cause.observations[key]) for key, one in other.observations.items())


def _ids(one: Observation) -> set[tuple[str, str]]:
    return {(part.before, part.after) for part in parts_of(one.difference.before, one.difference.after)}


def _made_otherwise(clusters: list[Cluster]) -> Explained:
    """An id that is made otherwise is so in a Location and in a link too."""
    for cause in _of(clusters, Surface.RESPONSE, "shape_changed", "type_changed"):
        others = [*_of(clusters, Surface.HEADER, "changed"), *_of(clusters, Surface.RESPONSE, "relation_broken")]
        for other in others:
            if other.endpoint == cause.endpoint and _within(other, cause) and _same_ids(cause, other):
                yield cause, other


def _carried_out_again(clusters: list[Cluster]) -> Explained:
    """What should have answered as it did before did its work a second time: its calls, and the rows that they left,
    at those requests alone."""
    for cause in _of(clusters, Surface.RESPONSE, "relation_broken"):
        if not _is_minority(cause):
            continue
        for other in _calls(clusters, "missing", "extra", "extra_write"):
            if other.endpoint == cause.endpoint and _within(other, cause):
                yield cause, other
        for other in _of(clusters, Surface.STATE, "row_extra", "multiset_changed"):
            if all(one.request in cause.observations for one in other.observations.values()):
                yield cause, other


def _written(clusters: list[Cluster]) -> Explained:
    """A statement that writes another's id leaves it behind."""
    for cause in _of(clusters, Surface.SQL, "argument_changed"):
        if cause.example.inner != "relation_broken":
            continue
        for other in _of(clusters, Surface.STATE, "row_changed"):
            if all(_wrote(cause, one) for one in other.observations.values()):
                yield cause, other


def _wrote(cause: Cluster, row: Observation) -> bool:
    written = cause.observations.get(row.request)
    return written is not None and written.difference.after == row.difference.after


_RULES: tuple[Rule, ...] = (
    _renamed,
    _members,
    _moved,
    _scaled,
    _bypassed,
    _rolled_back,
    _broken_relation,
    _made_otherwise,
    _one_id,
    _carried_out_again,
    _written,
    _refused,
    _same_row,
)
