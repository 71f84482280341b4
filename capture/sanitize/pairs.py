"""`a=1&b=2` in queries, fragments and forms: values judged by key and by shape, put back in their own escaping."""

import re
from urllib.parse import quote, unquote, unquote_plus

from .evidence import kinds_of
from .kinds import Kind
from .shapes import suspicious
from .tokens import KeyClassifier
from .values import Values

_LOWER_ESCAPE = re.compile(r"%(?:[0-9][a-f]|[a-f][0-9a-f])")
_UPPER_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_RESERVED = "!#$&'()*,/:;=?@[]{}|\\^`\"<>+ "


class Pairs:
    """Cleans pair lists."""

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values

    def clean(self, text: str) -> str:
        """`text` with its sensitive values replaced; untouched pairs stay byte for byte."""
        if not text:
            return text
        pieces = text.split("&")
        names = [unquote_plus(piece.partition("=")[0], errors="surrogateescape") for piece in pieces]
        kinds = kinds_of(map(self._keys.of, names))
        return "&".join(map(self._piece, pieces, kinds))

    def _piece(self, piece: str, kind: Kind | None) -> str:
        name, equals, raw = piece.partition("=")
        name = self.component(name, None, plus=True)
        if not raw:
            return f"{name}{equals}"
        return f"{name}{equals}{self.component(raw, kind, plus=True)}"

    def component(self, raw: str, kind: Kind | None, *, plus: bool) -> str:
        """The percent-encoded `raw` cleaned; `plus` says that a plus stands for a space."""
        if kind is None and "%" not in raw and "+" not in raw and not _may_hold(raw):
            return raw
        value = unquote_plus(raw, errors="surrogateescape") if plus else unquote(raw, errors="surrogateescape")
        made = self._values.text(value) if kind is None else self._values.of_kind(kind, value)
        return raw if made == value else respelled(made, raw, plus=plus)


def respelled(value: str, like: str, *, plus: bool) -> str:
    """`value` percent-encoded in the manner of `like`: what stood bare there stays bare, hex digits keep their case."""
    bare = "".join(character for character in _RESERVED if character in like and not (plus and character in "+&"))
    coded = quote(value, safe=bare, errors="surrogateescape")
    if plus and "%20" not in like:
        coded = coded.replace("%20", "+")
    if _LOWER_ESCAPE.search(like) and not re.search(r"%(?:[0-9][A-F]|[A-F][0-9A-F])", like):
        coded = _UPPER_ESCAPE.sub(lambda match: match.group().lower(), coded)
    return coded


def _may_hold(raw: str) -> bool:
    return len(raw) >= 6 and (suspicious(raw) or raw[0] in "{[" or "://" in raw or "=" in raw or "?" in raw)
