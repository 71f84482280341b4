"""What follows from an earlier divergence of a session: a request for something that this side was never told.

A later failure is folded under an earlier finding only where the request could not have gone right: the baseline asked
with a value that its earlier answer held, and the candidate's answer to that same earlier request, which a finding says
is another one, holds none of what it was then asked with. Every one of a cluster's requests must be explained so, and
by one finding: what is left over is a regression of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from ..canonical import canonical
from ..comparison import Comparison
from ..endpoints.templates import path_of
from ..pair import Pair
from ..report.model import Severity, Surface
from .cluster import Cluster
from .severity import severity_of

REFUSED = frozenset({"400", "403", "404", "409", "410", "412", "422"})
"""What is answered to who asks for what is not there."""
MIN_TOKEN = 2
MAX_EARLIER = 100
"""Earlier divergent requests of a session that are looked at."""


def fold_cascade(clusters: Sequence[Cluster], first: Comparison) -> list[Cluster]:
    """`clusters` without the failures that an earlier finding made inevitable; the finding says how many."""
    failures = [one for one in clusters if _is_refusal(one)]
    if not failures:
        return [*clusters]
    earlier = _divergent(clusters, first)
    gone: set[int] = set()
    for failure in failures:
        causes = [_cause(key, failure, earlier, first) for key in failure.observations]
        cause = causes[0]
        if cause is not None and all(one is cause for one in causes):
            gone.add(id(failure))
            later = f"{failure.endpoint} {failure.example.transition} of {len(failure.observations)} later requests"
            cause.notes.append(f"explains {later}: they ask for what its answer should have told")
    return [one for one in clusters if id(one) not in gone]


def _is_refusal(cluster: Cluster) -> bool:
    old, _, new = cluster.example.transition.partition("→")
    return cluster.example.surface is Surface.STATUS and old[:1] == "2" and new in REFUSED


Earlier = dict[str, list[tuple[Pair, Cluster]]]


def _divergent(clusters: Iterable[Cluster], first: Comparison) -> Earlier:
    """The pairs that a breaking finding on an answer names, by session, in order."""
    found: Earlier = defaultdict(list)
    for cluster in clusters:
        answers = cluster.example.surface in {Surface.RESPONSE, Surface.STATUS, Surface.HEADER}
        if answers and severity_of(cluster.example) is Severity.BREAKING:
            for key in cluster.observations:
                if key in first.pairs:
                    pair = first.pairs[key][1]
                    found[pair.before.session].append((pair, cluster))
    for held in found.values():
        held.sort(key=lambda entry: (entry[0].before.seq, id(entry[1])))
    return found


def _cause(key: str, failure: Cluster, earlier: Earlier, first: Comparison) -> Cluster | None:
    if key not in first.pairs:
        return None
    pair = first.pairs[key][1]
    before = [entry for entry in earlier.get(pair.before.session, ()) if entry[0].before.seq < pair.before.seq]
    for producer, cluster in reversed(before[-MAX_EARLIER:]):
        if cluster is not failure and _was_told_otherwise(producer, pair):
            return cluster
    return None


def _was_told_otherwise(producer: Pair, consumer: Pair) -> bool:
    """Whether the baseline's request holds a part of the producer's answer in a place where the candidate's holds
    nothing of its own producer's answer."""
    old = unquote(path_of(consumer.before.request.target)).split("/")
    new = unquote(path_of(consumer.after.request.target)).split("/")
    if len(old) != len(new):
        return False
    told = (_answer(producer, is_candidate=False), _answer(producer, is_candidate=True))
    return any(
        len(first) >= MIN_TOKEN and any(character.isdigit() for character in first)
        and _holds(told[0], first) and not _holds(told[1], second)
        for first, second in zip(old, new, strict=True)
    )  # fmt: skip


def _answer(pair: Pair, *, is_candidate: bool) -> bytes:
    exchange = pair.after if is_candidate else pair.before
    if exchange.response is None:
        return b""
    location = exchange.response.headers.get("location") or ""
    return canonical(exchange.response.body, exchange.response.headers).key + b" " + location.encode("utf-8", "replace")


def _holds(told: bytes, token: str) -> bool:
    """Whether `token` stands in an answer as a word of its own."""
    wanted = token.encode("utf-8", "surrogatepass")
    start = told.find(wanted)
    while start >= 0:
        around = told[max(0, start - 1) : start] + told[start + len(wanted) : start + len(wanted) + 1]
        if not any(chr(byte).isalnum() for byte in around):
            return True
        start = told.find(wanted, start + 1)
    return False
