"""Numbers that are written as texts because their format has no other scalars: XML, CSV, forms, query strings."""

import re

from ..report.model import Json
from .scalars import Change, Clocks, compare_scalars

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.(\d{1,17}))?", re.ASCII)
"""As JSON writes them; a leading zero makes a code of it."""


def compare_lexical(before: str, after: str, clocks: Clocks) -> Change | None:
    """The change between two texts: as numbers where both are some, so that the order of a summation and another
    number of decimals are told from another amount."""
    found = (_NUMBER.fullmatch(before), _NUMBER.fullmatch(after))
    if not found[0] or not found[1]:
        return compare_scalars(before, after, clocks)
    numbers: tuple[Json, Json] = (_value(before), _value(after))
    if numbers[0] == numbers[1] and before != after:
        return Change("numeric_repr", _spelling(found[0][1], found[1][1]))
    return compare_scalars(*numbers, clocks)


def _value(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _spelling(before: str | None, after: str | None) -> str:
    return f"{len(before or '')}→{len(after or '')} decimals"
