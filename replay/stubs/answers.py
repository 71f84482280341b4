"""What a stub says to a call: found among the recorded, or a miss that explains itself; recorded in the run either way.

A call is cleaned by the run's own sanitizer before it is compared: a service sends what its configuration says, where
the capture holds pseudonyms.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from ...capture.engines.listener import TapSpec
from ...capture.grpc_body import rewrite_messages
from ...capture.headers import Headers
from ...capture.model import Exchange, Failure, FailureKind, Request, Response, Role
from ...capture.wire.call import Call
from ..faults.spec import NOTHING, Blow, Fault, Faults
from .asked import VOLATILE, Asked, asked
from .index import Recorded
from .match import Match, Matcher, Miss, Step
from .misses import explained, said
from .playback import Playback
from .protocols import NONE, RECORDED
from .renamed import Renaming
from .tally import FAULT, HEADER, OWN, REAL

_MOST_REMEMBERED = 4096
_LARGEST_REMEMBERED = 4096
_BODY_HEADERS = frozenset({"content-type", "content-encoding"})


@dataclass(frozen=True, slots=True)
class Answered:
    """What to say: exactly one of `response` and `failure`, after `delay_us` microseconds. `step` says how it was
    found. `cut`: half of the answer, then the connection breaks. `why` explains a miss in one line."""

    response: Response | None
    failure: Failure | None
    delay_us: int
    step: str
    cut: bool = False
    why: str = ""


class Answers:
    """The answers of one downstream at one side. `spec` names it; its `upstream` is not called.

    `latency` is RECORDED or NONE. `real` asks the real service what the capture has no answer to.
    """

    def __init__(
        self,
        spec: TapSpec,
        playback: Playback,
        *,
        latency: str = NONE,
        faults: Faults | None = None,
        real: Callable[[Call], Awaitable[Response | Failure]] | None = None,
    ) -> None:
        self.spec = spec
        self._playback = playback
        self._recorder = playback.recorder
        self.now_us = playback.recorder.clock.now_us
        self._links = playback.links
        self._sanitizer = playback.book.sanitizer
        self._matcher = Matcher(playback.book.recorded(spec.name, spec.protocol))
        self._takes_time = latency == RECORDED
        self._faults = faults or Faults()
        self._real = real
        self._asked: dict[tuple[object, ...], Asked] = {}

    @property
    def calls(self) -> Sequence[Recorded]:
        """The recorded calls: what a server has to know of statements before they are asked."""
        return self._playback.book.recorded(self.spec.name, self.spec.protocol).calls

    @property
    def needs_waiting(self) -> bool:
        """Whether an answer may come from the real service: `answer_at_once` must not be used then."""
        return self._real is not None

    def gap(self, reason: str) -> None:
        """Count bytes that a stub's client sent and that were not understood; `reason` quotes none of them."""
        self._recorder.lost("gaps", reason)

    async def answer(
        self, call: Call, connection: str, default: Response | None = None, *, spent: Response | None = None
    ) -> Answered:
        """What to say to `call`, which came on `connection` and is recorded by this. The caller waits `delay_us`.

        `default` is what the server says by itself where the capture has no answer (a session's housekeeping): its
        step is OWN, and it counts as no miss. `spent` takes the place of an answer that has been given already: what
        was taken off a queue is there once.
        """
        self._begin(call, connection)
        blow = self._faults.next()
        answered = self._answered(call, blow, spent)
        if answered.step == Step.MISSED and self._real is not None:
            answered = await self._from_real(call, self._real)
        return self._end(call, connection, _or_own(answered, default), blow)

    def answer_at_once(self, call: Call, connection: str, default: Response | None = None) -> Answered:
        """`answer` where nothing has to be waited for."""
        self._begin(call, connection)
        blow = self._faults.next()
        return self._end(call, connection, _or_own(self._answered(call, blow), default), blow)

    def _begin(self, call: Call, connection: str) -> None:
        recorder = self._recorder
        call.seq = recorder.next_seq()
        call.exchange_id = f"{recorder.prefix}-{call.seq}"
        call.session = recorder.sessions.of(call.headers, connection)
        call.links = self._links.call_begun(call, f"{self.spec.name}/{connection}")

    def _answered(self, call: Call, blow: Blow, spent: Response | None = None) -> Answered:
        if blow.fault is not None and blow.fault.kind != "truncate":
            return _broken(blow.fault)
        playback = self._playback
        try:
            found = self._matcher.match(self._what(call), playback.scope(call.links), playback.renaming)
        except Exception as error:  # fail closed: a fault of ours is a miss, and its text could quote the call
            found = Miss(f"the stub failed on it ({type(error).__name__})")
        if isinstance(found, Miss):
            answer = said(self.spec.name, self.spec.protocol, found)
            return Answered(answer, None, 0, Step.MISSED, why=explained(found))
        if found.repeated and spent is not None:
            return _own(spent)
        answered = self._played(found)
        return replace(answered, cut=blow.fault is not None and answered.response is not None)

    def _played(self, match: Match) -> Answered:
        self._playback.tally.answered(self.spec.name, match.step, repeated=match.repeated)
        call = match.call
        delay_us = call.latency_us if self._takes_time else 0
        if call.response is None:
            return Answered(None, call.failure, delay_us, match.step)
        return Answered(self._live(call, match), None, delay_us, match.step)

    def _live(self, call: Recorded, match: Match) -> Response:
        """The recorded answer, with the ids that this run has given."""
        response = call.response
        assert response is not None
        renaming = self._playback.renaming(match.cause)
        body = _renamed(response, renaming) if renaming and response.body else response.body
        return Response(
            response.status,
            Headers.of_pairs((*response.headers.items, (HEADER, match.step.value))),
            body,
            response.reason,
            response.version,
        )

    async def _from_real(self, call: Call, real: Callable[[Call], Awaitable[Response | Failure]]) -> Answered:
        came = await real(call)
        delay_us = 0
        if isinstance(came, Failure):
            return Answered(None, came, delay_us, REAL)
        headers = Headers.of_pairs((*came.headers.items, (HEADER, REAL)))
        return Answered(replace(came, headers=headers), None, delay_us, REAL)

    def _what(self, call: Call) -> Asked:
        """What the call asks, in the capture's own words."""
        kept = [item for item in call.headers.items if item[0].lower() in _BODY_HEADERS or _is_argument(item[0])]
        key = (call.method, call.target, call.operation, call.arguments, tuple(kept), call.body)
        known = self._asked.get(key)
        if known is None:
            known = self._compared(call, Headers(kept))
            if len(call.body) + len(call.arguments) <= _LARGEST_REMEMBERED:
                if len(self._asked) >= _MOST_REMEMBERED:
                    self._asked.clear()
                self._asked[key] = known
        return known

    def _compared(self, call: Call, headers: Headers) -> Asked:
        request = Request(call.method, call.target, headers, call.body, call.version, call.operation, call.arguments)
        exchange = Exchange("", 0, Role.OUTBOUND, self.spec.protocol, self.spec.name, "", 0, 0, request)
        clean = self._sanitizer.clean(exchange)
        what = asked(self.spec.protocol, clean.request, clean.withheld)
        if clean.request is request:
            return what
        return what._replace(own=asked(self.spec.protocol, request).leaves)

    def _end(self, call: Call, connection: str, answered: Answered, blow: Blow) -> Answered:
        """Record the call with what is said to it."""
        tally = self._playback.tally
        if answered.step == Step.MISSED:
            tally.missed(self.spec.name, answered.why.partition(";")[0])
        elif answered.step in (FAULT, REAL, OWN):
            tally.answered(self.spec.name, answered.step)
        if blow is not NOTHING:
            tally.hit()
            answered = replace(answered, delay_us=answered.delay_us + blow.delay_us)
        ended_us = self.now_us() + answered.delay_us
        response = answered.response
        if answered.cut:
            call.fail(FailureKind.TRUNCATED, "fault: the answer was cut", ended_us)
        elif response is not None:
            call.answer(response.status, ended_us, response.body, response.headers)
            call.reason = response.reason
        else:
            failure = answered.failure or Failure(FailureKind.PROTOCOL, "no answer")
            call.fail(failure.kind, failure.detail, ended_us)
        self._links.call_ended(call, f"{self.spec.name}/{connection}")
        self._recorder.offer(call.exchange(Role.OUTBOUND, self.spec.name, self.spec.protocol))
        return answered


def _is_argument(name: str) -> bool:
    return name.lower() not in VOLATILE


def _renamed(response: Response, renaming: Renaming) -> bytes:
    """The answer's body with the live ids. A coded one stays as it is."""
    kind = response.headers.get("content-type") or ""
    if kind.startswith("application/grpc"):
        return rewrite_messages(response.body, kind, renaming.replayed_text)
    return response.body if "content-encoding" in response.headers else renaming.replayed(response.body)


def _or_own(answered: Answered, default: Response | None) -> Answered:
    return answered if answered.step != Step.MISSED or default is None else _own(default)


def _own(response: Response) -> Answered:
    headers = Headers.of_pairs((*response.headers.items, (HEADER, OWN)))
    return Answered(replace(response, headers=headers), None, 0, OWN)


def _broken(fault: Fault) -> Answered:
    if fault.kind == "status":
        body = orjson.dumps({"error": "fault", "status": fault.status})
        headers = Headers((("content-type", "application/json"), (HEADER, FAULT)))
        return Answered(Response(fault.status, headers, body), None, 0, FAULT)
    kind = FailureKind.TIMEOUT if fault.kind == "timeout" else FailureKind.RESET
    return Answered(None, Failure(kind, f"fault: {fault.kind}"), 0, FAULT)
