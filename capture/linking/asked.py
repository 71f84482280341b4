"""A downstream call as the linker keeps it, from its request to the moment its links are final, and its place on its
connection."""

from collections import OrderedDict
from collections.abc import Iterable

from ..model import Link, LinkKind
from .causes import Cause
from .weighing import Scores

_MOST_IN_LANE = 64
"""Calls of one lane whose answers are kept as evidence."""
_MOST_LANES = 64
_MOST_LINES = 20_000


class Asked:
    """One call. `shares` are the probabilities of its candidates so far, `own` those from its own evidence alone.

    `before` and `after` are its neighbours on the connection; `charged` is the cause that it counts for meanwhile;
    `source` is what its values are read from again, where its body had not come when it began.
    """

    __slots__ = (
        "after",
        "answer",
        "before",
        "charged",
        "ended_us",
        "gap_us",
        "how",
        "id",
        "lane",
        "links",
        "nobody",
        "operation",
        "own",
        "prior",
        "shares",
        "source",
        "started_us",
        "tap",
        "text",
        "values",
    )

    def __init__(self, call_id: str, started_us: int, tap: str, operation: str) -> None:
        self.id = call_id
        self.started_us = started_us
        self.ended_us: int | None = None
        self.tap = tap
        self.operation = operation
        self.text = operation
        """What was asked for, in the words of its protocol."""
        self.values: list[str] = []
        self.answer: list[str] = []
        self.source: Iterable[str] | None = None
        self.prior: Scores = {}
        self.nobody = 0.0
        self.own: dict[Cause, float] = {}
        self.shares: dict[Cause, float] = {}
        self.how = LinkKind.TIME
        self.links: tuple[Link, ...] = ()
        self.lane: Lane | None = None
        self.before: Asked | None = None
        self.after: Asked | None = None
        self.gap_us = 0
        self.charged: Cause | None = None

    @property
    def best(self) -> Cause | None:
        """The likeliest cause so far."""
        shares = self.shares
        if len(shares) < 2:
            return next(iter(shares), None)
        return max(shares, key=shares.__getitem__)


class Lane:
    """What the calls of one transaction say in common about their cause.

    `scores` are for those that were open when it began: nobody else can be the cause of any of its calls. `prior` are
    the same before any values, and `nobody` the chance then that it was none of them.
    """

    __slots__ = ("calls", "has_values", "last_us", "nobody", "prior", "scores")

    def __init__(self) -> None:
        self.scores: Scores = {}
        self.prior: Scores = {}
        self.nobody = 0.0
        self.calls: list[Asked] = []
        self.last_us = 0
        self.has_values = False


class Line:
    """One connection: its lanes, and the call that came on it last. `opened_us` is when it was opened, until its first
    call has come; None where that was not seen."""

    __slots__ = ("lanes", "last", "opened_us")

    def __init__(self) -> None:
        self.opened_us: int | None = None
        self.last: Asked | None = None
        self.lanes: dict[str, Lane] = {}


class Lines:
    """The connections of all taps, those used last."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: OrderedDict[str, Line] = OrderedDict()

    def of(self, connection: str) -> Line:
        """The connection of that name, made where it is new."""
        line = self._lines.get(connection)
        if line is None:
            line = self._lines[connection] = Line()
            if len(self._lines) > _MOST_LINES:
                self._lines.popitem(last=False)
        return line

    def place(self, asked: Asked, connection: str, lane: str | None) -> Line:
        """Put a call behind the last one of its connection, and into its lane."""
        line = self.of(connection)
        before = line.last
        if before is not None:
            line.opened_us = None
            before.after = asked
            asked.before = before
            asked.gap_us = -1 if before.ended_us is None else asked.started_us - before.ended_us
        line.last = asked
        if lane is not None:
            asked.lane = line.lanes.get(lane) or _new_lane(line, lane)
            if len(asked.lane.calls) < _MOST_IN_LANE:
                asked.lane.calls.append(asked)
        return line


def _new_lane(line: Line, name: str) -> Lane:
    lane = line.lanes[name] = Lane()
    if len(line.lanes) > _MOST_LANES:
        del line.lanes[next(iter(line.lanes))]
    return lane
