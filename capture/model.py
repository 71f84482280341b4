"""Exchange and its parts: what every folder of Seamline speaks of.

Raw wire truth: headers in order with duplicates and case, bodies as sent once the transfer coding is taken off
(a `Content-Encoding` stays on). Decoded views are computed where they are needed, never stored here.
Times are integers: microseconds since the epoch (UTC) for an instant, microseconds for a duration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from .headers import Headers


class Role(StrEnum):
    """Which way an exchange goes, seen from the service under test."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class FailureKind(StrEnum):
    """Why there is no answer. A failure on the wire is data."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    TRUNCATED = "truncated"
    CANCELLED = "cancelled"


class LinkKind(StrEnum):
    """How a downstream call was tied to the inbound exchange that caused it, strongest first."""

    PROPAGATED = "propagated"
    VALUE = "value"
    LANE = "lane"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent. `target` is the request target on the wire: origin form for a reverse proxy,
    absolute form for a forward proxy.

    On protocols other than HTTP, `operation` is what is asked for (a SQL text with its values taken out, a Redis
    command, "publish") and `arguments` what it is asked with, as JSON text; `method`, `target` and `headers` are
    what docs/format.md says for the protocol. Both are "" for HTTP.
    """

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    version: str = "1.1"
    operation: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it was sent."""

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = ""
    version: str = "1.1"


@dataclass(frozen=True, slots=True)
class Failure:
    """What came instead of an answer."""

    kind: FailureKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A claim that `parent` (an inbound exchange's id) caused the exchange that carries the link."""

    parent: str
    how: LinkKind
    confidence: float


@dataclass(frozen=True, slots=True)
class Withheld:
    """A part that was kept out of the capture because it could not be cleaned, and what may be said of it.

    `part` is "request.body", "response.body", …; `size` in bytes as sent; `digest` a keyed hash (hex) of the
    bytes, so that two withheld parts can still be told equal or different; `why` a few words.
    """

    part: str
    size: int
    digest: str
    why: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer (or its failure).

    `links` are the candidates for its cause, best first; `parent` is the best one's. `latency_us` runs from the
    intended send time to the last byte of the answer, `lateness_us` from the intended to the actual send (0 in a
    recording), so `latency_us - lateness_us` is the service time. `origin` is the id of the replayed exchange.
    `truncated` says that a body was cut (and left out); `withheld` names what was kept back.
    """

    id: str
    seq: int
    role: Role
    protocol: str
    service: str
    session: str
    started_us: int
    latency_us: int
    request: Request
    response: Response | None = None
    failure: Failure | None = None
    links: tuple[Link, ...] = ()
    origin: str | None = None
    truncated: bool = False
    lateness_us: int = 0
    withheld: tuple[Withheld, ...] = ()

    @property
    def parent(self) -> str | None:
        """The id of the most likely cause, or None."""
        return self.links[0].parent if self.links else None

    @property
    def status(self) -> int | None:
        """The answer's status, or None."""
        return self.response.status if self.response is not None else None

    @property
    def service_us(self) -> int:
        """Time from the actual send to the last byte of the answer, microseconds."""
        return self.latency_us - self.lateness_us


class Ask(NamedTuple):
    """An exchange without what was answered: all that is needed to send its request again, at half the price of
    decoding. The fields are `Exchange`'s."""

    id: str
    seq: int
    role: Role
    protocol: str
    service: str
    session: str
    started_us: int
    request: Request
    status: int | None
    truncated: bool
    withheld: tuple[Withheld, ...]
    links: tuple[Link, ...] = ()


TRIED = "tried to reach "
"""How the reason begins under which a service's refused attempt to call past its downstreams is counted."""

DECODER_FAILED = "decoder failed"
"""How the reason begins under which a connection is counted that a decoder of ours could not follow."""

NOT_SENT = "not sent: "
"""How the reason begins under which a replay counts requests that it could not send, since an earlier one gave no
value for them."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What a capture does not hold, counted in exchanges. Carried into every verdict.

    `dropped` never reached the file, `withheld` miss a part that could not be cleaned, `truncated` miss a body
    that was cut, `gaps` are holes in the bytes seen, `skipped` were not replayed on purpose, `expired` could no
    longer be replayed. `reasons` counts all of them by a short reason.
    """

    dropped: int = 0
    withheld: int = 0
    truncated: int = 0
    gaps: int = 0
    skipped: int = 0
    expired: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Losses") -> "Losses":
        reasons = dict(self.reasons)
        for reason, count in other.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        return Losses(
            self.dropped + other.dropped,
            self.withheld + other.withheld,
            self.truncated + other.truncated,
            self.gaps + other.gaps,
            self.skipped + other.skipped,
            self.expired + other.expired,
            reasons,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a capture was made. `replayed` is the `capture_id` of the capture that a run came from.

    `hosts` are the recorded services' addresses ("host:port"), so that a replay can refuse to fire at them;
    `key_id` names the pseudonym key (never the key), `rules` is a hash of the sanitizing rules in force.
    """

    capture_id: str
    created_us: int
    tool: str
    engine: str
    service: str = ""
    hosts: tuple[str, ...] = ()
    key_id: str = ""
    rules: str = ""
    replayed: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
