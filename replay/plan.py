"""What a replay is going to send: the capture's inbound requests and messages, in order, session by session.

Two rules hold here. Every inbound exchange is planned or counted with its reason, none disappears. A session's
requests keep their recorded order. Which messages are produced is `messages`' to say.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

from ..capture.model import Ask, Exchange, Request, Role
from .effects import NONE, Effects, effects_of
from .messages import (
    DELIVERED_AGAIN,
    PUBLISHED_BY_SERVICE,
    Buses,
    Deliveries,
    is_message,
    read_arguments,
    session_of,
    why_not_produced,
)
from .safety import is_write
from .sendable import Fitter
from .shard import WHOLE, Shard

WRITE_NOT_ALLOWED = "write not allowed"
BODY_CUT = "request body was cut in the capture"
UPGRADE = "changes its protocol (CONNECT, Upgrade)"
NOT_SELECTED = "not selected by --where"
OTHER_SHARD = "of another shard"


@dataclass(frozen=True, slots=True)
class Step:
    """One request to send. `origin` is the recorded exchange's id; `at_us` its recorded start after the plan's first;
    `position` its place in the recorded order, counted over all shards."""

    origin: str
    session: str
    at_us: int
    request: Request
    position: int = 0
    service: str = ""


@dataclass(frozen=True, slots=True)
class MessageStep(Step):
    """One message to produce, at the bus that the downstream `service` is. `effects` are what it led to when it was
    recorded."""

    protocol: str = ""
    effects: Effects = NONE


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` are in recorded order. `skipped` counts inbound exchanges that cannot be sent, or must not be, by
    reason; `left_out` those that the user did not ask for, or that come by themselves; `changed` what was changed in
    requests that are sent."""

    steps: tuple[Step, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)

    def sessions(self) -> dict[str, list[Step]]:
        """The steps of each session, in order; sessions by their first step."""
        sessions: dict[str, list[Step]] = {}
        for step in self.steps:
            sessions.setdefault(step.session, []).append(step)
        return sessions

    @property
    def message_buses(self) -> frozenset[str]:
        """The downstreams that messages are produced at."""
        return frozenset(step.service for step in self.steps if type(step) is MessageStep)


def make_plan(
    exchanges: Iterable[Exchange | Ask],
    *,
    allow_writes: bool,
    shard: Shard = WHOLE,
    where: Callable[[Exchange], bool] | None = None,
    buses: Buses | None = None,
) -> Plan:
    """The plan for `exchanges`, which may come in any order. Answers are not kept, so a plan holds requests only;
    nobody but `where` needs more than an `Ask`. `buses` are where messages can be produced.

    Times and positions count from the first request that can be sent, whichever shard fires it, so that the shards
    of one capture keep its pace together.
    """
    drafts = _Drafts(where, allow_writes, buses or {})
    for exchange in exchanges:
        if exchange.role is Role.INBOUND:
            drafts.take(exchange)
    return drafts.plan(shard)


def with_effects(plan: Plan, exchanges: Iterable[Exchange | Ask]) -> Plan:
    """The plan, each message in it with what it led to in `exchanges`, the capture that it was made from."""
    messages = {step.origin for step in plan.steps if type(step) is MessageStep}
    if not messages:
        return plan
    first_us: dict[str, int] = {}
    kept = []
    for exchange in exchanges:
        if exchange.id in messages:
            first_us[exchange.id] = exchange.started_us
        elif exchange.role is Role.OUTBOUND and exchange.links and exchange.links[0].parent in messages:
            kept.append(exchange)
    found = effects_of(kept, first_us)
    steps = tuple(
        replace(step, effects=found.get(step.origin, NONE)) if type(step) is MessageStep else step
        for step in plan.steps
    )
    return replace(plan, steps=steps)


