"""Response headers, each compared as what it is: never more strictly than its meaning.

Order, case and framing say nothing. Volatile headers are known by exact names; their presence is still asserted.
"""

from collections.abc import Callable

from ...capture.headers import Headers
from ..difference import Difference, bounded
from ..report.model import Surface
from .cookies import compare_cookies
from .scalars import Clocks, compare_texts

FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""How the bytes travelled, and when: says nothing about the answer."""

VOLATILE = frozenset(
    {
        "age", "alt-svc", "b3", "baggage", "cf-ray", "etag", "expires", "last-modified", "nel", "report-to",
        "request-id", "server-timing", "traceparent", "tracestate", "trace-id", "via", "x-amz-cf-id",
        "x-amzn-requestid", "x-amzn-trace-id", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid", "x-cache", "x-cache-hits",
        "x-correlation-id", "x-envoy-upstream-service-time", "x-ratelimit-remaining", "x-ratelimit-reset",
        "ratelimit-remaining", "ratelimit-reset", "x-request-id", "x-response-time", "x-runtime", "x-served-by",
        "x-timer", "x-trace-id",
    }
)  # fmt: skip
"""A new value with each answer. Only presence is asserted."""

VALIDATORS = frozenset({"etag", "last-modified"})
COSMETIC = frozenset({"server", "x-powered-by", "x-aspnet-version", "x-generator"})

Special = Callable[[str, str], Difference | None]


def compare_headers(
    before: Headers, after: Headers, clocks: Clocks, mask: Callable[[str, str], bool] = lambda _old, _new: False
) -> list[Difference]:
    """Every difference in meaning. `mask(old, new)` says that two values differ only in their side's own address."""
    found: list[Difference] = []
    old, new = _by_name(before), _by_name(after)
    for name in old.keys() | new.keys():
        if name in FRAMING:
            continue
        if name == "set-cookie":
            found.extend(compare_cookies(before.get_all(name), after.get_all(name), clocks))
            continue
        changed = _compare_one(name, old.get(name), new.get(name), clocks)
        if changed and not (old.get(name) and new.get(name) and mask(old[name], new[name])):
            found.append(changed)
    found.sort(key=lambda one: (one.path or "", one.kind))
    return found


def _by_name(headers: Headers) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        values[lowered] = f"{values[lowered]}, {value.strip()}" if lowered in values else value.strip()
    return values


def _compare_one(name: str, old: str | None, new: str | None, clocks: Clocks) -> Difference | None:
    if old == new:
        return None
    if name == "content-encoding":
        return _difference(name, old, new, f"{old or 'none'}→{new or 'none'}", "content_encoding", Surface.TRANSPORT)
    if new is None:
        return _difference(name, old, new, "present→missing", "missing", trait=_presence(name))
    if old is None:
        return _difference(name, old, new, "missing→present", "extra", trait=_presence(name))
    if name in VOLATILE:
        return None
    special = SPECIAL.get(name)
    if special:
        return special(old, new)
    change = compare_texts(old, new, clocks)
    trait = "cosmetic" if name in COSMETIC else (change.trait if change.trait == "tokens" else "")
    return _difference(name, old, new, change.transition, trait=trait)


def _presence(name: str) -> str:
    if name in VALIDATORS:
        return "validator"
    return "volatile" if name in VOLATILE else ("cosmetic" if name in COSMETIC else "")


def _difference(
    name: str,
    old: str | None,
    new: str | None,
    transition: str,
    kind: str = "changed",
    surface: Surface = Surface.HEADER,
    trait: str = "",
) -> Difference:
    return Difference(surface, kind, f"header.{name}", bounded(old), bounded(new), transition, trait)


def _content_type(old: str, new: str) -> Difference | None:
    media = [value.split(";", 1)[0].strip().lower() for value in (old, new)]
    if media[0] != media[1]:
        return _difference("content-type", old, new, f"{media[0]}→{media[1]}", trait="media")
    parameters = [sorted(_parameters(value)) for value in (old, new)]
    if parameters[0] == parameters[1]:
        return None
    charset = [dict(_parameters(value)).get("charset", "none") for value in (old, new)]
    moved = f"charset {charset[0]}→{charset[1]}" if charset[0] != charset[1] else "parameters"
    # A multipart boundary is drawn anew with each answer.
    generated = charset[0] == charset[1] and media[0].startswith("multipart/")
    return None if generated else _difference("content-type", old, new, moved)


def _parameters(value: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in value.split(";")[1:])
    return [(name.strip().lower(), text.strip(' "').lower()) for name, _, text in pairs if name.strip()]


def _directives(value: str) -> list[str]:
    return sorted(part.strip().lower() for part in value.split(",") if part.strip())


def _cache_control(old: str, new: str) -> Difference | None:
    left, right = _directives(old), _directives(new)
    if left == right:
        return None
    opened = {"private", "no-store"} & set(left) and not {"private", "no-store"} & set(right)
    return _difference(
        "cache-control", old, new, "private→shared" if opened else "directives", trait="security" if opened else ""
    )


def _origin(old: str, new: str) -> Difference | None:
    if new.strip() == "*":
        return _difference("access-control-allow-origin", old, new, "origin→*", trait="security")
    return _difference("access-control-allow-origin", old, new, "origin")


def _credentials(old: str, new: str) -> Difference | None:
    trait = "security" if new.strip().lower() == "true" else ""
    return _difference("access-control-allow-credentials", old, new, f"{old}→{new}"[:80], trait=trait)


def _list(name: str) -> Special:
    def compare(old: str, new: str) -> Difference | None:
        return None if _directives(old) == _directives(new) else _difference(name, old, new, "members")

    return compare


SPECIAL: dict[str, Special] = {
    "content-type": _content_type,
    "cache-control": _cache_control,
    "access-control-allow-origin": _origin,
    "access-control-allow-credentials": _credentials,
    **{
        name: _list(name)
        for name in (
            "vary",
            "allow",
            "access-control-allow-methods",
            "access-control-allow-headers",
            "access-control-expose-headers",
        )
    },
}
