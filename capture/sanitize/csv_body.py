"""CSV and TSV: columns judged by their heading, cells by their shape; everything else stays byte for byte."""

import re
from collections.abc import Iterator

from .evidence import kinds_of
from .kinds import Kind
from .splice import Edit
from .tokens import KeyClassifier
from .values import Values

_MAX_COLUMNS = 2_000
_HEADING = re.compile(r"[^\W\d][\w .()/#-]{0,80}")


class CsvBody:
    """Cleans tables of text."""

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values

    def clean(self, text: str, separator: str | None = None) -> str:
        """`text` with sensitive cells replaced. Without `separator`, the likeliest of comma, semicolon and tab."""
        first = text.split("\n", 1)[0]
        separator = separator or max(",;\t|", key=first.count)
        kinds = self._columns(first, separator)
        edits = list(self._edits(text, separator, kinds)) if any(kinds) else []
        return self._values.scan(text, (), edits)

    def _columns(self, first: str, separator: str) -> list[Kind | None]:
        """What each heading says; nothing where the first line is no line of headings."""
        names = [name.strip().strip('"') for name in first.strip("\r\ufeff").split(separator)[:_MAX_COLUMNS]]
        if not all(_HEADING.fullmatch(name) for name in names):
            return []
        return kinds_of(map(self._keys.of, names))

    def _edits(self, text: str, separator: str, kinds: list[Kind | None]) -> Iterator[Edit]:
        column, row = 0, 0
        for match in _cells(separator).finditer(text):
            kind = kinds[column] if column < len(kinds) else None
            if row and kind is not None:
                yield from self._cell(match, kind)
            column += 1
            if match[3] != separator:
                column, row = 0, row + 1

    def _cell(self, match: re.Match[str], kind: Kind) -> Iterator[Edit]:
        if match[1] is not None:
            value = match[1].replace('""', '"')
            made = self._values.of_kind(kind, value)
            if made != value:
                yield *match.span(1), made.replace('"', '""')
        else:
            value = match[2]
            made = self._values.of_kind(kind, value)
            if made != value:
                yield *match.span(2), made


def _cells(separator: str) -> re.Pattern[str]:
    """A cell, quoted (1) or bare (2), and what ends it (3)."""
    mark = re.escape(separator)
    return re.compile(rf'(?:"((?:[^"]|"")*)"|([^{mark}\r\n]*))({mark}|\r?\n|\r|\Z)')
