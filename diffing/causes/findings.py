"""Findings in the order in which a report shows them, with their examples explained."""

import re
from collections.abc import Sequence

from ..canonical import Form
from ..compare.body import body_of
from ..comparison import Comparison
from ..difference import Difference, child
from ..explain import explain
from ..report.model import Finding, Json, Surface
from ..rounds import JudgeOptions
from .cluster import Cluster, to_finding
from .late import late_note

MAX_EXPLAINED = 5
"""Most findings that deepdiff describes."""
_TOP = re.compile(r"\$(?:\.[^.\[]+|\['(?:[^'\\]|\\.)*'\])?", re.DOTALL)


def rank(one: Finding) -> tuple[object, ...]:
    """Sort key: worst first, surest first, most frequent first."""
    return (-one.severity, -one.confidence, -one.requests, one.endpoint, one.path or "", one.id)


def cluster_findings(clusters: Sequence[Cluster], first: Comparison, options: JudgeOptions) -> list[Finding]:
    """The findings of clusters; the first few changed bodies are explained."""
    order = {key: index for index, key in enumerate(first.pairs)}
    findings: list[Finding] = []
    explained: set[tuple[str, str]] = set()
    for cluster in clusters:
        _note_context(cluster, first)
        key = min(cluster.observations, key=lambda one: (order.get(one, len(order)), one))
        # Two findings in one branch of one body would be told the same twice.
        branch = (key, _branch(cluster.example))
        wanted = options.explain and cluster.example.surface is Surface.RESPONSE and branch not in explained
        lines = _explained(first, key, cluster.example) if wanted and len(explained) < MAX_EXPLAINED else ()
        explained.update({branch} if lines else ())
        findings.append(to_finding(cluster, options.reproduce, order, lines))
    return findings


def _note_context(cluster: Cluster, first: Comparison) -> None:
    said = sorted({first.context[key] for key in cluster.observations if key in first.context})
    cluster.notes.extend(said[:3])
    if cluster.example.surface is Surface.STATUS:
        late = late_note(cluster.observations.keys(), cluster.endpoint, first)
        cluster.notes.extend([late] if late else [])


def _explained(first: Comparison, key: str, one: Difference) -> tuple[str, ...]:
    """The account of the branch that the finding is in: what changed elsewhere is noise, or a finding of its own."""
    _, pair = first.pairs[key]
    if pair.before.response is None or pair.after.response is None:
        return ()
    old, new = body_of(pair.before.response), body_of(pair.after.response)
    if old.form is not Form.JSON or new.form is not Form.JSON:
        return ()
    before, after = _own_part(old.value, new.value, one)
    return explain(before, after, old.size + new.size)


def _branch(one: Difference) -> str:
    """The path of the body's member that a difference is in: `$.items` of `$.items[*].sku`."""
    found = _TOP.match(one.path or "$")
    return found[0] if found else "$"


def _own_part(before: Json, after: Json, one: Difference) -> tuple[Json, Json]:
    """Both bodies with only the members of the difference's branch, a renamed one under both names; whole where they
    have no members, or none of that path."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return before, after
    branch = _branch(one)
    names = {name for name in (*before, *after) if child("$", name) == branch}
    if one.kind == "field_renamed" and one.path == branch:
        names.add(one.transition.partition("→")[2])
    if not names:
        return before, after
    # A lost or new member is on one side only: that side shows nothing then, never the rest of the body.
    old = {name: value for name, value in before.items() if name in names}
    new = {name: value for name, value in after.items() if name in names}
    return old, new
