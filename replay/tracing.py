"""What a replayed request carries besides what was recorded: a trace id of our own, so that its downstream calls are
tied to it exactly, and the headers that a shared cluster routes by, where it is configured to.

W3C Trace Context: `traceparent` is version-traceid-parentid-flags. The recorded ids are replaced, because two
requests of a capture may share one; `tracestate` and `baggage` stay as they are.
"""

import hashlib
from collections.abc import Mapping

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


_LISTS = ("baggage", "tracestate")
"""Headers that are lists of KEY=VALUE, in which others have a say too."""


def routed(request: Request, headers: Mapping[str, str]) -> Request:
    """`request` with `headers`, which lead it through a shared cluster to the version under test. Of `baggage` (W3C
    Baggage 3.2) and `tracestate` (W3C Trace Context 3.3) only the members that are given are replaced; a changed
    member of `tracestate` comes first, as the standard wants it. Every other header has the one value that is given."""
    changed = request.headers
    for name, value in headers.items():
        if name.lower() in _LISTS:
            value = _merged(changed.get_all(name), value, first=name.lower() == "tracestate")  # noqa: PLW2901
        changed = changed.with_value(name, value)
    return Request(request.method, request.target, changed, request.body, request.version)


def for_side(headers: Mapping[str, str], side: str, run: str) -> dict[str, str]:
    """The configured `headers` as one side sends them: {side} and {run} filled in."""
    return {name: value.replace("{side}", side).replace("{run}", run) for name, value in headers.items()}


def _merged(recorded: tuple[str, ...], given: str, *, first: bool) -> str:
    own = _members(given)
    keys = {_key(member) for member in own}
    kept = [member for member in _members(",".join(recorded)) if _key(member) not in keys]
    return ",".join([*own, *kept] if first else [*kept, *own])


def _members(text: str) -> list[str]:
    return [member.strip() for member in text.split(",") if member.strip()]


def _key(member: str) -> str:
    return member.partition("=")[0].strip()
