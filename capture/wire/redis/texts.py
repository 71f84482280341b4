"""Redis' byte strings as JSON values, and names beside values so that a sanitizer knows what a value is.

Two rules hold here. An object of exactly the key "b64" is always bytes that are no UTF-8. A name never carries what a
sanitizer would have to clean, since it cleans values only: a key such as `user:a@b.c` names its value as `user:*`.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from typing import Any

from .values import Cut

Json = Any
"""A JSON value: None, bool, int, float, str, list or dict."""

_RISKY = re.compile(r"[^:/|]*@[^:/|]*|[^:/|@]*(?:\d{7}|\d+\.\d+\.\d+\.\d+|eyJ|[0-9a-fA-F-]{20})[^:/|@]*")
# Mail addresses, numbers as long as a telephone's, IP addresses, JWTs, and what may be a session's id.


_NAMES: dict[bytes, str] = {}
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 64
_LONGEST_NAME = 1024
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")
# Fields and keys come again and again, and the pattern is half of what a command costs.


def text(data: bytes | Cut | None) -> Json:
    """A byte string as JSON: text, {"b64": …} where it is no UTF-8, null where it was too large."""
    if not isinstance(data, bytes):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"b64": b64encode(data).decode()}


def data(value: Json) -> bytes:
    """The way back from `text`; any other JSON value as Redis would write it."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, dict) and value.keys() == {"b64"}:
        try:
            return b64decode(str(value["b64"]), validate=True)
        except (Error, ValueError):
            return b""
    return b"" if value is None else str(value).encode()


def label(key: bytes | Cut) -> str:
    """A key as a target: text, with escapes for what is no UTF-8."""
    return key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else ""


def name(key: bytes | Cut) -> str:
    """A key or field as a JSON name: what could be personal in it is "*"."""
    if not isinstance(key, bytes):
        return ""
    known = _NAMES.get(key)
    if known is None:
        known = "*" if _is_document(key) else _RISKY.sub("*", label(key))
        if len(key) <= _LONGEST_REMEMBERED:
            if len(_NAMES) >= _MOST_REMEMBERED:
                _NAMES.clear()
            _NAMES[key] = known
    return known


def _is_document(key: bytes) -> bool:
    """Whether a key is a document or a program's own bytes: they are cleaned as such where they stand as a value, and
    what would be left of them between asterisks could not be."""
    if key[:1] in (b"{", b"[") or len(key) > _LONGEST_NAME or _CONTROL.search(key):
        return True
    try:
        key.decode()
    except UnicodeDecodeError:
        return True
    return False


def named(key: bytes | Cut, value: bytes | Cut) -> list[Json]:
    """One name and its value, as elements of an arguments array."""
    plain = name(key)
    if "*" in plain or plain == "b64":
        return pairs([key, value])
    return [{plain: text(value)}]


def pairs(args: Sequence[bytes | Cut]) -> list[Json]:
    """Names and values in turn, as elements of an arguments array: one object where names can stand as they are; a
    name that cannot stands before an object of its own. Flat where names repeat, or the last one has no value."""
    names = [name(key) for key in args[::2]]
    if len(args) % 2 or len(set(names)) < len(names) or names == ["b64"]:
        return [text(arg) for arg in args]
    if "*" not in "".join(names):
        return [{each: text(value) for each, value in zip(names, args[1::2], strict=True)}] if args else []
    made: list[Json] = []
    for each, key, value in zip(names, args[::2], args[1::2], strict=True):
        if key != each.encode():
            made.append(text(key))
        made.append({each: text(value)})
    return made


def mapping(values: Sequence[bytes | None], json: Sequence[Json]) -> Json:
    """An object of names and their JSON values; None where the names do not tell the values apart."""
    names = [name(key) if isinstance(key, bytes) else "" for key in values]
    if len(set(names)) < len(names) or names in (["b64"], ["error"]):
        return None
    return dict(zip(names, json, strict=True))


def exact(keys: Sequence[Json]) -> bool:
    """Whether JSON values can be the names of an object without losing anything."""
    return all(type(key) is str and name(key.encode()) == key for key in keys) and len(set(keys)) == len(keys)
