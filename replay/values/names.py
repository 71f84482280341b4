"""What names and places say of a value: the id of an order, a credential, a cursor. PURE.

A value that tells nothing by itself (7) is a link only where both ends say that it is the same thing. Each end gives
*keys*, and a link needs one in common. An entity of several words (`line_item`) is known by its last word too, but two
of them do not meet in that: the id of a `cart_item` is none of an `order_item`.
"""

import re
from functools import lru_cache

from ...capture.sanitize.vocabulary import words as word_set

UNSURE = "?"
"""The key of an id that nothing but its value speaks for: only to be listed."""

LONGEST_NAME = 120
"""Characters of a name that are looked at; nobody hands in more, as names are remembered."""

_BOUNDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")

_IDS = frozenset({"id", "ids", "uuid", "uuids", "guid", "pk", "oid", "uid"})
_OTHER_IDS = {
    "key": "key", "keys": "key", "ref": "ref", "refs": "ref", "reference": "ref", "code": "code", "codes": "code",
    "number": "number", "num": "number", "slug": "slug", "slugs": "slug", "sku": "sku", "skus": "sku",
    "handle": "handle", "serial": "serial", "barcode": "barcode", "isbn": "isbn", "ean": "ean", "username": "username",
}  # fmt: skip
_BY_THEMSELVES = frozenset({"sku", "isbn", "ean", "barcode", "username"})
"""What these name is the same thing wherever it stands."""
_SUBJECTS = ("user", "account", "customer", "member", "profile")
"""Whom a token's `sub` may mean (RFC 7519, 4.1.2)."""
_CREDENTIALS = frozenset(
    {"token", "jwt", "session", "sid", "ticket", "bearer", "authorization", "credential", "apikey"}
)
_CSRF = frozenset({"csrf", "xsrf", "authenticity", "csrfmiddlewaretoken", "csrftoken", "antiforgery"})
_CURSORS = frozenset({"cursor", "continuation", "marker", "scroll", "pagetoken"})
_PAGES = frozenset({"page", "next", "prev", "previous", "sync", "paging", "pagination"})
_DIRECTIONS = frozenset({"after", "before", "start", "starting", "ending"})

_GENERIC = word_set(
    "items data results result content contents records rows list lists values value edges node nodes payload response "
    "body object objects hits source attributes attrs entries entry page embedded input variables params fields form "
    "collection elements members docs documents output return returns reply message detail details info model entity "
    "entities root json request props state api rest graphql query mutation rpc v1 v2 v3"
)
_ROOTS = word_set("api rest graphql rpc json")
_VERBS = word_set(
    "create created add new update updated get fetch place put post patch delete remove register start open submit my "
    "current all list find search load make save upsert make the by for selected last first latest default"
)


@lru_cache(maxsize=16_384)
def words(name: str) -> tuple[str, ...]:
    """The words of `name` in lower case, whatever joins them."""
    return tuple(word.lower() for word in _BOUNDS.split(name) if word)


