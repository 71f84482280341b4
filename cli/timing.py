"""What is replayed again for its times alone: the plan of a timing round. PURE.

Rule: a request is never replayed without what it depends on. That is what its session did before it, every write before
it, whoever made it, and whose answers its values come from.
"""

from dataclasses import replace

from ..diffing.latency.stages import Wanted
from ..replay.plan import MessageStep, Plan, Step
from ..replay.safety import is_write
from ..replay.values.needs import Needs

_MOST_NAMES = 5


def focused(plan: Plan, wanted: Wanted, needs: Needs) -> Plan:
    """`plan` with nothing but the wanted requests and what they depend on. What messages cause is not known
    beforehand: a plan with messages stays whole."""
    if plan.message_buses:
        return plan
    last: dict[str, int] = {}
    required = set(wanted.origins)
    for at in range(len(plan.steps) - 1, -1, -1):
        step = plan.steps[at]
        if step.origin in required:
            last.setdefault(step.session, at)
            required |= needs.producers(step.origin)
    end = max(last.values(), default=-1)
    return replace(plan, steps=tuple(step for at, step in enumerate(plan.steps[: end + 1]) if _stays(step, at, last)))


def _stays(step: Step, at: int, last: dict[str, int]) -> bool:
    """Whether a step's session has something wanted yet to come, or the step leaves something behind."""
    return at <= last.get(step.session, -1) or (type(step) is not MessageStep and is_write(step.request))


def unfinished(wanted: Wanted, played: int, why: str) -> str:
    """What a report says where fewer rounds than wanted were played."""
    names = ", ".join(wanted.endpoints[:_MOST_NAMES])
    more = f" and {len(wanted.endpoints) - _MOST_NAMES} more" if len(wanted.endpoints) > _MOST_NAMES else ""
    return f"latency of {names}{more} may have changed: {played} of {wanted.rounds} more rounds were played, {why}"
