"""One plan replayed to several sides at once, request by request.

Each request goes to every side, one side after the other in an order drawn anew each time, before the next request is
sent. So all sides see the same past, a slow minute of the machine hits them alike, and the second of a pair being the
warmer one favours nobody: sequential replays cannot judge latency at all. One request at a time also leaves no doubt
which request caused a downstream call that carries no trace.

A request that one side cannot be sent, because an earlier one gave it no value there, is sent to none: what the others
made of it would only show again, in their state, what is known already.
"""

import random
from collections.abc import Callable, Sequence

from .plan import Plan
from .runner import Runner


async def replay_paired(
    plan: Plan,
    runners: Sequence[Runner],
    *,
    seed: int,
    in_time: Callable[[], bool],
    progress: Callable[[], None] | None = None,
) -> int:
    """Fire the plan's steps at every runner; how many were fired before `in_time` said no or a target was gone."""
    rng = random.Random(seed)  # noqa: S311  # an order, no secret
    for runner in runners:
        runner.begin()
    for number, step in enumerate(plan.steps):
        if not in_time() or any(runner.played.gone for runner in runners):
            return number
        order = rng.sample(runners, len(runners))
        why = next((why for runner in runners if (why := runner.lack(step)) is not None), None)
        for runner in order:
            if why is None:
                await runner.fire(step)
            else:
                runner.skip(step, why)
        if progress is not None:
            progress()
    return len(plan.steps)
