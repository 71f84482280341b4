"""seamline.toml → a typed, frozen configuration.

Unknown keys are errors, relative paths are relative to the file's folder, and nothing is expanded or guessed:
what the file says is what runs.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..capture.errors import UsageError
from ..diffing.report.model import Severity
from ..replay.environments.provided import COMMAND
from ..replay.environments.spec import (
    EGRESS,
    PROTOCOLS,
    REFUSED,
    DownstreamSpec,
    Listen,
    Overlay,
    Ready,
    ServiceSpec,
    base_address,
    check_distinct,
    check_downstream,
    check_service,
)
from ..replay.isolation.asked import KEYS as ISOLATE_KEYS
from ..replay.stubs.protocols import LATENCIES, MODES, NONE, REAL
from .environment import environment_of
from .tables import Table

DEFAULT_FILE = Path("seamline.toml")
_MAX_BYTES = 1 << 20

_TOP = ("service", "downstream", "record", "sanitize", "verify", "replay", "baseline", "candidate", "gate")
_SERVICE = ("name", "command", "cwd", "env", "url", "listen", "ready", "egress", "environment", "otlp")
_DOWNSTREAM = ("name", "protocol", "address", "env", "mode", "latency", "isolate")
# RFC 9110, 5.6.2: a token.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OVERLAY = ("git", "cwd", "command", "env", "url")


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """[record]: where recorded traffic comes in, the capture it goes to, and the headers beside the usual ones that
    name one request on its way through the services."""

    listen: tuple[str, int] | None = None
    output: Path | None = None
    trace_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyConfig:
    """[verify]: the captures to replay, seconds that a verification may take, baseline runs wanted in all."""

    capture: tuple[Path, ...] = ()
    budget_s: float = 60.0
    repeats: int = 3


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. `folder` holds it: relative paths and `.seamline/` start there. `replay_headers` are added to
    every request that is replayed, {side} and {run} filled in."""

    path: Path
    folder: Path
    service: ServiceSpec
    downstreams: tuple[DownstreamSpec, ...] = ()
    record: RecordConfig = RecordConfig()
    rules: Path | None = None
    verify: VerifyConfig = VerifyConfig()
    replay_headers: Mapping[str, str] = field(default_factory=dict)
    baseline: Overlay = field(default_factory=Overlay)
    candidate: Overlay = field(default_factory=Overlay)
    fail_on: Severity = Severity.WARNING

    def side(self, name: str) -> ServiceSpec:
        """The service as the side "baseline" or "candidate" runs it; UsageError where it cannot be started."""
        overlay = self.baseline if name == "baseline" else self.candidate
        service = self.service.overlaid(overlay)
        check_service(service, f"{self.path}: [{name}]")
        return service


def load_config(path: Path | None = None) -> Config:
    """The configuration in `path` (None: seamline.toml here). UsageError names file, key and what was expected."""
    file = path or DEFAULT_FILE
    return parse_config(_read(file), file)


