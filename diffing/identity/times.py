"""Times that are new in each run: what stays is how far they lie from their own request.

An expiry of a quarter of an hour instead of an hour moved against every request, though its value never was the same
twice. How far a time moves by itself is learnt from the baseline; what lies within is no difference, even where two
baselines happened to be asked in the same second and showed none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from ..canonical import Form
from ..compare.body import body_of
from ..compare.cookies import cookies_of, plain_time
from ..difference import Difference, child
from ..report.model import Json, Surface
from ..shapes import epoch_instant, instant

if TYPE_CHECKING:
    from ...capture.headers import Headers
    from ...capture.model import Exchange
    from ..comparison import Comparison, Observation

FLOOR_US = 2_000_000
"""A time that moved by less against its request is jitter: clocks are written in whole seconds, hosts pause."""
TIMES_JITTER = 10
"""How many times what a baseline moves by itself another side may move; its extremes are known from few runs."""
NOW_US = 60_000_000
"""A time this near to its request is "now" where one request is all that is known."""
MINUTE_US = 60_000_000
MIN_SEEN = 3
"""From so many requests on it can be told whether a time goes with its request."""
MIN_SHARE = 0.2
"""Of the requests, so many must have moved: a change of a rule moves more than a pause does."""
MAX_BODIES = 60
"""Most answers of an endpoint that are looked at for its times."""
MAX_LEAVES = 20_000
GOES_WITH = "a time that goes with its request"

Place = tuple[str, tuple[str, str, str, str], str]
"""Endpoint, place, and which cookie's."""


class Moved(NamedTuple):
    """A time of both sides at one request: how far it moved, beyond what the two took to answer."""

    observation: "Observation"
    shift_us: int
    slack_us: int


@dataclass(slots=True)
class _Offsets:
    """How far from their requests a place's times lie in the baseline, and which times those were."""

    offsets: list[int] = field(default_factory=list)
    values: set[str] = field(default_factory=set)

    @property
    def spread(self) -> int:
        return max(self.offsets) - min(self.offsets) if self.offsets else 0


def place_of(one: "Observation") -> Place:
    """Where a time stands: all cookies share one header."""
    cookie = one.difference.transition if one.difference.path == "header.set-cookie" else ""
    return (one.endpoint, one.difference.place, cookie)


def _is_time(one: "Observation") -> bool:
    # A row's time is held against when its table was read: that says nothing of when it was written.
    return one.difference.shift_us is not None and one.difference.surface is not Surface.STATE


class Offsets:
    """Learnt from comparisons of baselines with each other, and from the baseline's answers themselves."""

    def __init__(self, itself: Iterable["Comparison"], baseline: "Comparison") -> None:
        self._jitter: dict[Place, int] = {}
        self._seen: dict[Place, _Offsets] = defaultdict(_Offsets)
        wanted = {place_of(one) for one in baseline.observations if _is_time(one)}
        for comparison in itself:
            for one in filter(_is_time, comparison.observations):
                at = place_of(one)
                self._jitter[at] = max(self._jitter.get(at, 0), abs(one.difference.shift_us or 0))
                self._note(at, one.difference.before, comparison, one.key)
        for one in baseline.observations:
            if _is_time(one) and one.difference.surface not in (Surface.RESPONSE, Surface.HEADER):
                self._note(place_of(one), one.difference.before, baseline, one.key)
        self._read(baseline, wanted)
        self._read_headers(baseline, [at for at in wanted if at[1][0] == Surface.HEADER.value])

    def _read(self, baseline: "Comparison", wanted: set[Place]) -> None:
        """The wanted times of the baseline's answers, whether they differ or not."""
        paths: dict[str, dict[str, Place]] = defaultdict(dict)
        for at in wanted:
            if at[1][0] == Surface.RESPONSE.value:
                paths[at[0]][at[1][1]] = at
        read: dict[str, int] = defaultdict(int)
        for key, (endpoint, pair) in baseline.pairs.items():
            if endpoint not in paths or read[endpoint] >= MAX_BODIES or pair.before.response is None:
                continue
            read[endpoint] += 1
            body = body_of(pair.before.response)
            if body.form is Form.JSON:
                for path, value in leaves(body.value, paths[endpoint]):
                    self._note(paths[endpoint][path], value, baseline, key)

    def _read_headers(self, baseline: "Comparison", wanted: Sequence[Place]) -> None:
        for key, (endpoint, pair) in baseline.pairs.items():
            for at in wanted:
                if at[0] == endpoint and pair.before.response is not None:
                    self._note(at, _header_time(pair.before.response.headers, at), baseline, key)

    def _note(self, at: Place, value: Json, comparison: "Comparison", key: str) -> None:
        if key not in comparison.pairs:
            return
        asked = comparison.pairs[key][1].before
        when = instant_of(value, asked.started_us)
        if when is not None:
            self._seen[at].offsets.append(when - asked.started_us)
            self._seen[at].values.add(str(value))

    def bound(self, at: Place, example: Json) -> int:
        """How far a time may move by itself, microseconds."""
        coarse = 2 * MINUTE_US if isinstance(example, str) and example.count(":") == 1 else FLOOR_US
        seen = self._seen.get(at)
        # A spread of hours is no jitter, but a stored time.
        spread = seen.spread if seen and self.goes_with_requests(at) else 0
        return max(coarse, TIMES_JITTER * self._jitter.get(at, 0), 2 * spread)

    def goes_with_requests(self, at: Place) -> bool:
        """Whether the baseline's times keep their distance from their requests, being different at each."""
        seen = self._seen.get(at)
        if seen is None or not seen.offsets:
            return False
        if len(seen.offsets) < MIN_SEEN:
            return all(abs(one) <= NOW_US for one in seen.offsets)
        return len(seen.values) > 1 and seen.spread <= max(FLOOR_US, TIMES_JITTER * self._jitter.get(at, 0))

    def is_known(self, at: Place) -> bool:
        """Whether the place's times differ between baselines, or go with their requests."""
        return at in self._jitter or self.goes_with_requests(at)


