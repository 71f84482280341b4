"""A plan replayed with the overlaps of the recording: what began while something else was under way does so again.

One request at a time shows no race. Here the order of the recorded starts and ends is kept, not their times: a request
goes out once everything has ended that had ended before it, and no sooner.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..capture.model import Exchange
from .plan import MessageStep, Plan
from .runner import Runner
from .safety import is_write

AT_ONCE = 64
"""Most requests under way at once."""


class Beat(NamedTuple):
    """A step, by its place in the plan, begins or has ended."""

    step: int
    begins: bool


def beats_of(plan: Plan, exchanges: Iterable[Exchange]) -> tuple[Beat, ...]:
    """The recorded order of starts and ends; empty where no two requests with side effects of different sessions
    overlapped: nothing then races that did not race before. A plan with messages has an order of its own."""
    if any(type(step) is MessageStep for step in plan.steps):
        return ()
    known = {each.id: (each.started_us, each.started_us + each.latency_us) for each in exchanges}
    if not all(step.origin in known for step in plan.steps):
        return ()
    moments = []
    for at, step in enumerate(plan.steps):
        began_us, ended_us = known[step.origin]
        # At one instant an end comes first, since it may have made a start possible; but nothing ends as it begins.
        moments += [(began_us, True, at), (max(ended_us, began_us + 1), False, at)]
    beats = tuple(Beat(at, begins) for _, begins, at in sorted(moments))
    return beats if _races(plan, beats) else ()


def _races(plan: Plan, beats: Iterable[Beat]) -> bool:
    under_way: dict[int, str] = {}
    for at, begins in beats:
        step = plan.steps[at]
        if not is_write(step.request):
            continue
        if not begins:
            under_way.pop(at, None)
        elif any(session != step.session for session in under_way.values()):
            return True
        else:
            under_way[at] = step.session
    return False


async def replay_overlapped(
    plan: Plan,
    runner: Runner,
    beats: Iterable[Beat],
    *,
    in_time: Callable[[], bool],
    progress: Callable[[], None] | None = None,
    at_once: int = AT_ONCE,
) -> int:
    """Fire the plan's steps at one side as `beats` say; how many were fired before `in_time` said no or the target was
    gone."""
    under_way: dict[int, asyncio.Task[None]] = {}
    fired = 0
    runner.begin()
    try:
        for at, begins in beats:
            if not begins:
                await _ended(under_way, at)
                continue
            if not in_time() or runner.played.gone:
                break
            if len(under_way) >= at_once:
                await _ended(under_way, next(iter(under_way)))
            under_way[at] = asyncio.create_task(runner.fire(plan.steps[at]))
            fired += 1
            if progress is not None:
                progress()
    finally:
        await asyncio.gather(*under_way.values())
    return fired


async def _ended(under_way: dict[int, "asyncio.Task[None]"], at: int) -> None:
    task = under_way.pop(at, None)
    if task is not None:
        await task
