"""Two leaves of one type or of two: what kind of change it is, in the finest words that hold.

The words form a ladder (docs/verdict.md): a fresh id is `value_changed` of trait "tokens", another text is
`value_changed`, a time in another zone is `format_changed`, a number where a text stood is `type_changed`. Noise on a
lower rung never excuses a change on a higher one.
"""

import math
import unicodedata
from typing import NamedTuple

from ..difference import type_name
from ..report.model import Json
from ..shapes import (
    MAX_SHAPED,
    TimeFormat,
    epoch_instant,
    epoch_unit,
    instant,
    is_generated,
    is_strong,
    shape,
    template,
    time_format,
)
from .jwt import compare_tokens

ULP_NOISE = 1e-12
"""Relative difference of two floats that the order of a summation explains."""
LARGEST = 1e300
"""Beyond (and for infinity), numbers are told apart, not measured."""
MIN_PRECISE = 4
"""Decimals of a value that may lose some of them; one with fewer is an amount."""
PRECISION = 1e-5
"""Relative difference up to which a changed float is lost precision (float32 has 6e-8), not another value."""


class Change(NamedTuple):
    """`shift_us`: how far a time moved against its own request."""

    kind: str
    transition: str
    trait: str = ""
    shift_us: int | None = None


class Clocks(NamedTuple):
    """When the two requests started, microseconds since the epoch."""

    before_us: int = 0
    after_us: int = 0


def compare_scalars(before: Json, after: Json, clocks: Clocks) -> Change | None:
    """The change between two values of which at most one is a container; None where they are equal."""
    if type(before) is type(after):
        if before == after or (_nan(before) and _nan(after)):
            return None
        return _same_type(before, after, clocks)
    if before is None or after is None:
        return _null(before, after)
    if _number(before) and _number(after):
        return _numbers(before, after, clocks)
    if isinstance(before, str) and is_generated(shape(before)):
        return Change("shape_changed", f"{shape(before)}→{type_name(after)}")
    return Change("type_changed", f"{type_name(before)}→{type_name(after)}")


def _nan(value: Json) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same_type(before: Json, after: Json, clocks: Clocks) -> Change | None:
    if isinstance(before, str) and isinstance(after, str):
        return compare_texts(before, after, clocks)
    if isinstance(before, bool):
        return Change("value_changed", f"{str(before).lower()}→{str(after).lower()}")
    return _numbers(before, after, clocks)


def _null(before: Json, after: Json) -> Change:
    other = after if before is None else before
    if other in ("", [], {}):
        name = "empty" if other == "" else f"empty {type_name(other)}"
        return Change("null_vs_empty", f"{name}→null" if after is None else f"null→{name}")
    return Change("type_changed", f"{type_name(before)}→{type_name(after)}")


def _numbers(before: Json, after: Json, clocks: Clocks) -> Change | None:
    assert isinstance(before, int | float)
    assert isinstance(after, int | float)
    if before == after:
        return Change("numeric_repr", f"{type_name(before)}→{type_name(after)}")
    if not (abs(before) < LARGEST and abs(after) < LARGEST):
        return Change("value_changed", "number")
    units = (epoch_unit(before, clocks.before_us), epoch_unit(after, clocks.after_us))
    if units[0] and units[1]:
        if units[0] != units[1]:
            return Change("format_changed", f"epoch {units[0]}→epoch {units[1]}", "unit")
        return Change("value_changed", "time", "tokens", _shift(before, after, clocks))
    if isinstance(before, int) and isinstance(after, int):
        return Change("value_changed", _ratio(before, after))
    return _floats(before, after)


def _floats(before: int | float, after: int | float) -> Change | None:
    gap = abs(before - after) / max(abs(before), abs(after))
    if gap <= ULP_NOISE:
        return None
    whole = float(before).is_integer() and float(after).is_integer()
    if not whole and (gap <= PRECISION or _rounded(before, after) or _rounded(after, before)):
        return Change("numeric_precision", "fewer digits" if _digits(after) < _digits(before) else "precision")
    return Change("value_changed", _ratio(before, after))


