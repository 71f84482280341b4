"""Plain text, logs, scripts, event streams: shapes, key=value pairs, and lines that are documents themselves."""

import re
from collections.abc import Iterator

from .kinds import Kind
from .splice import Edit
from .tokens import KeyClassifier
from .values import Values

_QUOTED = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,60})[\"']?\s{0,3}(?:=>|[:=])\s{0,3}([\"'])([^\"'\n<>]{1,500})\2")
_BARE = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,60})=([^\s&;,\"'<>(){}\[\]]{1,500})")
_LINE = re.compile(
    r"^[ \t]*(?:[-*] )?([A-Za-z][\w.-]*(?: [A-Za-z]\w*){0,2}):[ \t]+([^\n\r]{1,300}?)[ \t]*\r?$", re.MULTILINE
)
_DOCUMENT = re.compile(r"^(?:data:)?[ \t]*([{\[].*[}\]])[ \t]*\r?$", re.MULTILINE)
# PHP's serialize(), in which a name and its value are strings with their lengths before them.
_PHP = re.compile(r's:\d{1,3}:"([\w.-]{1,60})";s:\d{1,5}:"([^"]{1,500})";')
_ONE_TOKEN = frozenset({Kind.PASSWORD, Kind.SECRET, Kind.DROP, Kind.HANDLE})
_WORDY = frozenset({Kind.NAME, Kind.CITY, Kind.HANDLE, Kind.STREET})


class TextBody:
    """Cleans text. `code` says that it is a program, where `token=next()` is no secret."""

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values

    def clean(self, text: str, *, code: bool = False) -> str:
        """`text` with what is sensitive in it replaced."""
        return self._values.scan(text, self.pairs(text, code=code), () if code else self._documents(text))

    def pairs(self, text: str, *, code: bool) -> Iterator[Edit]:
        """The edits for `key=value`, `"key": "value"` and, in prose, `Key: value` lines."""
        for match in _QUOTED.finditer(text):
            yield from self._pair(match[1], match[3], match.start(3), code=code)
        if code:
            return
        if '";s:' in text:
            for match in _PHP.finditer(text):
                yield from self._pair(match[1], match[2], match.start(2), code=False)
        if "=" in text:
            for match in _BARE.finditer(text):
                yield from self._pair(match[1], match[2], match.start(2), code=False)
        if ": " in text or ":\t" in text:
            for match in _LINE.finditer(text):
                yield from self._pair(
                    match[1], match[2].strip("\"'"), match.start(2) + _quote_width(match[2]), code=False
                )

    def inline(self, text: str) -> Iterator[Edit]:
        """The edits for pairs in a short text, such as a logged line inside a JSON string."""
        if "=" in text or ":" in text:
            yield from self.pairs(text, code=False)

    def _pair(self, name: str, value: str, start: int, *, code: bool) -> Iterator[Edit]:
        kind = self._keys.of(name).kind
        if kind is None or not _can_be(kind, value, code=code):
            return
        made = self._values.of_kind(kind, value)
        if made != value:
            yield start, start + len(value), made

    def _documents(self, text: str) -> Iterator[Edit]:
        """Lines that are JSON: logs, event streams' data, newline-delimited bodies sent as text."""
        if "{" not in text and "[" not in text:
            return
        for match in _DOCUMENT.finditer(text):
            inner = self._values.nested(match[1])
            if inner is not None:
                yield *match.span(1), inner


def _quote_width(text: str) -> int:
    return len(text) - len(text.lstrip("\"'"))


def _can_be(kind: Kind, value: str, *, code: bool) -> bool:
    """Whether `value` in free text is what its key says, and not a word of prose or of a program."""
    if code and not any(map(str.isdigit, value)):
        return False
    if kind in _ONE_TOKEN and any(map(str.isspace, value)):
        return False
    if kind is Kind.STREET:
        return any(map(str.isdigit, value))
    return not (code and kind in _WORDY)
