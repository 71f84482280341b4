"""A trace id of our own for every replayed request, so that its downstream calls are tied to it exactly.

W3C Trace Context: `traceparent` is version-traceid-parentid-flags. The recorded ids are replaced, because two
requests of a capture may share one; `tracestate` and `baggage` stay as they are.
"""

import hashlib

from ..capture.model import Request

TRACEPARENT = "traceparent"
_SAMPLED = "01"
_SIZES = (2, 32, 16, 2)


def traced(request: Request, run_seed: int, origin_id: str) -> Request:
    """`request` with a traceparent that depends on the run's seed and the recorded exchange's id alone."""
    recorded = request.headers.get(TRACEPARENT)
    flags = _flags(recorded) if recorded is not None else _SAMPLED
    value = traceparent(run_seed, origin_id, flags)
    return Request(
        request.method,
        request.target,
        request.headers.with_value(TRACEPARENT, value),
        request.body,
        request.version,
    )


def traceparent(run_seed: int, origin_id: str, flags: str = _SAMPLED) -> str:
    """The header's value."""
    source = f"{run_seed}:{origin_id}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(source, digest_size=24, person=b"seam-trace").hexdigest()
    return f"00-{digest[:32]}-{digest[32:]}-{flags}"


def _flags(value: str) -> str:
    """The recorded flags: a service that samples by them goes on as it did."""
    parts = value.strip().lower().split("-")
    if len(parts) < len(_SIZES) or any(len(part) != size for part, size in zip(parts, _SIZES, strict=False)):
        return _SAMPLED
    return parts[3] if all(char in "0123456789abcdef" for char in parts[3]) else _SAMPLED
