"""Findings in the order in which a report shows them, with their examples explained."""

from collections.abc import Sequence

from .canonical import Form
from .cluster import Cluster, finding_id, reproduce_command, to_finding
from .compare.body import body_of
from .comparison import Comparison
from .difference import Difference
from .explain import explain
from .latency import Slowdown
from .report.model import Finding, Json, Surface
from .rounds import JudgeOptions
from .severity import severity_of

MAX_EXPLAINED = 5
"""Most findings that deepdiff describes."""


def rank(one: Finding) -> tuple[object, ...]:
    """Sort key: worst first, surest first, most frequent first."""
    return (-one.severity, -one.confidence, -one.requests, one.endpoint, one.path or "", one.id)


def cluster_findings(clusters: Sequence[Cluster], first: Comparison, options: JudgeOptions) -> list[Finding]:
    """The findings of clusters; the first few changed bodies are explained."""
    order = {key: index for index, key in enumerate(first.pairs)}
    findings: list[Finding] = []
    explained: set[str] = set()
    for cluster in clusters:
        _note_context(cluster, first)
        key = min(cluster.observations, key=lambda one: (order.get(one, len(order)), one))
        wanted = options.explain and cluster.example.surface is Surface.RESPONSE and key not in explained
        lines = _explained(first, key, cluster.example) if wanted and len(explained) < MAX_EXPLAINED else ()
        explained.update({key} if lines else ())
        findings.append(to_finding(cluster, options.reproduce, order, lines))
    return findings


def _note_context(cluster: Cluster, first: Comparison) -> None:
    said = sorted({first.context[key] for key in cluster.observations if key in first.context})
    cluster.notes.extend(said[:3])


def _explained(first: Comparison, key: str, one: Difference) -> tuple[str, ...]:
    """The account of the branch that the finding is in: what changed elsewhere is noise, or a finding of its own."""
    _, pair = first.pairs[key]
    if pair.before.response is None or pair.after.response is None:
        return ()
    old, new = body_of(pair.before.response), body_of(pair.after.response)
    if old.form is not Form.JSON or new.form is not Form.JSON:
        return ()
    branch = (one.path or "$").removeprefix("$.").split(".", 1)[0].split("[", 1)[0]
    before, after = _branch(old.value, branch), _branch(new.value, branch)
    return explain(before, after, old.size + new.size)


def _branch(value: Json, name: str) -> Json:
    """The member `name` alone, or the whole where there is no such member."""
    return {name: value[name]} if isinstance(value, dict) and name in value else value


def slowdown_findings(slowdowns: Sequence[Slowdown], options: JudgeOptions) -> list[Finding]:
    """`latency.location` for endpoints that regressed (warning) or improved (info)."""
    return [_slowdown(one, options) for one in slowdowns]


def _slowdown(one: Slowdown, options: JudgeOptions) -> Finding:
    trait = "improved" if one.row.estimate < 0 else ""
    moved = f"{one.row.estimate * 100:+.0f} %"
    difference = Difference(Surface.LATENCY, "location", None, one.before_ms, one.after_ms, moved, trait)
    ids = tuple(key.split("#", 1)[0] for key in one.keys)
    return Finding(
        id=finding_id(one.row.endpoint, difference),
        surface=difference.surface,
        kind=difference.kind,
        severity=severity_of(difference),
        confidence=one.confidence,
        endpoint=one.row.endpoint,
        path=None,
        service=None,
        operation=None,
        transition=moved,
        requests=one.row.pairs,
        of=one.row.pairs,
        exchanges=ids,
        before=one.before_ms,
        after=one.after_ms,
        reproduce=reproduce_command(options.reproduce, ids[0]),
        explanation=("service time, median in ms",),
    )