def _digits(value: int | float) -> int:
    return len(repr(float(value)).rpartition(".")[2])


def _rounded(exact: int | float, short: int | float) -> bool:
    """Whether `short` is `exact` with fewer decimals, at least one of them."""
    digits = _digits(short)
    # 12.31 for 12.3 is a cent more, and no lost precision: so few digits are an amount's.
    return (
        0 < digits < _digits(exact)
        and _digits(exact) >= MIN_PRECISE
        and not float(short).is_integer()
        and round(float(exact), digits) == short
    )


def _ratio(before: int | float, after: int | float) -> str:
    if before and after:
        if before == -after:
            return "negated"
        if 0.2 < abs(after / before) < 5:
            return "number"
        for factor in (10, 100, 1_000, 1_000_000):
            if math.isclose(after / before, factor, rel_tol=1e-9):
                return f"×{factor}"
            if math.isclose(before / after, factor, rel_tol=1e-9):
                return f"÷{factor}"
    return "number"


def _shift(before: int | float, after: int | float, clocks: Clocks) -> int | None:
    first, second = epoch_instant(before, clocks.before_us), epoch_instant(after, clocks.after_us)
    if first is None or second is None:
        return None
    return (second - clocks.after_us) - (first - clocks.before_us)


def compare_texts(before: str, after: str, clocks: Clocks) -> Change:
    """The change between two different texts."""
    times = (time_format(before), time_format(after)) if len(before) + len(after) < MAX_SHAPED else (None, None)
    if times[0] and times[1]:
        return _times(before, after, times[0], times[1], clocks)
    shapes = (shape(before), shape(after))
    if shapes[0] != shapes[1] and is_strong(shapes[0]):
        return Change("shape_changed", f"{shapes[0]}→{shapes[1]}")
    if shapes == ("jwt", "jwt"):
        said = compare_tokens(before, after)
        return Change(*said) if said else Change("value_changed", "jwt", "tokens")
    if is_generated(shapes[0]) and shapes[0] == shapes[1]:
        return Change("value_changed", shapes[0], "tokens")
    if template(before) == template(after):
        # A number that is all of the text is a value, not a part that is drawn anew.
        trait = (
            "" if shapes[0] in {"int", "float", "date"} or (len(shapes[0]) < 6 and shapes[0][:3] == "hex") else "tokens"
        )
        return Change("value_changed", "text", trait)
    return Change("value_changed", *_text_change(before, after))


def _times(before: str, after: str, old: TimeFormat, new: TimeFormat, clocks: Clocks) -> Change:
    if old.zone != new.zone:
        return Change("format_changed", f"{old.zone}→{new.zone}", "zone")
    if old.digits != new.digits:
        return Change("format_changed", f"{old.digits} fraction digits→{new.digits}", "precision")
    if old.notation != new.notation:
        return Change("format_changed", f"{old.notation}→{new.notation}", "notation")
    first, second = instant(before), instant(after)
    shift = None
    if first is not None and second is not None:
        shift = (second - clocks.after_us) - (first - clocks.before_us)
    return Change("value_changed", "time", "tokens", shift)


def _text_change(before: str, after: str) -> tuple[str, str]:
    if before.strip() == after.strip() or "".join(before.split()) == "".join(after.split()):
        return "white space", "whitespace"
    if unicodedata.normalize("NFC", before) == unicodedata.normalize("NFC", after):
        return "Unicode form", "unicode"
    if before.casefold() == after.casefold():
        return "case", "case"
    if _double_encoded(before, after):
        return "encoded twice", "encoding"
    return "text", ""


def _double_encoded(before: str, after: str) -> bool:
    for charset in ("latin-1", "cp1252"):
        try:
            if after.encode(charset).decode("utf-8") == before:
                return True
        except UnicodeError:
            continue
    return False
