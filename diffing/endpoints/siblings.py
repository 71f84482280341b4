"""Whether names that stand at one place of a path are values: what is answered under them says so.

`/users/alice` and `/users/bob` answer with the same members, `/users/search` with others. Words that routes are made of
stay names whatever they answer, and how many siblings it takes depends on what stands above them: a plural is followed
by its members, a value by the names of its parts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

MAX_BODY = 64 << 10
MAX_KEYS = 100
AFTER_PLURAL = 2
AFTER_NAME = 3
AFTER_VALUE = 4
AT_ROOT = 10
"""Siblings that answer alike from which they are values, by what stands above them."""

_VERSION = re.compile(r"v\d{1,3}(?:[._-]?(?:alpha|beta)?\d{0,3})?", re.ASCII)
ROUTE_WORDS = frozenset(
    {
        "about", "accept", "account", "activate", "active", "activity", "add", "admin", "aggregate", "all", "api",
        "apply", "approve", "archive", "archived", "assign", "audit", "auth", "autocomplete", "available", "batch",
        "bulk", "callback", "cancel", "cart", "categories", "change", "check", "checkout", "clear", "clone",
        "close", "closed", "comments", "complete", "config", "confirm", "contact", "copy", "count", "create", "csv",
        "current", "daily", "dashboard", "data", "debug", "default", "delete", "diff", "disable", "docs",
        "download", "draft", "drafts", "duplicate", "edit", "enable", "error", "events", "exists", "export",
        "facets", "favorites", "featured", "feed", "files", "filter", "find", "form", "graphql", "head", "health",
        "healthz", "help", "history", "home", "hourly", "images", "import", "inbox", "index", "info", "internal",
        "item", "items", "join", "js", "json", "last", "latest", "leave", "list", "live", "liveness", "lock",
        "login", "logout", "me", "meta", "metadata", "metrics", "mine", "monthly", "move", "new", "next",
        "notifications", "oauth", "open", "orders", "overview", "page", "password", "pay", "ping", "popular",
        "preferences", "preview", "previous", "private", "profile", "public", "publish", "query", "random",
        "readiness", "ready", "readyz", "recent", "refresh", "refund", "register", "reject", "related", "remove",
        "rename", "render", "report", "reports", "reset", "restore", "resume", "retry", "revoke", "rss", "run",
        "schema", "search", "self", "send", "session", "sessions", "settings", "share", "ship", "signin", "signout",
        "signup", "sitemap", "snapshot", "start", "state", "static", "stats", "status", "stop", "stream", "submit",
        "subscribe", "suggest", "suggestions", "summary", "swagger", "sync", "tags", "templates", "test", "today",
        "token", "top", "trending", "undo", "unlock", "update", "updates", "upload", "upsert", "users", "validate",
        "verify", "version", "versions", "weekly", "well-known", "whoami", "xml", "yearly", "yesterday",
    }
)  # fmt: skip
"""Words that routes are made of, in the singular and plural in which APIs use them."""
_NO_COLLECTION = frozenset(
    {
        "access", "address", "analytics", "assets", "business", "css", "docs", "focus", "graphs", "insights", "js",
        "logs", "metrics", "news", "options", "process", "progress", "reports", "series", "settings", "statistics",
        "stats", "status", "tools", "us",
    }
)  # fmt: skip


_NUMBER = re.compile(r"\d+", re.ASCII)


class Answer(NamedTuple):
    """What a path was answered with: `rest` is what follows the name in the path."""

    method: str
    rest: str
    status: int
    body: bytes


Signature = tuple[str, str, str]


def is_route_word(segment: str) -> bool:
    """Whether a segment is a name whatever else speaks for a value."""
    word = segment.lower()
    return word in ROUTE_WORDS or word.startswith((".", "_", "$")) or bool(_VERSION.fullmatch(word))


def values_among(answers: Mapping[str, Sequence[Answer]], above: str, known: Sequence[Answer] = ()) -> set[str]:
    """The names among `answers` that are values. `above` is the segment before them ("{}" where it is a value, ""
    where there is none); `known` are answers at the same place under segments whose own shape says they are values."""
    signatures = {name: signatures_of(held) for name, held in answers.items() if not is_route_word(name)}
    groups: dict[Signature, set[str]] = defaultdict(set)
    for name, own in signatures.items():
        for signature in own:
            groups[signature].add(name)
    needed = _needed(above)
    like_known = signatures_of(known)
    found: set[str] = set()
    for signature, names in groups.items():
        if signature in like_known or len(names) >= needed:
            found |= names
    found |= _numbered(signatures)
    if found or known:
        # Nothing was there: who asks for a thing by a name that nobody has, asks for a value.
        found |= {name for name in signatures if not signatures[name] and _only_missing(answers[name])}
    return found


def _numbered(signatures: Mapping[str, set[Signature]]) -> set[str]:
    """Names that differ in a number only (`ord-17`, `ord-18`), and answer alike as far as they answer."""
    masked: dict[str, list[str]] = defaultdict(list)
    for name in signatures:
        mask = _NUMBER.sub("#", name)
        if mask != name:
            masked[mask].append(name)
    found: set[str] = set()
    for names in masked.values():
        shared = set.intersection(*(signatures[name] for name in names))
        if len(names) >= AFTER_PLURAL and (shared or not any(signatures[name] for name in names)):
            found.update(names)
    return found


def _needed(above: str) -> int:
    if not above:
        return AT_ROOT
    if above.startswith("{}"):
        return AFTER_VALUE
    word = re.split(r"[-_.]", above.lower())[-1]
    plural = len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in _NO_COLLECTION
    return AFTER_PLURAL if plural else AFTER_NAME


def _only_missing(answers: Sequence[Answer]) -> bool:
    return bool(answers) and all(one.status in {404, 410} and not one.rest for one in answers)


def signatures_of(answers: Iterable[Answer]) -> set[Signature]:
    """What the good answers look like: method, what follows, and the members' names. An answer that says next to
    nothing (an acknowledgement, an empty list) is no evidence, but that a thing was put there or taken away is."""
    return {
        (one.method, one.rest, skeleton)
        for one in answers
        if 200 <= one.status < 300 and (skeleton := _skeleton(one)) is not None
    }


def _skeleton(one: Answer) -> str | None:
    members = skeleton_of(one.body)
    if members:
        return members
    return "" if one.method in {"PUT", "DELETE"} and not one.rest else None


def skeleton_of(body: bytes) -> str:
    """The names of a body's members (of its first element where it is a list), sorted; "" for fewer than two."""
    if not body or len(body) > MAX_BODY or body.lstrip()[:1] not in (b"{", b"["):
        return ""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    prefix = ""
    if isinstance(value, list) and value:
        prefix, value = "[]", value[0]
    elif isinstance(value, dict) and len(value) == 1:
        # An envelope: {"data": {…}}.
        ((prefix, value),) = value.items()
    if not isinstance(value, dict) or not 2 <= len(value) <= MAX_KEYS:
        return ""
    return f"{prefix}{','.join(sorted(value))}"
