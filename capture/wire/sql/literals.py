"""Texts that differ in their literals alone: read once, and from then on only the literals are.

A client that writes values into its texts never sends the same one twice, and to lex it is most of what a query costs.
So a text is cut at what may be a plain literal: `x = 5 AND y = 'a'` into what stands between and [5, 'a']. What stands
between is lexed once, with literals of our own in the gaps that occur nowhere else. Where each of them comes out as a
value, in order, the gaps are literals whatever stands in them: a gap's text ends as it begins for the lexer, and no
state reaches across it. Where one does not (it lies in a comment, a quoted name, another string), such texts are lexed
one by one. PURE.
"""

import re

from .dialect import Dialect
from .lexer import Piece, Value, lex, numeral

_GAP = re.compile(r"((?<![xX])'[^'\\]*+'(?!')|(?<![\w.$])[0-9]++(?:\.[0-9]++)?(?![\w.]))")
_OURS = 7_300_000_001
_OUR_DIGITS = "73000000"
MOST_GAPS = 64
"""Literals of a text that are looked at like this."""

Parts = tuple[str, ...]


Place = tuple[int, int, bool]
"""Which value of a piece stands in which gap, and whether a minus sign before the gap belongs to it."""


def cut(text: str) -> tuple[Parts, tuple[bool, ...], list[str]]:
    """What stands between the gaps of `text`, which of the gaps are strings, and what stands in them."""
    parts = _GAP.split(text)
    gaps = parts[1::2]
    return tuple(parts[::2]), tuple([gap[0] == "'" for gap in gaps]), gaps


def known(between: Parts, strings: tuple[bool, ...], dialect: Dialect) -> list[tuple[Piece, tuple[Place, ...]]] | None:
    """The pieces of all texts with these parts, and where the gaps' values stand in them; None where such texts have
    to be lexed one by one."""
    ours = [f"'gap {_OURS + at}'" if is_string else f"{_OURS + at}" for at, is_string in enumerate(strings)]
    if _OUR_DIGITS in "".join(between):
        return None
    lexed = lex(between[0] + "".join([gap + part for gap, part in zip(ours, between[1:], strict=True)]), dialect)
    if lexed is None or lexed[1]:
        return None
    by_value = _by_value(ours)
    found = [(piece, tuple(_places(piece, by_value))) for piece in lexed[0]]
    gaps = [gap for _, places in found for _, gap, _ in places]
    return found if gaps == list(range(len(ours))) else None


def value_of(gap: str, *, is_negative: bool) -> Value:
    """A gap's value."""
    if gap[0] == "'":
        return gap[1:-1]
    return numeral(f"-{gap}" if is_negative else gap)


def _by_value(ours: list[str]) -> dict[Value, tuple[int, bool]]:
    found: dict[Value, tuple[int, bool]] = {}
    for number, gap in enumerate(ours):
        found[value_of(gap, is_negative=False)] = (number, False)
        if gap[0] != "'":
            found[value_of(gap, is_negative=True)] = (number, True)
    return found


def _places(piece: Piece, by_value: dict[Value, tuple[int, bool]]) -> list[Place]:
    return [
        (at, *by_value[literal])
        for at, (bind, literal) in enumerate(piece.values)
        if bind is None and literal in by_value
    ]
