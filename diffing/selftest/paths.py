"""Places in a JSON value, the elements of a list being one place, and a change at a place."""

from collections.abc import Callable, Iterator

from ..report.model import Json

EACH = "*"
"""The step from a list to its elements."""
MAX_PLACES = 500

Steps = tuple[str, ...]
Change = Callable[[Json], Json]


class Gone(Exception):
    """Raised by a change that takes the value away."""


def places(value: Json) -> Iterator[tuple[Steps, Json]]:
    """Every place below `value` with the first value that stands there; the root is none. Bounded."""
    seen: set[Steps] = set()
    stack: list[tuple[Steps, Json]] = [((), value)]
    while stack and len(seen) < MAX_PLACES:
        steps, here = stack.pop()
        if steps and steps not in seen:
            seen.add(steps)
            yield steps, here
        if isinstance(here, dict):
            stack.extend(((*steps, name), part) for name, part in here.items())
        elif isinstance(here, list) and here:
            stack.append(((*steps, EACH), here[0]))


def at(value: Json, steps: Steps) -> list[Json]:
    """All values at a place."""
    held = [value]
    for step in steps:
        if step == EACH:
            held = [part for one in held if isinstance(one, list) for part in one]
        else:
            held = [one[step] for one in held if isinstance(one, dict) and step in one]
    return held


def changed(value: Json, steps: Steps, change: Change) -> Json:
    """`value` with what stands at a place changed, or taken away; the rest is shared."""
    if not steps:
        return change(value)
    step, rest = steps[0], steps[1:]
    if step == EACH and isinstance(value, list):
        return [part for one in value for part in _kept(one, rest, change)]
    if not isinstance(value, dict) or step not in value:
        return value
    try:
        return {**value, step: changed(value[step], rest, change)}
    except Gone:
        return {name: part for name, part in value.items() if name != step}


def _kept(element: Json, steps: Steps, change: Change) -> list[Json]:
    try:
        return [changed(element, steps, change)]
    except Gone:
        return []


def shown(steps: Steps) -> str:
    """The place as a report's path: `$.items[*].sku`."""
    return "$" + "".join("[*]" if step == EACH else f".{step}" for step in steps)
