"""One side: the service under test in an environment of its own, with a tap in front of every downstream.

Up: checkout, taps, service, ready. Down in reverse order, always, whatever failed in between.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..capture.engines.door import open_tap
from ..capture.engines.listener import TapSpec
from ..capture.errors import CouldNotCheck
from ..capture.links import LinkIndex
from ..capture.model import Role
from ..capture.recorder import Recorder
from .environments.checkout import Checkout
from .environments.ports import free_ports
from .environments.process import ProcessEnvironment, last_words
from .environments.ready import await_ready
from .environments.spec import DownstreamSpec, Environment, Ready, ServiceSpec
from .environments.url import UrlEnvironment

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SideSpec:
    """What a side runs. `name` ("baseline", "noise", "candidate") names it in errors."""

    name: str
    service: ServiceSpec
    downstreams: tuple[DownstreamSpec, ...] = ()


class Side:
    """A side that can be brought up once and taken down again. Its taps hand what they see to `recorder` and tie
    it to the inbound exchanges in `links`."""

    def __init__(self, spec: SideSpec, recorder: Recorder, links: LinkIndex, *, grace_s: float = 1.0) -> None:
        self.spec = spec
        self._recorder = recorder
        self._links = links
        self._grace_s = grace_s
        self._environment: Environment | None = None
        self._undo: list[Callable[[], Awaitable[None]]] = []

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
                    await self._undo.pop()()
                except Exception as error:
                    failed = failed or error
        finally:
            # Only where the loop above was cut short by an interrupt: the rest goes too, without waiting long.
            while self._undo:
                await self._undo.pop()()
        if failed is not None:
            raise CouldNotCheck(f"{self.spec.name}: taking it down failed: {failed}") from failed

    async def __aenter__(self) -> "Side":
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

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
        if service.url is not None:
            # A running service was told long ago where its downstreams are: no tap can come between.
            self._environment = UrlEnvironment(service, what=self.spec.name)
            return await self._environment.up()
        cwd = await self._folder(service)
        inner = self._inner_ports()
        told = {name: str(port) for name, port in inner.items()}
        for downstream in self.spec.downstreams:
            told.update(downstream.told(await self._tap(downstream, inner)))
        environment = ProcessEnvironment(
            service, cwd=cwd, env={**service.env, **told}, what=self.spec.name, grace_s=self._grace_s
        )
        self._environment = environment
        self._undo.append(environment.down)
        base = await environment.up()
        await self._inner_ready(inner)
        return base

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

    async def _tap(self, downstream: DownstreamSpec, inner: dict[str, int]) -> tuple[str, int]:
        upstream = downstream.address or (_LOOPBACK, inner[downstream.address_env or ""])
        spec = TapSpec(downstream.name, downstream.protocol, (_LOOPBACK, 0), upstream, Role.OUTBOUND)
        tap = open_tap(spec, self._recorder, self._links)
        self._undo.append(tap.stop)
        return await tap.start()

    async def _inner_ready(self, inner: dict[str, int]) -> None:
        assert self._environment is not None
        ready = replace(self.spec.service.ready, http=None, tcp=None)
        for name, port in inner.items():
            what = f"{self.spec.name}: the inner hop at {name}={port}"
            try:
                await await_ready((_LOOPBACK, port), ready, self._environment.ended, what)
            except CouldNotCheck as error:
                raise CouldNotCheck(f"{error.message}; {last_words(self._environment.tail())}") from error


async def check_reachable(downstreams: Sequence[DownstreamSpec], timeout_s: float = 2.0) -> None:
    """CouldNotCheck where a real downstream accepts no connection: both sides would fail alike, and pass as same."""
    for downstream in downstreams:
        if downstream.address is not None:
            what = f'downstream "{downstream.name}"'
            await await_ready(downstream.address, Ready(timeout_s=timeout_s), lambda: None, what)
