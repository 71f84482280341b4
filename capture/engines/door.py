"""One door to the engines that record live traffic."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from ..addresses import Address, parse_upstream
from ..errors import UsageError
from ..links import LinkIndex
from ..model import Role
from ..recorder import Sink
from ..sample import Sampler
from ..wire.http1 import BODY_CAP
from .call_tap import CallTap, Watch
from .listener import TapSpec
from .tap import Tap

ENGINES = ("auto", "tap", "proxy", "wire", "mirror")
_LATER = {
    "wire": "--engine tap or --engine proxy records on a listener",
    "mirror": "let the traffic itself go through --engine tap",
}


class Engine(Protocol):
    """A listener that passes traffic on and records it. `certificate`, if any, is what its clients have to trust."""

    certificate: Path | None

    async def start(self) -> Address:
        """Listen; the real address. OSError where the address cannot be had."""

    async def stop(self, grace_s: float = ...) -> None:
        """Take no more connections, give requests in flight `grace_s` seconds, close everything."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What an engine is opened with. Without an `upstream` it is a forward proxy; `confdir` keeps its authority."""

    listen: Address
    upstream: str | None
    service: str
    confdir: Path
    role: Role = Role.INBOUND
    body_cap: int = BODY_CAP


def check_engine(kind: str) -> None:
    """UsageError where `kind` is no engine, or none of this version."""
    if kind in _LATER:
        raise UsageError(f"--engine {kind} is not in this version", _LATER[kind])
    if kind not in ENGINES:
        raise UsageError(f'--engine: "{kind}" is unknown', f"one of {', '.join(ENGINES)}")


def choose_engine(kind: str, upstream: str | None) -> str:
    """The engine that "auto" stands for; UsageError where `kind` cannot do it."""
    check_engine(kind)
    cleartext = upstream is not None and not upstream.startswith("https://")
    if kind == "auto":
        return "tap" if cleartext else "proxy"
    if kind == "tap" and not cleartext:
        raise UsageError("--engine tap needs a cleartext --upstream", "--engine proxy does TLS and forward proxying")
    return kind


def open_engine(
    kind: str, spec: EngineSpec, recorder: Sink, links: LinkIndex | None, *, sampler: Sampler | None = None
) -> Engine:
    """The engine `kind` ("auto" chooses); it listens once started. No `links`: no downstream is recorded beside it."""
    if choose_engine(kind, spec.upstream) == "proxy":
        return _open_proxy(spec, recorder, links or LinkIndex(), sampler)
    assert spec.upstream is not None
    tap = TapSpec(spec.service, "http", spec.listen, parse_upstream(spec.upstream, "--upstream"), spec.role)
    return Tap(tap, recorder, links, sampler=sampler, body_cap=spec.body_cap)


def open_tap(
    spec: TapSpec,
    recorder: Sink,
    links: LinkIndex | None,
    *,
    sampler: Sampler | None = None,
    body_cap: int = BODY_CAP,
    watch: Watch | None = None,
) -> Tap | CallTap:
    """The tap that speaks `spec.protocol`; it listens once started. UsageError where none does. `watch` is told of the
    calls of a protocol other than HTTP."""
    if spec.protocol == "http":
        return Tap(spec, recorder, links, sampler=sampler, body_cap=body_cap)
    return CallTap(spec, recorder, links, sampler=sampler, watch=watch)


def check_proxy() -> None:
    """UsageError with the command to run where the proxy engine's library is not installed."""
    if find_spec("mitmproxy") is None:
        raise UsageError("the proxy engine is not installed", "pip install 'seamline[proxy]'")


def _open_proxy(spec: EngineSpec, recorder: Sink, links: LinkIndex, sampler: Sampler | None) -> Engine:
    check_proxy()
    from .proxy import ProxyEngine  # noqa: PLC0415  (half a second of imports, for this engine only)

    return ProxyEngine(
        spec.listen,
        spec.upstream,
        recorder,
        links,
        service=spec.service,
        confdir=spec.confdir,
        max_body=spec.body_cap,
        role=spec.role,
        sampler=sampler,
    )