def _header_time(headers: "Headers", at: Place) -> str | None:
    """A header's time, or a cookie's expiry: the cookie is named by the transition, `cookie sid: expires`."""
    if not at[2]:
        return headers.get(at[1][1].removeprefix("header."))
    name = at[2].removeprefix("cookie ").rpartition(": ")[0]
    found = cookies_of(headers.get_all("set-cookie")).get(name, {}).get("expires")
    return plain_time(found) if found else None


def instant_of(value: Json, now_us: int) -> int | None:
    """The time that a value names, microseconds since the epoch."""
    if isinstance(value, str):
        return instant(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch_instant(value, now_us)
    return None


def leaves(value: Json, wanted: Mapping[str, object]) -> list[tuple[str, Json]]:
    """The scalars at the wanted paths, elements of lists under one path."""
    found: list[tuple[str, Json]] = []
    stack: list[tuple[str, Json]] = [("$", value)]
    seen = 0
    while stack and seen < MAX_LEAVES:
        path, item = stack.pop()
        seen += 1
        if isinstance(item, dict):
            stack.extend((child(path, name), inner) for name, inner in item.items())
        elif isinstance(item, list):
            stack.extend((f"{path}[*]", inner) for inner in item)
        elif path in wanted:
            found.append((path, item))
    return found


def relate_times(
    comparison: "Comparison", offsets: Offsets
) -> tuple[list["Observation"], list[tuple["Observation", str]]]:
    """`relation_changed` for times that lie elsewhere against their requests, and the times that are where they were,
    with why they are no difference."""
    places: dict[Place, list[Moved]] = defaultdict(list)
    drift = _drift(comparison)
    for one in filter(_is_time, comparison.observations):
        at = place_of(one)
        slack = _slack(comparison, one.key) + (0 if offsets.goes_with_requests(at) else drift)
        places[at].append(Moved(one, one.difference.shift_us or 0, slack))
    changed: list[Observation] = []
    kept: list[tuple[Observation, str]] = []
    for at, held in places.items():
        if not offsets.is_known(at):
            continue
        bound = offsets.bound(at, held[0].observation.difference.before)
        moved = [one for one in held if abs(one.shift_us) > bound + one.slack_us]
        if _is_rule(moved, held):
            changed.extend(replace(one.observation, difference=_changed(one)) for one in moved)
        if offsets.goes_with_requests(at):
            kept.extend((one.observation, GOES_WITH) for one in held if abs(one.shift_us) <= bound + one.slack_us)
    return changed, kept


def _is_rule(moved: Sequence[Moved], held: Sequence[Moved]) -> bool:
    """Whether what moved did so by a rule: all one way, at all requests or at more than a few."""
    ways = {one.shift_us > 0 for one in moved}
    enough = len(moved) == len(held) or len(moved) >= max(MIN_SEEN, MIN_SHARE * len(held))
    return len(ways) == 1 and enough


def _slack(comparison: "Comparison", key: str) -> int:
    """A time may be taken at any moment until the answer: whoever answers later may name a later one."""
    if key not in comparison.pairs:
        return 0
    pair = comparison.pairs[key][1]
    return max(_took(pair.before), _took(pair.after))


def _drift(comparison: "Comparison") -> int:
    """How far the two sides' paces drift apart: a time that was stored at one request and is read at a later one is
    older on the side that took longer in between."""
    apart = [pair.after.started_us - pair.before.started_us for _, pair in comparison.pairs.values()]
    return max(apart) - min(apart) if apart else 0


def _took(exchange: "Exchange") -> int:
    return max(0, exchange.latency_us)


def _changed(one: Moved) -> Difference:
    """An answer's time is a relation by itself; a cookie's and a call's are told as what they are part of."""
    difference = one.observation.difference
    moved = f"{_span(one.shift_us)} against the request"
    if difference.surface is Surface.RESPONSE:
        return replace(difference, kind="relation_changed", trait="", shift_us=None, transition=moved)
    if difference.path == "header.set-cookie":
        moved = f"{difference.transition.removesuffix('expires')}lifetime"
    return replace(difference, inner="relation_changed", trait="", shift_us=None, transition=moved)


def _span(shift_us: int) -> str:
    seconds = round(shift_us / 1_000_000)
    return f"{round(seconds / 60):+d} min" if abs(seconds) >= 90 else f"{seconds:+d} s"
