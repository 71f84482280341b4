"""CSV and its kin as rows of named fields: {"columns": […], "rows": [{column: cell}, …]} (RFC 4180).

A first row of unequal, unnumbered words names the columns; a table without one has columns named by their place.
"""

import csv
import re
from io import StringIO

from ..report.model import Json

TABLE_TYPES = {
    "text/csv": "", "application/csv": "", "text/x-csv": "", "application/vnd.ms-excel.csv": "",
    "text/tab-separated-values": "\t",
}  # fmt: skip
"""Content types, with the delimiter where the type says it."""
MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")


class TableError(ValueError):
    """The text is no table; says why in a few words that quote nothing."""


def parse_table(text: str, delimiter: str = "") -> dict[str, Json]:
    """The table in `text`. Raises TableError."""
    text = text.removeprefix("\ufeff")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), strict=True):
            if len(rows) > MAX_ROWS or len(row) > MAX_COLUMNS:
                raise TableError("too many rows or columns")
            if row:
                rows.append(row)
    except csv.Error as error:
        raise TableError("quotes do not fit") from error
    columns = _columns(rows)
    body = rows[1:] if columns else rows
    if not columns:
        columns = [f"column_{number}" for number in range(1, max(map(len, rows), default=0) + 1)]
    named: list[Json] = [_row(columns, row) for row in body]
    return {"columns": [*columns], "rows": named}


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=lambda mark: (first.count(mark), -_DELIMITERS.index(mark)))


def _columns(rows: list[list[str]]) -> list[str]:
    """The names in the first row; none where it does not look like names."""
    names = [name.strip() for name in rows[0]] if rows else []
    plausible = all(name and not _NUMBER.fullmatch(name) for name in names) and len(set(names)) == len(names)
    return names if plausible else []


def _row(columns: list[str], row: list[str]) -> dict[str, Json]:
    fields: dict[str, Json] = dict(zip(columns, row, strict=False))
    if len(row) > len(columns):
        fields["#more"] = [*row[len(columns) :]]
    return fields
