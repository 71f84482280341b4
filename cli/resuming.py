"""A replay that goes on where an earlier one ended: what was sent is not sent again, and what is in doubt neither."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ..capture.text import printable
from ..replay.ledger import Ledger, is_ledgered, path_of, without
from ..replay.plan import Plan, Step
from ..replay.values.session import SideValues

if TYPE_CHECKING:
    from .replaying import ReplayPlan

_MOST_SHOWN = 10


def open_ledger(what: "ReplayPlan", capture: str, plan: Plan, address: tuple[str, int] | None) -> Ledger | None:
    """The ledger of the replay of `capture` (its id); None where nothing has to be remembered: `plan` only reads, or
    the service is started for this replay (no `address` yet) and its state goes with it."""
    if address is None or not any(map(is_ledgered, plan.steps)):
        return None
    return Ledger.open(path_of(what.output), capture, f"{address[0]}:{address[1]}", resume=what.resume)


def resumed(what: "ReplayPlan", plan: Plan, ledger: Ledger, values: SideValues | None, console: Console) -> Plan:
    """What is left of `plan`; `values` learn that the rest will give none. The earlier run is kept beside the new
    one."""
    gone = [step for step in plan.steps if step.origin in ledger.sent or step.origin in ledger.doubtful]
    if not gone:
        return plan
    for step in gone:
        if values is not None:
            values.absent(step.origin, "was sent by an earlier replay")
    _say(console, f"{len(gone)} requests with side effects are not sent again: {ledger.path} has them")
    doubtful = [step for step in gone if step.origin in ledger.doubtful]
    for step in doubtful[:_MOST_SHOWN]:
        _say(console, f"in doubt, it may have been sent: {_shown(step)}")
    if len(doubtful) > _MOST_SHOWN:
        _say(console, f"in doubt, they may have been sent: {len(doubtful) - _MOST_SHOWN} more")
    kept = _keep(what.output)
    if kept is not None:
        _say(console, f"the earlier run is kept as {kept}")
    return without(plan, ledger)


def _keep(run: Path) -> Path | None:
    """Move the earlier run out of the way of the new one."""
    if not run.exists():
        return None
    places = (run.with_name(f"{run.stem}.part-{number}{run.suffix}") for number in range(1, 10_000))
    place = next(place for place in places if not place.exists())
    return run.rename(place)


def _shown(step: Step) -> str:
    return f"{step.request.method} {step.request.target[:200]} ({step.origin})"


def _say(console: Console, line: str) -> None:
    console.print(Text(printable(line)), soft_wrap=True)
