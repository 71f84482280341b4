"""Set-Cookie: the value may be new each time, what protects it may not."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ..difference import Difference, bounded
from ..report.model import Json, Surface
from .scalars import Clocks, compare_texts

PROTECTING = ("secure", "httponly", "samesite")
_STRICTNESS = {"none": 0, "": 1, "lax": 2, "strict": 3}
PATH = "header.set-cookie"
_NETSCAPE = re.compile(r"(\d\d)-([A-Z][a-z]{2})-(\d{4})")


def compare_cookies(before: Sequence[str], after: Sequence[str], clocks: Clocks) -> list[Difference]:
    """Cookies by name: lost, new, and changed attributes."""
    old, new = cookies_of(before), cookies_of(after)
    found: list[Difference] = []
    for name in old.keys() | new.keys():
        if name not in new:
            found.append(_difference("missing", before, after, f"cookie {name} present→missing"))
        elif name not in old:
            found.append(_difference("extra", before, after, f"cookie {name} missing→present"))
        else:
            found.extend(_attributes(name, old[name], new[name], clocks))
    return sorted(found, key=lambda one: (one.kind, one.transition))


def cookies_of(lines: Sequence[str]) -> dict[str, dict[str, str]]:
    """Cookies by name, each with its attributes in lower case; "=" is its value."""
    cookies: dict[str, dict[str, str]] = {}
    for line in lines[:100]:
        first, *rest = line.split(";")
        name, _, value = first.partition("=")
        attributes = {"=": value.strip()}
        for part in rest[:20]:
            key, _, text = part.partition("=")
            attributes[key.strip().lower()] = text.strip()
        cookies[name.strip()] = attributes
    return cookies


def _attributes(name: str, old: dict[str, str], new: dict[str, str], clocks: Clocks) -> list[Difference]:
    found: list[Difference] = []
    # `expires` is a time of its own making; `max-age` beside it says the same in a stable way.
    for key in sorted((old.keys() | new.keys()) - {"=", "expires"}):
        left, right = old.get(key), new.get(key)
        if _normal(key, left) != _normal(key, right):
            moved = f"cookie {name}: {_words(key, left)}→{_words(key, right)}"
            trait = "security" if _weaker(key, left, right) else ("stronger" if key in PROTECTING else "")
            found.append(_difference("attribute_changed", left, right, moved, trait))
    found.extend(_expiry(name, old.get("expires"), new.get("expires"), clocks))
    if old["="] != new["="]:
        found.append(_value(name, old["="], new["="], clocks))
    return found


def _expiry(name: str, old: str | None, new: str | None, clocks: Clocks) -> list[Difference]:
    """A time that is new with each answer: what counts is how far it lies from its request."""
    moved = f"cookie {name}: expires"
    if old == new:
        return []
    if old is None or new is None:
        return [_difference("attribute_changed", old, new, moved)]
    change = compare_texts(plain_time(old), plain_time(new), clocks)
    if change.shift_us is None:
        return []
    made = _difference("attribute_changed", plain_time(old), plain_time(new), moved, "tokens")
    return [replace(made, shift_us=change.shift_us)]


def plain_time(text: str) -> str:
    """The date of Netscape's cookies ("Sun, 01-Nov-2026 …") as RFC 1123 has it."""
    return _NETSCAPE.sub(r"\1 \2 \3", text)


def _value(name: str, old: str, new: str, clocks: Clocks) -> Difference:
    """A value may be another one each time; that there is one, and what a token says, may not."""
    moved = f"cookie {name}: value"
    if bool(old) != bool(new):
        return _difference("changed", old, new, f"cookie {name}: {'emptied' if old else 'filled'}")
    change = compare_texts(old, new, clocks)
    if change.trait in {"claims", "security"}:
        return _difference("changed", old, new, f"cookie {name}: {change.transition}", change.trait)
    return _difference("changed", old, new, moved, change.trait or "cookie")


def _normal(key: str, value: str | None) -> str | None:
    return value.lower() if value is not None and key == "samesite" else value


def _words(key: str, value: str | None) -> str:
    return "none" if value is None else (f"{key}={value}"[:60] if value else key)


def _weaker(key: str, old: str | None, new: str | None) -> bool:
    if key == "samesite":
        return _STRICTNESS.get((new or "").lower(), 1) < _STRICTNESS.get((old or "").lower(), 1)
    if key == "domain":
        return new is not None and (old is None or old.lstrip(".").endswith(f".{new.lstrip('.')}"))
    return key in PROTECTING and new is None


def _difference(kind: str, old: object, new: object, transition: str, trait: str = "") -> Difference:
    return Difference(Surface.HEADER, kind, PATH, bounded(_json(old)), bounded(_json(new)), transition, trait)


def _json(value: object) -> Json:
    return list(value) if isinstance(value, tuple | list) else (None if value is None else str(value))
