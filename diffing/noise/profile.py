"""What the values of a noisy place have in common: the assertion that is left when equality is not.

Rules: a profile is learnt from the baseline's values alone; it says nothing until it has seen enough of them for the
thing that it would say; a value that it has no word for is no breach. See docs/verdict.md, "Noise".
"""

import math
import re
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..report.model import Json
from ..shapes import MAX_SHAPED, shape, template
from .recurring import Recurring

MAX_CHOICES = 64
"""A larger set of values is no list of choices."""
MIN_TEXTS = 30
"""Texts before their alphabet says something."""
MIN_DISTINCT = 10
"""Different values before their length and alphabet say something."""
MIN_NUMBERS = 5
MAX_TEXT = 500
_DECADE = 10.0
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[0-9]{1,9}(?![A-Za-z0-9])")


class Breach(NamedTuple):
    """How a value breaks with what all the baseline's values share."""

    kind: str
    transition: str
    trait: str = "outside"


@dataclass(slots=True)
class Profile:
    """Of one place. `add` each value, then `breach` says what another one breaks."""

    choices: Recurring = field(default_factory=Recurring)
    wordings: Recurring = field(default_factory=Recurring)
    shapes: Counter[str] = field(default_factory=Counter)
    lengths: tuple[int, int] | None = None
    masked: tuple[int, int] | None = None
    letters: set[str] = field(default_factory=set)
    prefix: str | None = None
    least: float = math.inf
    most: float = 0.0
    negatives: int = 0
    numbers: int = 0

    def add(self, value: Json, request: str, run: int) -> None:
        """Learn what `request` was answered by the baseline's process `run`; a request's values come together. What is
        no scalar is passed over."""
        if isinstance(value, dict | list):
            return
        self.choices.add(_choice(value), request, run)
        if isinstance(value, str) and len(value) <= MAX_TEXT:
            self.wordings.add(template(value), request, run)
            self._add_text(value)
        elif _is_number(value):
            self._add_number(float(value))  # type: ignore[arg-type]  # a number, as just asked

    def _add_text(self, text: str) -> None:
        self.shapes[_family(shape(text))] += 1
        self.lengths = _widened(self.lengths, len(text))
        self.masked = _widened(self.masked, _length(text))
        self.letters |= _letters(text)
        self.prefix = text if self.prefix is None else _shared(self.prefix, text)

    def _add_number(self, value: float) -> None:
        if not math.isfinite(value):
            return
        self.numbers += 1
        self.negatives += value < 0
        if value:
            self.least, self.most = min(self.least, abs(value)), max(self.most, abs(value))

    def breach(self, value: Json, *, measured: bool = True) -> Breach | None:
        """What `value` breaks, or None. The size of a number says something where it is `measured` anew for each
        request, and nothing where it is a process's own."""
        if isinstance(value, dict | list) or value is None:
            return None
        if self.choices.is_closed(MAX_CHOICES) and _choice(value) not in self.choices:
            return Breach("value_changed", f"none of {len(self.choices)} known values")
        if isinstance(value, bool):
            return None
        if isinstance(value, str):
            return self._text_breach(value) if len(value) <= MAX_TEXT else None
        return self._number_breach(float(value)) if measured and _is_number(value) else None

    def _number_breach(self, value: float) -> Breach | None:
        if self.numbers < MIN_NUMBERS or not math.isfinite(value):
            return None
        if value < 0 and not self.negatives:
            return Breach("value_changed", "positive→negative")
        if value > 0 and self.negatives == self.numbers:
            return Breach("value_changed", "negative→positive")
        if value and self.most and not self.least / _DECADE <= abs(value) <= self.most * _DECADE:
            return Breach("format_changed", f"{_rough(self.least)}…{_rough(self.most)}→{_rough(abs(value))}", "unit")
        return None

    def _text_breach(self, text: str) -> Breach | None:
        if not self.shapes:
            return None
        if _family(shape(text)) not in self.shapes and self.shapes.total() >= MIN_NUMBERS:
            was = self.shapes.most_common(1)[0][0]
            return Breach("shape_changed", f"{was}→{_family(shape(text))}")
        if self.wordings.is_closed(MAX_CHOICES) and template(text) not in self.wordings:
            return Breach("value_changed", "another wording")
        beginning = self._beginning()
        if beginning and not text.startswith(beginning) and self.shapes.total() >= MIN_NUMBERS:
            return Breach("shape_changed", f"{beginning}…→{text[: len(beginning)]}…")
        return self._spelling_breach(text) if len(self.choices) >= MIN_DISTINCT else None

    def _beginning(self) -> str:
        """Of a few values (each process has one) their first word alone: those that follow may name the process."""
        prefix = self.prefix or ""
        if len(self.choices) >= MIN_DISTINCT:
            return prefix
        return prefix[: next((at for at, one in enumerate(prefix) if not one.isalnum()), -1) + 1]

    def _spelling_breach(self, text: str) -> Breach | None:
        """Length and alphabet, of values that are mostly different: a token's, not a sentence's."""
        if " " in self.letters or self.lengths is None or self.masked is None:
            return None
        low, high = self.lengths
        # Longer for a larger number in it is no other length.
        other = not self.masked[0] <= _length(text) <= self.masked[1]
        if other and (low == high or not low / 2 <= len(text) <= high * 2):
            return Breach("shape_changed", f"{low if low == high else f'{low}…{high}'} characters→{len(text)}")
        if self.shapes.total() >= MIN_TEXTS and not _letters(text) <= self.letters:
            return Breach("shape_changed", "another alphabet")
        return None


def _choice(value: bool | int | float | str | None) -> Hashable:
    """A value as a key: Python takes 1, 1.0 and True for one."""
    if isinstance(value, bool | float):
        return f"\0{value!r}"
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _family(name: str) -> str:
    """A shape without its length (that is told apart below); digits are hex by chance, and hex is text by chance."""
    return "text" if name.startswith("hex") or name in {"int", "float", "empty"} else name


def _letters(text: str) -> set[str]:
    """The kinds of characters in a text: small, large, digits, and each sign for itself."""
    return {
        "a" if one.islower() else "A" if one.isupper() else "0" if one.isdigit() else one if one.isascii() else "é"
        for one in text[:MAX_SHAPED]
    }


def _length(text: str) -> int:
    """The length of a text in which a number that stands for itself counts as one digit."""
    return len(_NUMBER.sub("0", text))


def _widened(bounds: tuple[int, int] | None, value: int) -> tuple[int, int]:
    low, high = bounds or (value, value)
    return min(low, value), max(high, value)


def _shared(left: str, right: str) -> str:
    """The beginning that two texts share, up to the last sign before anything that digits write: "orders-" of
    "orders-7f2" and "orders-b41". Digits are drawn or counted, letters are named."""
    length = next((at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    same = left[: min(len(left), len(right)) if length is None else length]
    digit = next((at for at, one in enumerate(same) if one.isdigit()), len(same))
    same = same[:digit]
    end = next((at for at in range(len(same), 0, -1) if not same[at - 1].isalnum()), 0)
    return same[:end] if sum(one.isalpha() for one in same[:end]) >= 3 else ""


def _rough(value: float) -> str:
    return f"{value:.3g}"
