"""Report and its parts: what a verdict says, in the terms of docs/report.md.

Plain frozen values. Everything that quotes recorded traffic (`before`, `after`, `path`, `endpoint`) is untrusted
text: renderers escape it, nothing here interprets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Verdict(StrEnum):
    """What a comparison came to."""

    SAME = "same"
    DIVERGED = "diverged"
    INCONCLUSIVE = "inconclusive"


class Severity(IntEnum):
    """How much a tolerant reader of the baseline would suffer; ordered, so that a gate is a comparison."""

    INFO = 0
    WARNING = 1
    BREAKING = 2

    @property
    def word(self) -> str:
        """The name that reports and configs use."""
        return self.name.lower()


class Surface(StrEnum):
    """Where a divergence shows."""

    STATUS = "status"
    HEADER = "header"
    RESPONSE = "response"
    TRANSPORT = "transport"
    LATENCY = "latency"
    HTTP = "http"
    GRPC = "grpc"
    SQL = "sql"
    REDIS = "redis"
    BUS = "bus"
    PROPAGATION = "propagation"
    ORDER = "order"
    STATE = "state"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause of divergence.

    `id` is stable from run to run for the same cause; `kind` is the class's second word ("type_changed");
    `service` and `operation` name the downstream for calls; `requests` of `of` replayed requests to the endpoint
    show it; `exchanges` are ids in the replayed capture; `before`/`after` are one example, bounded;
    `explanation` holds lines for people (deepdiff's account of one changed pair), `reproduce` a shell command.
    """

    id: str
    surface: Surface
    kind: str
    severity: Severity
    confidence: float
    endpoint: str
    path: str | None
    service: str | None
    operation: str | None
    transition: str
    requests: int
    of: int
    exchanges: tuple[str, ...]
    before: Json
    after: Json
    reproduce: str
    explanation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A difference that was taken for noise: where, of what kind, why, and how many occurrences it hides."""

    path: str
    kind: str
    why: str
    hides: int


@dataclass(frozen=True, slots=True)
class EndpointLatency:
    """Paired latency of one endpoint: `estimate`, `low`, `high` and `mde` (minimum detectable effect) are relative
    changes (0.1 is +10 %), NaN where there is too little to say; `verdict` is regressed, improved, equivalent or
    inconclusive, `why` what kept it from being judged, or which shape changed ("too few pairs", "tail")."""

    endpoint: str
    pairs: int
    estimate: float
    low: float
    high: float
    mde: float
    verdict: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was compared (`endpoints`) and what could not be (`unverified`, each with its reason)."""

    endpoints: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """What the compared capture held: exchanges, and those lost in one way or another."""

    exchanges: int = 0
    dropped: int = 0
    withheld: int = 0
    truncated: int = 0
    expired: int = 0


class CallMark(StrEnum):
    """Whether a call has its counterpart on the other side."""

    BOTH = "both"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class CallLine:
    """One exchange of a tree: its depth below the request (0), who was asked what, and how it was answered."""

    depth: int
    service: str
    protocol: str
    call: str
    answer: str
    failed: bool
    ms: float
    mark: CallMark


@dataclass(frozen=True, slots=True)
class CallTree:
    """All that one request caused, on both sides, causes before what they caused. `exchange` is its id in the
    replayed capture."""

    exchange: str
    endpoint: str
    baseline: tuple[CallLine, ...]
    candidate: tuple[CallLine, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole comparison. `reason` says in a sentence why a verdict is inconclusive (or None)."""

    verdict: Verdict
    reason: str | None
    capture: Compared
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    latency: tuple[EndpointLatency, ...] = ()
    coverage: Coverage = Coverage()
    self_test: Mapping[str, int] | None = None
    trees: tuple[CallTree, ...] = ()
