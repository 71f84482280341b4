"""Two JSON web tokens: new each time, and yet they say something (RFC 7519).

The signature is never looked at, and a claim that is drawn anew (`jti`) or a time (`iat`, `exp`) may be another one.
How it is signed, who it speaks of, what it allows, and for how long it is good may not.
"""

import binascii
from base64 import urlsafe_b64decode
from typing import NamedTuple

import orjson

from ..difference import type_name
from ..identity.nouns import names_an_id
from ..report.model import Json
from ..shapes import is_generated, shape

MAX_TOKEN = 8_192
MAX_CLAIMS = 200
JITTER_S = 2
"""Lifetimes that differ by less, seconds, were rounded."""

_TIMES = frozenset({"iat", "exp", "nbf", "auth_time", "updated_at"})
_DRAWN = frozenset({"jti", "sid", "nonce", "at_hash", "c_hash", "s_hash", "session_state", "kid", "x5t"})


class Token(NamedTuple):
    """Header and claims."""

    header: dict[str, Json]
    claims: dict[str, Json]


class TokenChange(NamedTuple):
    """`kind` and `trait` as a leaf's change has them."""

    kind: str
    transition: str
    trait: str


def read_token(text: str) -> Token | None:
    """The header and claims of a signed token, or None where it is none."""
    parts = text.split(".")
    if len(text) > MAX_TOKEN or len(parts) != 3:
        return None
    held = [_object(part) for part in parts[:2]]
    return Token(held[0], held[1]) if held[0] is not None and held[1] is not None else None


def _object(part: str) -> dict[str, Json] | None:
    try:
        value = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return None
    return value if isinstance(value, dict) and len(value) <= MAX_CLAIMS else None


def compare_tokens(before: str, after: str) -> TokenChange | None:
    """What two different tokens do not share beyond what is new in each; None where they say the same, or where one of
    them cannot be read."""
    old, new = read_token(before), read_token(after)
    if old is None or new is None:
        return None
    if old.header.get("alg") != new.header.get("alg"):
        weaker = str(new.header.get("alg")).lower() == "none"
        moved = f"alg {_word(old.header.get('alg'))}→{_word(new.header.get('alg'))}"
        return TokenChange("value_changed", moved, "security" if weaker else "claims")
    changed = _changed(old.header, new.header) or _changed(old.claims, new.claims)
    if changed:
        return TokenChange("value_changed", changed, "claims")
    return _lifetime(old.claims, new.claims)


def _changed(old: dict[str, Json], new: dict[str, Json]) -> str:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            return f"claim {name[:40]} present→missing"
        if name not in old:
            return f"claim {name[:40]} missing→present"
        if old[name] != new[name] and not _may_differ(name, old[name], new[name]):
            same = type_name(old[name]) == type_name(new[name])
            return f"claim {name[:40]}" if same else f"claim {name[:40]} {type_name(old[name])}→{type_name(new[name])}"
    return ""


def _may_differ(name: str, old: Json, new: Json) -> bool:
    """A time, or an id that is drawn anew: of the same type, and made alike."""
    if type_name(old) != type_name(new):
        return False
    if name in _TIMES or name in _DRAWN:
        return True
    if isinstance(old, str) and isinstance(new, str) and is_generated(shape(old)):
        return shape(old) == shape(new)
    named = name == "sub" or names_an_id(name)
    return named and str(old).isdecimal() and str(new).isdecimal() and len(str(old)) == len(str(new))


def _lifetime(old: dict[str, Json], new: dict[str, Json]) -> TokenChange | None:
    spans = [_span(claims) for claims in (old, new)]
    if spans[0] is None or spans[1] is None or abs(spans[0] - spans[1]) <= JITTER_S:
        return None
    return TokenChange("relation_changed", f"lifetime {spans[0]} s→{spans[1]} s", "claims")


def _span(claims: dict[str, Json]) -> int | None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if isinstance(issued, int | float) and isinstance(expires, int | float) and abs(expires - issued) < 1e12:
        return round(expires - issued)
    return None


def _word(value: Json) -> str:
    return str(value)[:20] if isinstance(value, str) else "none"
