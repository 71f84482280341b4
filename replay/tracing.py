"""A trace id of our own on each replayed request, so that its downstream calls can be tied to it exactly.

The id is a function of the seed and the replayed exchange: every side of a comparison sends the same one, so an
echoed trace id is no difference. W3C Trace Context, level 1.
"""

import hashlib
from dataclasses import replace

from ..capture.model import Request


def traced(request: Request, seed: int, origin: str) -> Request:
    """`request` with a `traceparent` for `origin`; a recorded one keeps its place, its flags and its followers
    (`tracestate`, `baggage`)."""
    recorded = request.headers.get("traceparent", "") or ""
    parts = recorded.split("-")
    flags = parts[3] if len(parts) == 4 and len(parts[3]) == 2 else "01"
    digest = hashlib.blake2b(f"{seed}/{origin}".encode(), digest_size=24).hexdigest()
    value = f"00-{digest[:32]}-{digest[32:]}-{flags}"
    return replace(request, headers=request.headers.with_value("traceparent", value))
