"""`judge`: rounds of runs in, a report out. Pure: what a later machine judges from the same files is the same.

The first round finds, later rounds confirm at the same requests, and what baselines show among themselves is noise.
A comparison of nothing is never "same".
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..capture.model import Role
from .calltrees import draw_trees
from .causes.findings import cluster_findings, rank
from .causes.triage import triage
from .comparison import Comparison, Side, compare_runs
from .egress import egress_findings
from .endpoints.templates import Templates
from .identity.relate import relate, relate_alike
from .inconclusive import why_inconclusive
from .latency.runs import latency_of
from .noise.model import learn_noise
from .noise.stored import StoredNoise
from .noise.triangulation import recorded_against, triangulate
from .pair import inbound
from .protocols import PROCESS, SURFACES
from .report.model import Compared, Coverage, Report, Suppressed, Verdict
from .resources import resource_findings
from .rounds import JudgeOptions, Round, Run
from .slowdowns import with_slowdowns
from .unsent import unsent_lines

__all__ = ["JudgeOptions", "Judged", "Round", "Run", "judge", "judge_and_learn"]


class Judged(NamedTuple):
    """A report, and what was learnt of the baseline on the way: its noise, without a key."""

    report: Report
    noise: StoredNoise


def judge(
    rounds: Sequence[Round],
    noise: Sequence[Run] = (),
    options: JudgeOptions | None = None,
    timing: Sequence[Round] = (),
    recording: Run | None = None,
) -> Report:
    """The report on `rounds`; `noise` are further runs of the baseline, `timing` rounds that replayed some endpoints
    again for their times alone, `recording` is the capture that was replayed, as a third party."""
    return judge_and_learn(rounds, noise, options, timing, recording).report


def judge_and_learn(
    rounds: Sequence[Round],
    noise: Sequence[Run] = (),
    options: JudgeOptions | None = None,
    timing: Sequence[Round] = (),
    recording: Run | None = None,
    known: StoredNoise | None = None,
) -> Judged:
    """`judge`, with the noise that was learnt; `known` is what earlier verifications of the same baseline learnt."""
    options = options or JudgeOptions()
    if not rounds:
        return Judged(Report(Verdict.INCONCLUSIVE, "no round was replayed", Compared()), known or StoredNoise())
    runs = [run for round_ in rounds for run in (round_.baseline, round_.candidate)] + list(noise)
    templates = Templates.learn(exchange for run in runs for exchange in run.exchanges)
    sides = {id(run): Side.of(run) for run in runs}
    baselines = [sides[id(run)] for run in (*(round_.baseline for round_ in rounds), *noise)]
    model, itself = learn_noise(baselines, templates, known)
    comparisons = [
        compare_runs(sides[id(round_.baseline)], sides[id(round_.candidate)], templates, model.unordered)
        for round_ in rounds
    ]
    relate(comparisons, itself, model.unordered)
    candidates = [sides[id(round_.candidate)] for round_ in rounds]
    unlike = [compare_runs(candidates[0], other, templates, model.unordered) for other in candidates[1:]]
    relate_alike(unlike, model.unordered)
    triaged = triage(comparisons, model, itself, unlike)
    drift: tuple[Suppressed, ...] = ()
    if recording is not None:
        against = recorded_against(Side.of(recording), baselines[0], candidates[0], templates, model.unordered)
        drift = triangulate(triaged.clusters, against, model)
    latency = latency_of(comparisons, itself, sides.values(), timing, templates)
    found = cluster_findings(triaged.clusters, comparisons[0], options)
    found = with_slowdowns(found, latency.changes, options)
    found += egress_findings(rounds, noise)
    found += resource_findings(rounds, noise, options)
    findings = sorted(found, key=rank)
    reason, final = why_inconclusive(rounds, comparisons[0])
    gating = any(finding.severity >= options.fail_on for finding in findings)
    report = Report(
        verdict=_verdict(gating, reason, final),
        reason=reason if final or not gating else None,
        capture=_compared(rounds[0]),
        findings=tuple(findings),
        suppressed=(*triaged.suppressed, *drift),
        latency=latency.rows,
        coverage=_coverage(rounds, comparisons[0], [*triaged.undecided, *latency.notes]),
        trees=draw_trees(rounds[0], comparisons[0], findings, templates),
    )
    return Judged(report, model.stored(""))


def _verdict(gating: bool, reason: str | None, final: bool) -> Verdict:
    if final:
        return Verdict.INCONCLUSIVE
    if gating:
        return Verdict.DIVERGED
    return Verdict.INCONCLUSIVE if reason else Verdict.SAME


def _compared(first: Round) -> Compared:
    sides = (first.baseline.losses, first.candidate.losses)
    return Compared(
        exchanges=len(inbound(first.baseline)),
        dropped=max(one.dropped for one in sides),
        withheld=max(one.withheld for one in sides),
        truncated=max(one.truncated for one in sides),
        expired=max(one.expired for one in sides),
    )


def _coverage(rounds: Sequence[Round], first: Comparison, notes: Sequence[str] = ()) -> Coverage:
    unverified = [
        f"{endpoint}: {why} ({count} of {first.endpoints[endpoint]} requests)"
        for (endpoint, why), count in sorted(first.unverified.items())
    ]
    for name, run in (("baseline", rounds[0].baseline), ("candidate", rounds[0].candidate)):
        losses = {
            "exchanges dropped": run.losses.dropped,
            "gaps in what was recorded": run.losses.gaps,
            "exchanges expired": run.losses.expired,
        }
        unverified.extend(f"{name}: {count} {what}" for what, count in losses.items() if count)
        if not run.complete:
            unverified.append(f"{name}: the recording was not closed, its end may be missing")
        unverified.extend(f"{name}: {line}" for line in _unread_protocols(run))
    return Coverage(tuple(sorted(_covered(first))), (*first.alone, *unverified, *unsent_lines(rounds[0]), *notes))


def _covered(first: Comparison) -> list[str]:
    return [f"state of {name}" if name in first.tables else name for name in first.endpoints]


def _unread_protocols(run: Run) -> list[str]:
    """Protocols of downstream calls that are not compared, or only by their bytes."""
    held = {one.protocol for one in run.exchanges if one.role is Role.OUTBOUND} - {PROCESS}
    unknown = [
        f"{protocol} calls are recorded, not compared" for protocol in sorted(held - SURFACES.keys() - {PROCESS})
    ]
    return [*unknown, "tcp calls are compared by size and digest only"] if "tcp" in held else unknown
