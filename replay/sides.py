"""One side: the service under test in an environment of its own, with a tap in front of every downstream.

Up: checkout, isolation, taps, migrations and resets, sequences moved apart, service, ready. Down in reverse order,
always, whatever failed in between.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..capture.engines.listener import TapSpec
from ..capture.engines.otlp import OtlpReceiver, exporter_variables
from ..capture.engines.sockets import Dial
from ..capture.errors import CouldNotCheck
from ..capture.links import LinkIndex
from ..capture.model import TRIED, Role
from ..capture.recorder import Recorder
from .courier import Courier
from .environments.checkout import Checkout
from .environments.door import open_environment
from .environments.egress import RefusingProxy, proxy_variables
from .environments.memory import MemoryReadings
from .environments.namespace import Namespace
from .environments.ports import free_ports
from .environments.process import ProcessEnvironment, last_words
from .environments.ready import await_ready
from .environments.spec import OPEN, SEALED, DownstreamSpec, Environment, Ready, ServiceSpec
from .environments.wall import Wall
from .isolation.door import Isolation
from .isolation.hook import run_hook
from .isolation.neutral import NeutralSink
from .isolation.own import Isolated
from .standins import StandIns, is_stubbed
from .stubs.playback import Playback

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SideSpec:
    """What a side runs. `name` ("baseline", "noise", "candidate") names it in errors."""

    name: str
    service: ServiceSpec
    downstreams: tuple[DownstreamSpec, ...] = ()


class Side:
    """A side that can be brought up once and taken down again. Its taps hand what they see to `recorder` and tie
    it to the inbound exchanges in `links`. `isolation` is shared by the sides of one run and closed by whoever made
    it; without one the side has its own. Where it is `guarded` its service cannot call past its downstreams unseen: a
    recording is not. `playback` answers for the downstreams that are stubbed; without one (in a
    recording) they are real. `courier` produces messages at those that are buses."""

    def __init__(
        self,
        spec: SideSpec,
        recorder: Recorder,
        links: LinkIndex,
        *,
        grace_s: float = 1.0,
        isolation: Isolation | None = None,
        playback: Playback | None = None,
        courier: Courier | None = None,
        guarded: bool = True,
    ) -> None:
        self.spec = spec
        self._recorder = recorder
        self._links = links
        self._courier = courier
        self._grace_s = grace_s
        self._environment: Environment | None = None
        self._undo: list[Callable[[], Awaitable[None]]] = []
        self.stand_ins = StandIns(links, self._undo.append, playback)
        self._guarded = guarded and spec.service.egress != OPEN
        self._namespace: Namespace | None = None
        self.tried: Counter[str] = Counter()
        """Places ("host:port") outside of its downstreams that the service wanted to reach, and how often."""
        self._isolation = isolation
        self._isolated: list[Isolated] = []

    async def up(self) -> str:
        """Start taps and service; the service's base URL once it and its inner hops answer."""
        try:
            return await self._up()
        except BaseException:
            await self.down()
            raise

    async def down(self) -> None:
        """Take everything down, last started first; one that fails does not keep the others up."""
        failed: Exception | None = None
        try:
            while self._undo:
                try:
                    await self._undo[-1]()
                except Exception as error:
                    failed = failed or error
                # Only what has come to its end is off the list: an interrupt leaves it to the loop below.
                self._undo.pop()
        finally:
            # Only where the loop above was cut short by an interrupt: the rest goes too, without waiting long.
            while self._undo:
                await self._undo.pop()()
        if failed is not None:
            raise CouldNotCheck(f"{self.spec.name}: taking it down failed: {failed}") from failed

    async def record_state(self) -> None:
        """Record what the side has made of what is its own: call it after the last request, while the side is up.
        CouldNotCheck where it cannot be read."""
        for isolated in self._isolated:
            for exchange in await isolated.state(self._recorder):
                self._recorder.offer(exchange)

    def memory_readings(self, requests: int) -> MemoryReadings | None:
        """For readings of the service's memory during a replay of so many requests; None where it is no process of
        ours."""
        environment = self._environment
        if isinstance(environment, ProcessEnvironment) and environment.pid is not None:
            return MemoryReadings(environment.pid, requests)
        return None

    async def __aenter__(self) -> "Side":
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    @property
    def dial(self) -> Dial | None:
        """How the service is reached once it is up: its network may be its own. None: as everybody is."""
        return self._namespace.dialled if self._namespace is not None else None

    def ended(self) -> str | None:
        """Why the service no longer runs, or None."""
        return self._environment.ended() if self._environment is not None else None

    def check_alive(self) -> None:
        """CouldNotCheck, with its last output, where the service no longer runs."""
        why = self.ended()
        if why is not None and self._environment is not None:
            raise CouldNotCheck(f"{self.spec.name} {why} during the replay; {last_words(self._environment.tail())}")

    async def _up(self) -> str:
        service = self.spec.service
        if not service.is_started:
            # A running service was told long ago where its downstreams are: no tap can come between.
            self._environment = open_environment(service, cwd=service.cwd, env={}, what=self.spec.name)
            return await self._environment.up()
        cwd = await self._folder(service)
        inner = self._inner_ports()
        if self._guarded and service.egress == SEALED:
            await self._seal(inner.values())
        told = {name: str(port) for name, port in inner.items()}
        direct = dict(told)
        for downstream in self.spec.downstreams:
            own = await self._own(downstream)
            told.update(downstream.told(await self._tap(downstream, inner, own), own.placeholders))
            direct.update(downstream.told(self._real(downstream, inner), own.placeholders))
        await self._prepare(cwd, {**service.env, **direct})
        for isolated in self._isolated:
            await isolated.move_apart()
        if service.otlp:
            told.update(await self._receive_spans())
        told = {**service.env, **told}
        if self._guarded and service.environment is None:
            told.update(await self._guard(told))
        environment = open_environment(
            service, cwd=cwd, env=told, what=self.spec.name, grace_s=self._grace_s, namespace=self._namespace
        )
        self._environment = environment
        self._undo.append(environment.down)
        base = await environment.up()
        await self._inner_ready(inner)
        return base

    async def _receive_spans(self) -> dict[str, str]:
        """The variables that have the service's spans sent to a receiver of the side's own."""
        receiver = OtlpReceiver(
            self._links.testify, lambda reason: self._recorder.lost("gaps", reason), self._namespace
        )
        self._undo.append(receiver.stop)
        self._links.expect_spans()
        return exporter_variables(await receiver.start())

    async def _guard(self, env: Mapping[str, str]) -> dict[str, str]:
        """The variables that lead calls to anything else to a proxy that refuses them. For a process of ours only: the
        tools that bring up an environment have to reach their clouds."""
        proxy = RefusingProxy(self._wanted_out, self._namespace)
        self._undo.append(proxy.stop)
        return proxy_variables(await proxy.start(), env)

    async def _seal(self, ports: Iterable[int]) -> None:
        """Give the service a network of its own, with nothing in it but what stands in for its downstreams."""
        namespace = Namespace(self.spec.name)
        self._undo.append(namespace.close)
        await namespace.open()
        namespace.ports.update(ports)
        self._namespace = namespace
        wall = Wall(namespace, self._wanted_out)
        self._undo.append(wall.stop)
        await wall.start()

    def _wanted_out(self, place: str) -> None:
        self.tried[place] += 1
        self._recorder.lost("gaps", f"{TRIED}{place}")

    async def _folder(self, service: ServiceSpec) -> Path:
        if service.git is None:
            return service.cwd
        checkout = Checkout(service.cwd, service.git, what=f"[{self.spec.name}] git")
        self._undo.append(checkout.down)
        tree = await checkout.up()
        return checkout.inside(service.cwd, tree)

    def _inner_ports(self) -> dict[str, int]:
        """A free port for every downstream that the command starts itself, by the variable that names it."""
        names = sorted({spec.address_env for spec in self.spec.downstreams if spec.address_env is not None})
        return dict(zip(names, free_ports(len(names)), strict=True))

    async def _own(self, downstream: DownstreamSpec) -> Isolated:
        if self._isolation is None:
            self._isolation = Isolation(self.spec.service.env)
            self._undo.append(self._isolation.close)
        isolated = await self._isolation.isolate(downstream, self.spec.name)
        self._undo.append(isolated.drop)
        self._isolated.append(isolated)
        return isolated

    async def _tap(self, downstream: DownstreamSpec, inner: dict[str, int], own: Isolated) -> tuple[str, int]:
        spec = TapSpec(
            downstream.name,
            downstream.protocol,
            (self._reached_at, 0),
            self._real(downstream, inner),
            Role.OUTBOUND,
            self._namespace,
            is_inner=downstream.address is None,
        )
        sink = NeutralSink(self._recorder, own.names) if own.names else self._recorder
        watch = None
        if self._courier is not None:
            watch = self._courier.watch_of(downstream, spec.upstream, own.placeholders.get("{prefix}"), spec.dial)
        return await self.stand_ins.open(downstream, spec, sink, watch)

    @property
    def _reached_at(self) -> str:
        """The address at which the service reaches its taps: an environment may be behind a network of its own."""
        provided = self.spec.service.environment
        return _LOOPBACK if provided is None else provided.tap or _LOOPBACK

    def _real(self, downstream: DownstreamSpec, inner: dict[str, int]) -> tuple[str, int]:
        return downstream.address or (_LOOPBACK, inner[downstream.address_env or ""])

    async def _prepare(self, cwd: Path, env: Mapping[str, str]) -> None:
        """Migrations and resets, past the taps: they are no calls of the service's."""
        for downstream in self.spec.downstreams:
            for key in ("migrate", "reset"):
                if key in downstream.isolate and downstream.mode != "stub":
                    what = f'{self.spec.name}: {key} of downstream "{downstream.name}"'
                    await run_hook(downstream.isolate[key], what, cwd=cwd, env=env)

    async def _inner_ready(self, inner: dict[str, int]) -> None:
        assert self._environment is not None
        ready = replace(self.spec.service.ready, http=None, tcp=None)
        for name, port in inner.items():
            what = f"{self.spec.name}: the inner hop at {name}={port}"
            try:
                await await_ready((_LOOPBACK, port), ready, self._environment.ended, what, self.dial)
            except CouldNotCheck as error:
                raise CouldNotCheck(f"{error.message}; {last_words(self._environment.tail())}") from error


async def check_reachable(downstreams: Sequence[DownstreamSpec], timeout_s: float = 2.0) -> None:
    """CouldNotCheck where a real downstream accepts no connection: both sides would fail alike, and pass as same."""
    for downstream in downstreams:
        if downstream.address is not None and not is_stubbed(downstream):
            what = f'downstream "{downstream.name}"'
            await await_ready(downstream.address, Ready(timeout_s=timeout_s), lambda: None, what)
