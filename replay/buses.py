"""The buses of a replay: which downstreams messages are produced at, and whether they may be.

Rules of this file:
- a bus that a prefix keeps apart, or that the command starts itself, is the side's own; any other one is shared with
  whoever else uses it: producing there takes the user's leave (`--allow-writes`), as a write to a service that Seamline
  has not started does;
- a shared bus that was recorded is fired at only where `--allow-target` names it.
"""

from collections.abc import Collection, Iterable

from ..capture.addresses import shown
from .environments.spec import DownstreamSpec
from .messages import Bus, Buses
from .plan import Plan
from .safety import parse_target
from .stubs.protocols import REAL
from .targets import resolve
from .transport.bus.door import PRODUCIBLE, check_producer


def is_own(downstream: DownstreamSpec) -> bool:
    """Whether a side has the bus for itself."""
    return "prefix" in downstream.isolate or downstream.address is None


def buses_of(downstreams: Iterable[DownstreamSpec], *, allow_writes: bool) -> Buses:
    """The buses among `downstreams`; `allow_writes` is what the user says, whoever starts the service."""
    return {
        each.name: Bus(each.protocol, is_own(each) or allow_writes)
        for each in downstreams
        if each.mode == REAL and each.protocol in PRODUCIBLE
    }


def shared_buses(plan: Plan, downstreams: Iterable[DownstreamSpec]) -> list[DownstreamSpec]:
    """Those that the plan produces at and that no prefix keeps apart."""
    return [each for each in downstreams if each.name in plan.message_buses and not is_own(each)]


async def check_buses(
    plan: Plan, downstreams: Iterable[DownstreamSpec], recorded: Collection[str], allowed: Collection[str]
) -> None:
    """UsageError where the plan produces at a shared bus that must not be fired at, or without what that takes."""
    downstreams = tuple(downstreams)
    for each in downstreams:
        if each.name in plan.message_buses:
            check_producer(each.protocol)
    for each in shared_buses(plan, downstreams):
        if each.address is not None:
            where = f'downstream "{each.name}"'
            target = parse_target(f"http://{shown(each.address)}", where)
            await resolve(target, recorded, allowed, configured=True)
