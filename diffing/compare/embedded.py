"""Documents inside texts: JSON kept as a string, and JSON in base64, as cursors and opaque tokens carry it.

Such texts are compared by what they hold: another order of their members is no change, and a changed member is named.
"""

import binascii
from base64 import urlsafe_b64decode

import orjson

from ..canonical import within_depth
from ..report.model import Json

MAX_EMBEDDED = 1 << 20
MAX_DEPTH = 50
_BASE64_STARTS = ("eyJ", "eyI", "W3si", "WyJ", "ewo", "e30", "W10", "Wz", "W1")
"""`{"`, `[{"`, `["`, … in base64."""


def document_in(text: str) -> Json:
    """The object or list that `text` holds, None where it holds none."""
    start = text[:1]
    if start in "{[" and start:
        return _container(text)
    if start in " \n\t" and start and text.lstrip()[:1] in ("{", "["):
        return _container(text)
    if start in "eW" and start and text.startswith(_BASE64_STARTS) and "." not in text and len(text) <= MAX_EMBEDDED:
        return _decoded(text)
    return None


def _container(text: str | bytes) -> Json:
    if len(text) > MAX_EMBEDDED:
        return None
    try:
        value: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict | list) and within_depth(value, MAX_DEPTH) else None


def _decoded(text: str) -> Json:
    plain = text.rstrip("=").translate({ord("+"): "-", ord("/"): "_"})
    try:
        return _container(urlsafe_b64decode(plain + "=" * (-len(plain) % 4)))
    except (binascii.Error, ValueError):
        return None
