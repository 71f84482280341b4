"""A cluster: the occurrences of what looks like one cause, and the finding made of it.

A finding's id is a hash of what the cause is (surface, kind, endpoint, path, service, operation, and for statuses and
cookies the transition), never of a recorded value: it is the same from run to run.
"""

import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..comparison import Observation
from ..difference import Difference
from ..noise.model import Evidence
from ..report.model import Finding, Json, Surface
from .severity import severity_of

MAX_EXAMPLES = 20
MAX_WORD = 40

_PLAIN_ID = re.compile(r"[a-z0-9-]+")


@dataclass(slots=True)
class Cluster:
    """`observations` by request; `confirmed` counts the later rounds that showed each again; `seen` are all requests of
    the first round that showed it, noise or not; `example` is one of the differences, `evidence` what the baseline
    against itself says of it."""

    endpoint: str
    example: Difference
    evidence: Evidence
    observations: dict[str, Observation] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    of: int = 0
    confidence: float = 0.5
    notes: list[str] = field(default_factory=list)


def cluster_key(one: Observation) -> tuple[object, ...]:
    """What two observations share that have one cause."""
    return (one.endpoint, *_cause(one.difference))


def _cause(one: Difference) -> tuple[str, ...]:
    return (*one.place, one.kind, transition_class(one))


def transition_class(one: Difference) -> str:
    """The part of a transition that tells causes apart: which status, which cookie, whether a call's count grew."""
    if one.surface in (Surface.STATUS, Surface.TRANSPORT) or one.path == "header.set-cookie":
        return one.transition
    return "improved" if one.trait == "improved" else ""


def finding_id(endpoint: str, one: Difference) -> str:
    """ "f-" and 8 hex digits."""
    text = "\x1f".join((endpoint, *_cause(one)))
    return "f-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def to_finding(cluster: Cluster, reproduce: str, order: dict[str, int], explanation: Sequence[str] = ()) -> Finding:
    """The finding of a cluster; `order` is the requests' order in the capture."""
    keys = sorted(cluster.observations, key=lambda key: (order.get(key, len(order)), key))
    one = cluster.observations[keys[0]].difference
    worst = max((observation.difference for observation in cluster.observations.values()), key=severity_of)
    asked = [cluster.observations[key].request or key for key in keys]
    ids = tuple(dict.fromkeys(key.split("#", 1)[0] for key in asked))[:MAX_EXAMPLES]
    return Finding(
        id=finding_id(cluster.endpoint, one),
        surface=one.surface,
        kind=one.kind,
        severity=severity_of(worst),
        confidence=cluster.confidence,
        endpoint=cluster.endpoint,
        path=one.path,
        service=one.service,
        operation=one.operation,
        transition=shown_transition(cluster),
        requests=len(keys),
        of=cluster.of,
        exchanges=ids,
        before=one.before,
        after=one.after,
        reproduce=reproduce_command(reproduce, ids[0]),
        explanation=(*cluster.notes, *explanation),
    )


def shown_transition(cluster: Cluster) -> str:
    """The transition that most occurrences show; the two values themselves where all share them and they are short."""
    differences = [one.difference for one in cluster.observations.values()]
    if cluster.example.kind == "value_changed":
        values = {(_word(one.before), _word(one.after)) for one in differences}
        if len(values) == 1 and all(next(iter(values))):
            return "→".join(next(iter(values)))
    ranked = Counter(one.transition for one in differences).most_common()
    most = [transition for transition, count in ranked if count == ranked[0][1]]
    return min(most)


def _word(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) and len(str(value)) <= MAX_WORD else ""


def reproduce_command(template: str, exchange: str) -> str:
    """`template` with the exchange's id, safe for a shell: a plain id as it is, any other quoted. Where the template
    itself quotes, quoting twice would open it again: then everything but plain characters is left out."""
    if not _PLAIN_ID.fullmatch(exchange):
        quoted = "'" in template or '"' in template
        exchange = re.sub(r"[^A-Za-z0-9._-]", "", exchange) if quoted else shlex.quote(exchange)
    return template.replace("{id}", exchange)
