"""What an environment is made of: the service under test, its downstreams, when it counts as ready.

Values only, as `seamline.toml` gives them (paths already absolute); starting things is the edge files' work.
Durations are seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ...capture.errors import UsageError
from ...capture.wire.protocols import CALL_PROTOCOLS
from ..faults.spec import Fault
from ..isolation.asked import check_isolate
from ..stubs.protocols import NONE, REAL, check_stub
from .provided import Provided

PROTOCOLS = ("http", *CALL_PROTOCOLS)
REFUSED, SEALED, OPEN = "refused", "sealed", "open"
EGRESS = (REFUSED, SEALED, OPEN)
"""How a service under replay may call what is no downstream: a proxy refuses it, there is no network for it, freely."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Ready:
    """When a service counts as up: a GET of `http` answers 2xx or 3xx, or a TCP connection to `tcp` (a port of
    127.0.0.1; None: the service's own) is accepted. Given up after `timeout_s`."""

    http: str | None = None
    tcp: int | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a started service listens: a free port that it reads from the variable `env`, or the fixed `port`."""

    env: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """How one side differs from the service: `git` is a revision to check out, the rest replaces or adds."""

    git: str | None = None
    cwd: Path | None = None
    command: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The service under test: started by `command` in `cwd`, running already at `url`, or in an `environment` that a
    tool brings up.

    `git` names the revision whose clean checkout the command runs in (None: the working tree). `egress` says whether a
    replay lets it call what is no downstream, one of `EGRESS`. `otlp` has its spans sent here, as witnesses.
    """

    name: str
    cwd: Path
    command: str | None = None
    url: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    listen: Listen | None = None
    ready: Ready = Ready()
    git: str | None = None
    egress: str = REFUSED
    otlp: bool = False
    environment: Provided | None = None

    @property
    def is_started(self) -> bool:
        """Whether it is Seamline that starts it, with taps in front of its downstreams."""
        return self.url is None

    def overlaid(self, overlay: Overlay) -> "ServiceSpec":
        """This service as one side runs it: the overlay's command or url takes the place of either and of an
        environment, env is added."""
        changed = replace(
            self,
            cwd=overlay.cwd or self.cwd,
            env={**self.env, **overlay.env},
            git=overlay.git or self.git,
        )
        if overlay.command is not None:
            return replace(changed, command=overlay.command, url=None, environment=None)
        if overlay.url is not None:
            return replace(changed, url=overlay.url, command=None, environment=None)
        return changed


@dataclass(frozen=True, slots=True)
class DownstreamSpec:
    """A service that the one under test calls, through a tap.

    `address` is the real one; None: the command under test starts it too (an inner hop), at a free port that it
    reads from the variable `address_env`. `env` is what the service is told instead, `{tap}` being the tap's
    "host:port" and `{tap_host}` and `{tap_port}` its two parts. `mode` is "real", "stub" or "stub-or-real", `latency`
    how long a stub takes ("none" or "recorded"); `isolate` asks for an own clone, database or prefix a side. `faults`
    go wrong on purpose.
    """

    name: str
    protocol: str = "http"
    address: Address | None = None
    address_env: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    mode: str = REAL
    isolate: Mapping[str, str] = field(default_factory=dict)
    latency: str = NONE
    faults: tuple[Fault, ...] = ()

    def told(self, tap: Address, own: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables that lead the service to the tap. `own` says what stands for {database} or {prefix}."""
        told = {}
        place = {"{tap}": f"{tap[0]}:{tap[1]}", "{tap_host}": tap[0], "{tap_port}": str(tap[1])}
        for name, value in self.env.items():
            for placeholder, meant in {**(own or {}), **place}.items():
                value = value.replace(placeholder, meant)  # noqa: PLW2901  (one after the other)
            told[name] = value
        return told


class Environment(Protocol):
    """Something that can be brought up, watched and taken down again."""

    async def up(self) -> str:
        """Bring it up; the base URL once it is ready. CouldNotCheck, with the last lines of output, if it fails."""

    async def down(self) -> None:
        """Take it down; safe to call at any time and more than once."""

    def ended(self) -> str | None:
        """Why it no longer runs, or None."""

    def tail(self) -> str:
        """The last lines it printed, fit to be shown; "" where nothing is known."""


def check_service(service: ServiceSpec, where: str) -> None:
    """UsageError where the side `where` ("[baseline]") cannot be started from what is given."""
    if service.command is None and service.url is None and service.environment is None:
        raise UsageError(f"{where}: neither command nor url", "say how the service is started, or where it runs")
    if service.command is not None and service.listen is None:
        raise UsageError(
            f"{where}: [service] listen is missing", 'listen = { env = "PORT" } tells the command its port'
        )
    if service.egress == SEALED and service.command is None:
        raise UsageError(
            f'{where}: egress = "sealed" needs a command',
            "only a process of Seamline's gets its own network",
        )
    if service.url is not None:
        if service.git is not None:
            raise UsageError(f"{where}: git and url exclude each other", "a running service is not checked out")
        base_address(service.url, where)


def check_downstream(downstream: DownstreamSpec, where: str) -> None:
    """UsageError where this version cannot stand in for `downstream`, or its placeholders make no sense."""
    check_isolate(downstream.protocol, downstream.isolate, downstream.env, where)
    if downstream.mode != REAL:
        check_stub(downstream.protocol, where, downstream.mode)
    if downstream.isolate and downstream.address is None and set(downstream.isolate) != {"reset"}:
        raise UsageError(
            f"{where}: isolate needs an address", "what the command starts itself is each side's own already"
        )
    if downstream.env and not any("{tap}" in value or "{tap_port}" in value for value in downstream.env.values()):
        raise UsageError(f"{where}: env names no {{tap}}", "the service has to be told where the tap is")


def check_distinct(names: Iterable[str], where: str) -> None:
    """UsageError where two downstreams share a name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UsageError(f'{where}: two downstreams are called "{name}"', "findings name them apart")
        seen.add(name)


def base_address(url: str, where: str) -> Address:
    """Host and port of a base URL, UsageError where it is none that can be replayed at."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f'{where}: url "{url}": {error}', "http://HOST:PORT") from error
    if parts.scheme != "http" or not host:
        raise UsageError(f'{where}: url "{url}" is not one to replay at', "http://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.username:
        raise UsageError(f'{where}: url "{url}" has more than host and port', "http://HOST:PORT")
    return host, port or 80
