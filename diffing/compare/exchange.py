"""Two answers to one request: status first; where it is equal, headers and body.

A changed status absorbs everything below it: the body of an error is no changed body.
"""

from dataclasses import dataclass, field

from ...capture.headers import Headers
from ..addresses import Addresses, same_but_for_address
from ..canonical import Form
from ..difference import Difference
from ..pair import Pair
from ..report.model import Json, Surface
from .body import body_of, compare_bodies
from .headers import compare_headers
from .scalars import Clocks
from .status import compare_status


@dataclass(slots=True)
class Compared:
    """`masked` are differences that only name each side's own address; `walked` whether the bodies' canonical forms
    differed."""

    differences: list[Difference] = field(default_factory=list)
    masked: list[Difference] = field(default_factory=list)
    unverified: str = ""
    walked: bool = False


def compare_exchanges(
    pair: Pair, left: Addresses, right: Addresses, unordered: frozenset[str] = frozenset()
) -> Compared:
    """What the two answers of a pair do not share."""
    status = compare_status(pair.before, pair.after)
    if status:
        return Compared([status])
    if pair.before.response is None or pair.after.response is None:
        return Compared(unverified="no answer on both sides")
    clocks = Clocks(pair.before.started_us, pair.after.started_us)
    headers = (pair.before.response.headers, pair.after.response.headers)
    found = compare_headers(*headers, clocks, lambda old, new: same_but_for_address(old, new, left, right))
    if pair.before.request.method == "HEAD":
        return Compared(found)
    bodies = compare_bodies(pair.before, pair.after, unordered)
    result = Compared(found, unverified=bodies.unverified, walked=bodies.walked)
    for one in bodies.differences:
        own = same_but_for_address(one.before, one.after, left, right) and _whole_text_masked(pair, one, left, right)
        (result.masked if own else result.differences).append(one)
    if pair.before.response.status < 400:
        result.differences.extend(_identity(pair, headers))
    return result


def _whole_text_masked(pair: Pair, one: Difference, left: Addresses, right: Addresses) -> bool:
    """A text's difference shows one line only: the others must be equal too."""
    if one.path != "$" or pair.before.response is None or pair.after.response is None:
        return True
    bodies = (body_of(pair.before.response), body_of(pair.after.response))
    if bodies[0].form not in (Form.TEXT, Form.HTML):
        return True
    return left.mask(str(bodies[0].value)) == right.mask(str(bodies[1].value))


def _identity(pair: Pair, headers: tuple[Headers, Headers]) -> list[Difference]:
    """`relation_broken`: the baseline's Location names an id of its body, the candidate's does not."""
    places = [headers[0].get("location") or "", headers[1].get("location") or ""]
    if not all(places):
        return []
    assert pair.before.response is not None
    assert pair.after.response is not None
    old, new = body_of(pair.before.response).value, body_of(pair.after.response).value
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    last = [place.rstrip("/").rsplit("/", 1)[-1] for place in places]
    named = [key for key, value in old.items() if _word(value) == last[0] and key in new]
    if not named or any(_word(new[key]) == last[1] for key in named):
        return []
    return [
        Difference(
            Surface.RESPONSE,
            "relation_broken",
            "header.location",
            f"location {places[0][:200]}, $.{named[0]} {_word(old[named[0]])}",
            f"location {places[1][:200]}, $.{named[0]} {_word(new[named[0]])}",
            f"location = $.{named[0]}→location ≠ $.{named[0]}",
        )
    ]


def _word(value: Json) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