def parse_config(text: str, file: Path) -> Config:
    """The configuration that `text` says; `file` names it in errors and anchors its relative paths."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file}: not valid TOML: {error}", "see docs/verifying.md for an example") from error
    folder = file.resolve().parent
    top = Table(values, file, "", _TOP)
    downstreams = tuple(_downstream(table) for table in top.sections("downstream", _DOWNSTREAM))
    check_distinct((downstream.name for downstream in downstreams), f"{file}: [[downstream]]")
    service = _service(top.section("service", _SERVICE), folder)
    if service.environment is not None and service.environment.kind != COMMAND:
        _no_inner_hops(downstreams, f"{file}: [[downstream]]")
    return Config(
        path=file,
        folder=folder,
        service=service,
        downstreams=downstreams,
        record=_record(top.section("record", ("listen", "output", "trace_headers")), folder),
        rules=top.section("sanitize", ("rules",)).path("rules", folder),
        verify=_verify(top.section("verify", ("capture", "budget", "repeats")), folder),
        replay_headers=top.section("replay", ("headers",)).headers("headers"),
        baseline=_overlay(top.section("baseline", _OVERLAY), folder),
        candidate=_overlay(top.section("candidate", _OVERLAY), folder),
        fail_on=_gate(top.section("gate", ("fail_on",))),
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise UsageError(f"{file}: larger than {_MAX_BYTES} bytes", "is this a seamline.toml?")
        return raw.decode("utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{file}: no such file", "--config FILE names another one") from error
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "--config FILE names another one") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text at byte {error.start}", "save it as UTF-8") from error


def _service(table: Table, folder: Path) -> ServiceSpec:
    for pair in (("command", "url"), ("command", "environment"), ("url", "environment")):
        _only_one(table, *pair)
    return ServiceSpec(
        name=table.text("name") or folder.name or "service",
        cwd=table.path("cwd", folder) or folder,
        command=table.text("command"),
        url=_url(table),
        env=table.variables("env"),
        listen=_listen(table),
        ready=_ready(table),
        egress=table.choice("egress", EGRESS, REFUSED),
        otlp=table.flag("otlp"),
        environment=environment_of(table, folder),
    )


def _listen(table: Table) -> Listen | None:
    if "listen" not in table.values:
        return None
    inner = table.table("listen", ("env", "port"))
    listen = Listen(inner.variable("env"), inner.port("port"))
    if (listen.env is None) == (listen.port is None):
        raise table.wrong("listen", '{ env = "PORT" } or { port = 8080 }')
    return listen


def _ready(table: Table) -> Ready:
    inner = table.table("ready", ("http", "tcp", "timeout"))
    _only_one(inner, "http", "tcp")
    http = inner.text("http")
    if http is not None and (not http.startswith("/") or any(char <= " " or char > "~" for char in http)):
        raise inner.wrong("http", 'a path such as "/healthz"')
    return Ready(http, inner.port("tcp"), inner.duration("timeout", Ready().timeout_s))


def _downstream(table: Table) -> DownstreamSpec:
    name = table.text("name")
    if name is None:
        raise UsageError(f"{table.where()}: name is missing", "findings name the downstream by it")
    address, address_env = _address(table)
    downstream = DownstreamSpec(
        name=name,
        protocol=table.choice("protocol", PROTOCOLS, "http"),
        address=address,
        address_env=address_env,
        env=table.variables("env"),
        mode=table.choice("mode", MODES, REAL),
        latency=table.choice("latency", LATENCIES, NONE),
        isolate=_isolate(table),
    )
    check_downstream(downstream, table.where())
    return downstream


def _address(table: Table) -> tuple[tuple[str, int] | None, str | None]:
    if isinstance(table.values.get("address"), dict):
        variable = table.table("address", ("env",)).variable("env")
        if variable is None:
            raise table.wrong("address", '"HOST:PORT" or { env = "NAME_PORT" }')
        return None, variable
    address = table.address("address")
    if address is None:
        raise UsageError(f"{table.where('address')}: missing", '"HOST:PORT", or { env = "NAME_PORT" } for an inner hop')
    return address, None


def _isolate(table: Table) -> dict[str, str]:
    inner = table.table("isolate", ISOLATE_KEYS)
    if "isolate" in table.values and not inner.values:
        raise table.wrong("isolate", "one of template, database, prefix, reset")
    for key in ("database", "prefix"):
        inner.choice(key, ("auto",), "auto")
    found = {key: inner.text(key) or "" for key in inner.values if key != "offset"}
    return found | {"offset": str(inner.flag("offset")).lower()} if "offset" in inner.values else found


def _record(table: Table, folder: Path) -> RecordConfig:
    names = table.texts("trace_headers")
    if not all(_HEADER_NAME.fullmatch(name) for name in names):
        raise table.wrong("trace_headers", 'names of headers, such as ["x-flow-id"]')
    return RecordConfig(table.address("listen", least_port=0), table.path("output", folder), names)


def _verify(table: Table, folder: Path) -> VerifyConfig:
    default = VerifyConfig()
    return VerifyConfig(
        capture=tuple((folder / name).resolve() for name in table.texts("capture")),
        budget_s=table.duration("budget", default.budget_s),
        repeats=table.whole("repeats", default.repeats, 2, 20),
    )


def _overlay(table: Table, folder: Path) -> Overlay:
    _only_one(table, "command", "url")
    _only_one(table, "git", "url")
    return Overlay(
        git=table.text("git"),
        cwd=table.path("cwd", folder),
        command=table.text("command"),
        env=table.variables("env"),
        url=_url(table),
    )


def _url(table: Table) -> str | None:
    url = table.text("url")
    if url is not None:
        base_address(url, table.where("url"))
    return url


def _gate(table: Table) -> Severity:
    word = table.choice("fail_on", [severity.word for severity in Severity], Severity.WARNING.word)
    return Severity[word.upper()]


def _no_inner_hops(downstreams: tuple[DownstreamSpec, ...], where: str) -> None:
    for downstream in downstreams:
        if downstream.address is None:
            raise UsageError(
                f"{where} {downstream.name} address: an environment has its hops inside", "no tap comes between them"
            )


def _only_one(table: Table, first: str, second: str) -> None:
    if first in table.values and second in table.values:
        raise UsageError(f"{table.where()}: {first} and {second} exclude each other", "keep one of them")
