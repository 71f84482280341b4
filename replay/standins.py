"""What stands where the downstreams of one run stand: a tap in front of the real one, with a fault relay between them
where faults are asked for, or a stub."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from ..capture.addresses import TapText, shown
from ..capture.engines.call_tap import Watch
from ..capture.engines.door import open_tap
from ..capture.engines.listener import TapSpec
from ..capture.errors import UsageError
from ..capture.links import LinkIndex
from ..capture.model import Failure, FailureKind, Request, Response
from ..capture.recorder import Sink
from ..capture.wire.call import Call
from .environments.spec import DownstreamSpec, check_downstream
from .faults.relay import FaultRelay
from .faults.spec import Fault, Faults, check_faults
from .stubs.answers import Answers
from .stubs.door import Stub, open_stub
from .stubs.playback import Playback
from .stubs.protocols import REAL, STUB, STUB_OR_REAL
from .transport.http1 import Http1Transport

_LOOPBACK = "127.0.0.1"


class StandIns:
    """Opens them. `undo` takes what closes each again. Without a `playback` nothing is answered from a capture: a
    recording passes everything on, whatever its downstreams are in a replay."""

    def __init__(
        self,
        links: LinkIndex,
        undo: Callable[[Callable[[], Awaitable[None]]], object],
        playback: Playback | None = None,
    ) -> None:
        self._links = links
        self._undo = undo
        self._playback = playback
        self.faults: dict[str, Faults] = {}
        """Of real downstreams, by name; a stub's are in the playback's tally."""

    async def open(
        self, downstream: DownstreamSpec, spec: TapSpec, recorder: Sink, watch: Watch | None = None
    ) -> tuple[str, int]:
        """Stand in for `downstream`; the address that the service is to be told. `spec` has the real upstream, `watch`
        is told of the calls that pass to it. UsageError where its listening address cannot be had."""
        faults = Faults(downstream.faults)
        if is_stubbed(downstream) and self._playback is not None:
            real = self._real(spec) if downstream.mode == STUB_OR_REAL else None
            answers = Answers(spec, self._playback, latency=downstream.latency, faults=faults, real=real)
            return await self._started(open_stub(spec, answers), spec)
        if faults:
            self.faults[downstream.name] = faults
            relay = FaultRelay(
                (_LOOPBACK, 0),
                spec.upstream,
                faults,
                is_http=spec.protocol == "http",
                network=spec.network if spec.is_inner else None,
                dial=spec.dial,
            )
            spec = replace(spec, upstream=await self._started(relay, spec))
        return await self._started(open_tap(spec, recorder, self._links, watch=watch), spec)

    def _real(self, spec: TapSpec) -> Callable[[Call], Awaitable[Response | Failure]]:
        assert self._playback is not None
        transport = Http1Transport(spec.upstream, shown(spec.upstream), self._playback.recorder.clock, dial=spec.dial)
        self._undo(transport.close)

        async def ask(call: Call) -> Response | Failure:
            if call.truncated:
                return Failure(FailureKind.PROTOCOL, "the request's body is too large to be passed on")
            outcome = await transport.send(
                Request(call.method, call.target, call.headers, call.body, call.version or "1.1")
            )
            return outcome.response or outcome.failure or Failure(FailureKind.PROTOCOL, "no answer")

        return ask

    async def _started(self, server: Stub, spec: TapSpec) -> tuple[str, int]:
        try:
            place = await server.start()
        except OSError as error:
            raise UsageError(
                f"cannot listen on {shown(spec.listen)}: {error.strerror}", "choose another address"
            ) from error
        self._undo(server.stop)
        return place


def downstream_of(tap: TapText) -> DownstreamSpec:
    """What an option says of a downstream, as a configuration would have said it."""
    mode = REAL if tap.upstream is not None else STUB
    downstream = DownstreamSpec(tap.name, tap.protocol, tap.upstream or tap.listen, mode=mode)
    check_downstream(downstream, f"--tap {tap.name}")
    return downstream


def is_stubbed(downstream: DownstreamSpec) -> bool:
    """Whether the capture answers for it."""
    return downstream.mode != REAL


def as_recorded(downstreams: Iterable[DownstreamSpec]) -> tuple[DownstreamSpec, ...]:
    """The downstreams of a recording: the real ones, whatever a replay makes of them."""
    return tuple(replace(each, mode=REAL, faults=()) for each in downstreams)


def stubbed_places(downstreams: Iterable[DownstreamSpec]) -> tuple[tuple[str, str], ...]:
    """Service and protocol of those that the capture answers for."""
    return tuple((each.name, each.protocol) for each in downstreams if is_stubbed(each))


def with_faults(
    downstreams: Sequence[DownstreamSpec], faults: dict[str, tuple[Fault, ...]]
) -> tuple[DownstreamSpec, ...]:
    """The downstreams with the faults that are named for them. UsageError where a name is none of theirs."""
    names = [each.name for each in downstreams]
    for name, theirs in faults.items():
        if name not in names:
            raise UsageError(f'--fault: there is no downstream "{name}"', f"one of {', '.join(names) or 'none'}")
        check_faults(theirs, next(each.protocol for each in downstreams if each.name == name), f"--fault {name}")
    return tuple(replace(each, faults=(*each.faults, *faults.get(each.name, ()))) for each in downstreams)
