"""Cookies: every value is a secret unless its name and its looks both say otherwise; names and attributes stay."""

import re

from .tokens import KeyClassifier
from .values import Values
from .vocabulary import words

_HARMLESS = words(
    "lang language locale theme currency country region timezone tz consent cookieconsent variant experiment ab "
    "darkmode layout view sort density motd seen version"
)
_HARMLESS_VALUE = re.compile(r"|[A-Za-z]{1,5}|[a-z]{2}[-_][A-Z]{2}|\d{1,4}")
_LONGEST_HARMLESS = 24
_ATTRIBUTES = words("path domain expires max-age samesite priority")


class Cookies:
    """Cleans the values of Cookie and Set-Cookie, wherever they stand."""

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values

    def clean(self, header: str) -> str:
        """The cookies of `header` cleaned; attributes among them stay, so that a Set-Cookie may be given too."""
        return ";".join(map(self._cookie, header.split(";")))

    def clean_set(self, header: str) -> str:
        """The one cookie of a Set-Cookie `header` cleaned."""
        cookie, semicolon, attributes = header.partition(";")
        return f"{self._cookie(cookie)}{semicolon}{attributes}"

    def _cookie(self, pair: str) -> str:
        name, equals, raw = pair.partition("=")
        if not equals:
            return self._values.text(pair)
        value = raw.strip()
        quote = '"' if len(value) > 1 and value[0] == value[-1] == '"' else ""
        bare = value[1:-1] if quote else value
        kind = self._keys.of(name.strip()).kind
        if not bare or name.strip().lower() in _ATTRIBUTES or (kind is None and _is_harmless(name, bare)):
            return pair
        made = self._values.cookie(kind, bare)
        return f"{name}={raw[: len(raw) - len(raw.lstrip())]}{quote}{made}{quote}{raw[len(raw.rstrip()) :]}"


def _is_harmless(name: str, value: str) -> bool:
    word = re.sub(r"[^a-z]", "", name.lower())
    return bool(_HARMLESS_VALUE.fullmatch(value)) or (word in _HARMLESS and len(value) <= _LONGEST_HARMLESS)