def why_not(exchange: Exchange | Ask, *, allow_writes: bool) -> str | None:
    """Why the exchange is not replayed, or None. What `sendable.Fitter` refuses comes on top."""
    if exchange.protocol != "http":
        return f"protocol {exchange.protocol[:40]}"
    request = exchange.request
    if request.method == "CONNECT" or _upgrades(exchange):
        return UPGRADE
    for part in exchange.withheld:
        if part.part.startswith("request"):
            return f"{part.part[:40]} was withheld"
    if exchange.truncated and not request.body and _announces_body(request):
        return BODY_CUT
    if not allow_writes and is_write(request):
        return WRITE_NOT_ALLOWED
    return None


class _Drafts:
    """The requests chosen so far, not yet in order, and the counts of the others."""

    def __init__(self, where: Callable[[Exchange], bool] | None, allow_writes: bool, buses: Buses) -> None:
        self._where = where
        self._buses = buses
        self._deliveries = Deliveries()
        # The protocols of the chosen messages, by their ids.
        self._messages: dict[str, str] = {}
        self._allow_writes = allow_writes
        self._fitter = Fitter()
        self._chosen: list[tuple[int, int, str, str, str, Request]] = []
        self._skipped: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._changed: Counter[str] = Counter()

    def take(self, exchange: Exchange | Ask) -> None:
        """Choose an inbound exchange, or count it."""
        if self._where is not None:
            assert isinstance(exchange, Exchange), "an ask has not all that an expression may name"
            if not self._where(exchange):
                self._left_out[NOT_SELECTED] += 1
                return
        if exchange.protocol != "http" and is_message(exchange):
            self._take_message(exchange)
            return
        reason = why_not(exchange, allow_writes=self._allow_writes)
        fit = self._fitter.fit(exchange.request) if reason is None else reason
        if isinstance(fit, str):
            self._skipped[fit] += 1
            return
        request, notes = fit
        if notes:
            self._changed.update(notes)
        self._chosen.append(
            (exchange.started_us, exchange.seq, exchange.id, exchange.session, exchange.service, request)
        )

    def _take_message(self, exchange: Exchange | Ask) -> None:
        if exchange.links:
            self._left_out[PUBLISHED_BY_SERVICE] += 1
            return
        reason = why_not_produced(exchange, self._buses, WRITE_NOT_ALLOWED)
        if reason is not None:
            self._skipped[reason] += 1
            return
        arguments = read_arguments(exchange.request)
        if self._deliveries.is_again(exchange, arguments):
            self._left_out[DELIVERED_AGAIN] += 1
        else:
            session = session_of(exchange.service, exchange.request, arguments)
            self._messages[exchange.id] = exchange.protocol
            self._chosen.append(
                (exchange.started_us, exchange.seq, exchange.id, session, exchange.service, exchange.request)
            )

    def plan(self, shard: Shard) -> Plan:
        """The chosen in recorded order, as far as `shard` owns them."""
        self._chosen.sort(key=itemgetter(0, 1))
        zero_us = self._chosen[0][0] if self._chosen else 0
        owned: dict[str, bool] = {}
        steps: list[Step] = []
        messages = self._messages
        for position, (started_us, _, origin, session, service, request) in enumerate(self._chosen):
            if session not in owned:
                owned[session] = shard.holds(session)
            if not owned[session]:
                self._left_out[OTHER_SHARD] += 1
                continue
            at_us = started_us - zero_us
            if origin in messages:
                steps.append(MessageStep(origin, session, at_us, request, position, service, messages[origin]))
            else:
                steps.append(Step(origin, session, at_us, request, position, service))
        return Plan(tuple(steps), dict(self._skipped), dict(self._left_out), dict(self._changed))


def _upgrades(exchange: Exchange | Ask) -> bool:
    return exchange.status == 101 or (exchange.request.headers.get("upgrade") or "").lower() == "websocket"


def _announces_body(request: Request) -> bool:
    """Whether the headers promise a body: then an empty one in a truncated exchange was left out."""
    if "transfer-encoding" in request.headers:
        return True
    return (request.headers.get("content-length") or "0").strip().strip("0") != ""