@lru_cache(maxsize=16_384)
def singular(word: str) -> str:
    """`word` without the ending of an English plural. Only has to be the same for both numbers of one word."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=16_384)
def entity(name: str) -> str:
    """What a member, a collection's segment or a type is named after: `createLineItems` is about a "line_item".
    "" where the name says nothing, as `data`."""
    if name.lower().strip("_") in _GENERIC:
        return ""
    telling = [word for word in words(name) if word not in _VERBS]
    if not telling or not telling[-1].isalpha():
        return ""
    telling[-1] = singular(telling[-1])
    return "_".join(telling)


@lru_cache(maxsize=16_384)
def noun(name: str) -> str:
    """What a segment of a path is named after; also where it is a word as general as `items`."""
    if name.lower() in _ROOTS or (name[:1] in "vV" and name[1:].isdigit()):
        return ""
    parts = words(name)
    if not parts or not parts[-1].isalpha():
        return ""
    return entity(name) or "_".join((*parts[:-1], singular(parts[-1])))


@lru_cache(maxsize=16_384)
def is_id(name: str) -> bool:
    """Whether `name` is that of an id, by its last word."""
    parts = words(name)
    return bool(parts) and (parts[-1] in _IDS or parts[-1] in _OTHER_IDS)


@lru_cache(maxsize=16_384)
def says_something(name: str) -> bool:
    """Whether `name` is one that a source can be known by."""
    return bool(name) and (_kind(name)[0] is not None or bool(_special(name)))


@lru_cache(maxsize=65_536)
def source_keys(name: str, entities: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of an answer's leaf of that name, best first; `entities` are what it may belong to, likewise."""
    kind, own = _kind(name)
    if kind is None:
        return _special(name)
    about = (own,) if own else entities if name != "sub" else _SUBJECTS
    keys = [*_special(name)]
    for one in filter(None, about):
        last = one.rpartition("_")[2]
        keys += f"{kind}:{one}", f"slot:{one}"
        if last != one:
            keys += f"{kind}~{last}", f"slot~{last}"
    if kind in _BY_THEMSELVES:
        keys.append(f"{kind}:")
    return tuple(dict.fromkeys(keys))


@lru_cache(maxsize=65_536)
def sink_keys(name: str, entities: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that a request's leaf of that name looks for, best first."""
    kind, own = _kind(name)
    special = _special(name)
    if kind is None:
        # {"category": 3}: the id of a category.
        about = entity(name)
        return special if special or not about else _asked("id", about)
    keys = [*special]
    for one in filter(None, (own,) if own else entities):
        keys += _asked(kind, one)
    if kind in _BY_THEMSELVES:
        keys.append(f"{kind}:")
    return (*dict.fromkeys(keys), UNSURE)


@lru_cache(maxsize=16_384)
def slot_keys(segment: str) -> tuple[str, ...]:
    """The keys of a path's segment behind `segment`: /orders/7 takes whatever names an order."""
    about = noun(segment)
    return (*_asked("id", about), *_asked("slot", about), UNSURE) if about else ()


@lru_cache(maxsize=16_384)
def noun_keys(segment: str) -> tuple[str, ...]:
    """The keys of a value that an answer has behind `segment`, as in a link to /orders/7."""
    about = noun(segment)
    return source_keys("id", (about,)) if about else ()


def _asked(kind: str, one: str) -> tuple[str, ...]:
    last = one.rpartition("_")[2]
    return (f"{kind}:{one}", f"{kind}:{last}", f"{kind}~{one}") if last != one else (f"{kind}:{one}", f"{kind}~{one}")


@lru_cache(maxsize=16_384)
def _kind(name: str) -> tuple[str | None, str]:
    """Which sort of id `name` is (None: of none), and whose."""
    parts = words(name)
    if not parts:
        return None, ""
    last = parts[-1]
    if parts == ("sub",):
        return "id", ""
    kind = "id" if last in _IDS else _OTHER_IDS.get(last)
    own = [word for word in parts[:-1] if word not in _VERBS and word != "x"]
    if own:
        own[-1] = singular(own[-1])
    about = "_".join(own)
    return kind, "" if about in _GENERIC else about


@lru_cache(maxsize=16_384)
def _special(name: str) -> tuple[str, ...]:
    """Keys of names that mean the same whatever they belong to."""
    said = words(name)
    parts = frozenset(said)
    if not said:
        return ()
    if parts & _CSRF:
        return ("csrf",)
    last = said[-1]
    if last in _CURSORS or (last == "token" and parts & (_CURSORS | _PAGES)) or parts <= _DIRECTIONS:
        return ("cursor",)
    # {"session_timeout": 30} is none.
    if last in _CREDENTIALS or said[-2:] in (("api", "key"), ("access", "key")):
        return ("credential",)
    return ()


def is_noun(segment: str) -> bool:
    """Whether a path's segment can be the name of a collection."""
    return len(segment) <= 60 and bool(segment) and all(word.isalpha() for word in re.split(r"[-_.]", segment) if word)
