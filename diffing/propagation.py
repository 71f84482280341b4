"""What a request hands on to the calls that it causes: trace, identity, tenant, idempotency.

Compared is the relation between the inbound header and the call's header, never a value: a trace that is continued, a
token that is passed on, a key that the service makes itself. The relation is learnt from the baseline.
"""

import re

from ..capture.headers import Headers
from ..capture.model import Exchange
from .compare.headers import FRAMING
from .compare.scalars import Clocks, compare_texts
from .difference import Difference, bounded
from .pair import Pair
from .protocols import SQL, surface_of
from .report.model import Surface

CONTEXT = frozenset(
    {
        "accept-language", "authorization", "b3", "baggage", "cookie", "grpc-timeout", "idempotency-key", "traceparent",
        "tracestate", "x-amzn-trace-id", "x-b3-flags", "x-b3-parentspanid", "x-b3-sampled", "x-b3-spanid",
        "x-b3-traceid", "x-correlation-id", "x-idempotency-key", "x-request-deadline", "x-request-id",
    }
)  # fmt: skip
"""Headers that travel with a request."""
TENANT = re.compile(r"(^|-)(tenant|org|organization|account|customer|user|workspace)(-id)?$")
SPANS = frozenset({"x-b3-spanid", "x-b3-parentspanid"})
"""New for each call, whoever continues the trace."""
CLIENT = FRAMING | {
    "accept", "accept-encoding", "cache-control", "expect", "forwarded", "host", "pragma", "user-agent", "via",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip",
}  # fmt: skip
"""What an HTTP library says of itself. Swapping it changes nothing."""
RECORDED = frozenset({"content-type", "database", "db", "fingerprint", "hash", "setup", "size", "transaction"})
"""What a recorder notes in a call's headers on protocols that send none of these (docs/format.md)."""
ORDERING = re.compile(r"^header\.(?:[\w-]*(?:message|order|ordering|partition|routing|shard)[-_])?key$")
"""A header that plays the part of a key on a bus that has none: it says which events keep their order."""
GRPC_CLIENT = frozenset({"grpc-accept-encoding", "grpc-encoding", "hash", "size"})


def compare_propagation(pair: Pair, before: Exchange, after: Exchange) -> list[Difference]:
    """How two calls that answer to each other differ in what they hand on, and in their other headers."""
    old, new = before.request.headers, after.request.headers
    found: list[Difference] = []
    if not old and not new:
        return []
    for name in sorted({key.lower() for key, _ in (*old, *new)} - CLIENT - _own(before.protocol)):
        relations = (relation(pair.before.request.headers, old, name), relation(pair.after.request.headers, new, name))
        if name in CONTEXT or TENANT.search(name) or relations[0] in {"copied", "same trace"}:
            found.extend(_context(name, relations, _value(old, name), _value(new, name)))
        elif before.protocol not in SQL:
            # What else a SQL comment says (route, framework, controller) is the code's own name for itself.
            found.extend(_other(name, _value(old, name), _value(new, name), before, after))
    return found


def _own(protocol: str) -> frozenset[str]:
    """Names that say nothing of what is handed on, on this protocol."""
    if protocol == "http":
        return frozenset()
    return GRPC_CLIENT if protocol == "grpc" else RECORDED


def relation(inbound: Headers, call: Headers, name: str) -> str:
    """ "absent", "copied", "same trace", "own" (made or replaced by the service)."""
    sent = _value(call, name)
    if sent is None:
        return "absent"
    received = _value(inbound, name)
    if received is None or name in SPANS:
        return "own"
    if sent == received:
        return "copied"
    same = trace_of(name, sent) is not None and trace_of(name, sent) == trace_of(name, received)
    if same:
        return "same trace"
    members = {part.strip() for part in received.split(",")}
    # A hop may add to a list (tracestate, baggage): what it received is still handed on.
    return "copied" if members and members <= {part.strip() for part in sent.split(",")} else "own"


def _value(headers: Headers, name: str) -> str | None:
    """All of a header: repeated lines are one list (RFC 9110, 5.3), cookies one line of pairs (RFC 9113, 8.2.3)."""
    values = headers.get_all(name)
    return ("; " if name == "cookie" else ", ").join(values) if values else None


def trace_of(name: str, value: str) -> str | None:
    """The trace id inside a trace header."""
    parts = value.strip().lower().split("-")
    if name == "traceparent":
        return parts[1] if len(parts) >= 4 and len(parts[1]) == 32 else None
    return parts[0] if name == "b3" and len(parts) > 1 else None


def _context(name: str, relations: tuple[str, str], old: str | None, new: str | None) -> list[Difference]:
    # A copied traceparent is a continued trace: some services pass it on as it is.
    kept = [("handed on" if one in {"copied", "same trace"} else one) for one in relations]
    path = f"header.{name}"
    if kept[0] == kept[1]:
        same_secret = old == new or kept[0] != "own" or not (name == "authorization" or TENANT.search(name))
        return [] if same_secret else [_difference("changed", path, old, new, "own→another")]
    if kept[1] == "absent":
        return [_difference("missing_header", path, old, new, f"{kept[0]}→missing")]
    if kept[0] == "absent":
        return [_difference("added", path, old, new, f"missing→{kept[1]}")]
    return [_difference("changed", path, old, new, f"{kept[0]}→{kept[1]}")]


def _difference(kind: str, path: str, old: str | None, new: str | None, transition: str) -> Difference:
    return Difference(Surface.PROPAGATION, kind, path, bounded(old), bounded(new), transition)


def _other(name: str, old: str | None, new: str | None, before: Exchange, after: Exchange) -> list[Difference]:
    """A header that is no context: an argument of the call."""
    path = f"header.{name}"
    if old == new:
        return []
    if new is None:
        return [_argument(before, path, old, new, "field_removed", "present→missing")]
    if old is None:
        return [_argument(before, path, old, new, "field_added", "missing→present", "neutral")]
    if name == "content-type" and old.split(";")[0].strip().lower() == new.split(";")[0].strip().lower():
        return []
    change = compare_texts(old, new, Clocks(before.started_us, after.started_us))
    return [_argument(before, path, old, new, change.kind, change.transition, change.trait)]


def _argument(
    call: Exchange, path: str, old: str | None, new: str | None, inner: str, transition: str, trait: str = ""
) -> Difference:
    surface = surface_of(call)
    kind = "request_changed" if surface in (Surface.HTTP, Surface.GRPC) else "header_changed"
    if surface is Surface.BUS and ORDERING.search(path):
        kind = "key_changed"
    return Difference(surface, kind, path, bounded(old), bounded(new), transition, trait, inner=inner)
