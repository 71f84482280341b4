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

PROTOCOLS = ("http", *CALL_PROTOCOLS)

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
    """The service under test: started by `command` in `cwd`, or running already at `url`.

    `git` names the revision whose clean checkout the command runs in (None: the working tree).
    """

    name: str
    cwd: Path
    command: str | None = None
    url: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    listen: Listen | None = None
    ready: Ready = Ready()
    git: str | None = None

    def overlaid(self, overlay: Overlay) -> "ServiceSpec":
        """This service as one side runs it: the overlay's command or url takes the place of either, env is added."""
        changed = replace(
            self,
            cwd=overlay.cwd or self.cwd,
            env={**self.env, **overlay.env},
            git=overlay.git or self.git,
        )
        if overlay.command is not None:
            return replace(changed, command=overlay.command, url=None)
        if overlay.url is not None:
            return replace(changed, url=overlay.url, command=None)
        return changed


@dataclass(frozen=True, slots=True)
class DownstreamSpec:
    """A service that the one under test calls, through a tap.

    `address` is the real one; None: the command under test starts it too (an inner hop), at a free port that it
    reads from the variable `address_env`. `env` is what the service is told instead, `{tap}` being the tap's
    "host:port". `mode` is "real" or "stub"; `isolate` asks for an own clone, database or prefix a side.
    """

    name: str
    protocol: str = "http"
    address: Address | None = None
    address_env: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    mode: str = "real"
    isolate: Mapping[str, str] = field(default_factory=dict)

    def told(self, tap: Address) -> dict[str, str]:
        """The variables that lead the service to the tap."""
        place = f"{tap[0]}:{tap[1]}"
        return {name: value.replace("{tap}", place) for name, value in self.env.items()}


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
    if service.command is None and service.url is None:
        raise UsageError(f"{where}: neither command nor url", "say how the service is started, or where it runs")
    if service.command is not None and service.listen is None:
        raise UsageError(
            f"{where}: [service] listen is missing", 'listen = { env = "PORT" } tells the command its port'
        )
    if service.url is not None:
        if service.git is not None:
            raise UsageError(f"{where}: git and url exclude each other", "a running service is not checked out")
        base_address(service.url, where)


def check_downstream(downstream: DownstreamSpec, where: str) -> None:
    """UsageError where this version cannot stand in for `downstream`, or its placeholders make no sense."""
    for name, value in downstream.env.items():
        for placeholder in ("{database}", "{prefix}"):
            if placeholder in value and not downstream.isolate:
                raise UsageError(
                    f"{where}: env {name}: {placeholder} needs isolate", "say what each side gets its own of"
                )
    if downstream.mode == "stub":
        raise UsageError(f'{where}: mode "stub" is not in this version', 'mode = "real" passes calls on')
    if downstream.isolate:
        raise UsageError(f"{where}: isolate is not in this version", "leave it out and let the sides share")
    if downstream.env and not any("{tap}" in value for value in downstream.env.values()):
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
