"""How much a value tells by itself of where it came from. PURE.

The published filter (length, and Shannon entropy times length of at least 16 bit) lets words pass: "shipped" has 17
bits, and everybody says it. So a value is strong by itself only where a part of it looks made by a machine.
"""

import re
from functools import lru_cache

MAX_LENGTH = 8192
"""A longer text is no value: tokens and cursors are shorter."""

_REMEMBERED = 256
"""Characters of a value that is worth remembering."""

WEAK, MEDIUM, STRONG = range(3)
"""WEAK tells nothing without a name or a place; MEDIUM tells within one session; STRONG tells everywhere."""

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z| ?[+-]\d\d:?\d\d)?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
)
_DATED = re.compile(r"\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d\d")
_FINE_TIME = re.compile(r"\.\d{3,}")
_DECIMAL = re.compile(r"[+-]?\d+[.,]\d*(?:[eE][+-]?\d+)?|[+-]\d+")
_WORDS = re.compile(r"[A-Za-z0-9]+")
_TURNS = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_CASES = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")
_EMAIL = re.compile(r"[^@\s/]{1,64}@[^@\s/]+\.[^@\s/.]+")
_EPOCHS = ((10, 1), (13, 1_000), (16, 1_000_000), (19, 1_000_000_000))
_FIRST, _LAST = 1_000_000_000, 2_500_000_000  # seconds: 2001 to 2049


def strength(value: str) -> int:
    """WEAK, MEDIUM or STRONG."""
    size = len(value)
    if size < 6 or size > MAX_LENGTH:
        return WEAK
    return _known_strength(value) if size <= _REMEMBERED else _strength(value)


def _strength(value: str) -> int:
    if value.isascii() and value.isdigit():
        return _of_digits(value)
    if _UUID.fullmatch(value):
        return STRONG if len(set(value)) > 6 else WEAK
    if _DAY.fullmatch(value) or _DECIMAL.fullmatch(value):
        return WEAK
    if _TIME.fullmatch(value):
        return MEDIUM if _FINE_TIME.search(value) else WEAK
    if _EMAIL.fullmatch(value):
        return MEDIUM
    if " " in value:
        return WEAK  # a sentence holds values, it is none
    telling = max(map(_of_word, _WORDS.findall(value)[:64]), default=WEAK)
    return MEDIUM if telling == WEAK and _is_numbered(value) else telling


def _is_numbered(value: str) -> bool:
    """`ORD-2026-00171`: the digits together tell as much as a number of as many."""
    digits = sum(map(str.isdigit, value))
    return digits >= 8 and any(map(str.isalpha, value)) and _DATED.search(value) is None


_known_strength = lru_cache(maxsize=65_536)(_strength)


def _of_digits(value: str) -> int:
    """Numbers are dealt out in a row, amounts are round, and clients have clocks too."""
    for length, unit in _EPOCHS:
        if len(value) == length and _FIRST <= int(value) / unit < _LAST:
            # Two clocks say the same second easily, the same millisecond hardly.
            return WEAK if unit == 1 else MEDIUM
    telling = len(value.strip("0"))
    if telling >= 9:
        return STRONG
    return MEDIUM if telling >= 5 and len(value.lstrip("0")) >= 6 else WEAK


def _of_word(word: str) -> int:
    size = len(word)
    if size < 5 or len(set(word)) < 4:
        return WEAK
    turns = len(_TURNS.findall(word))
    if word.isdigit():
        return STRONG if size >= 9 else MEDIUM if size >= 6 else WEAK
    if turns >= 2:
        return STRONG if size >= 8 else MEDIUM if size >= 6 else WEAK
    if turns == 1 and size >= 10:
        return STRONG
    if turns == 1 and size >= 8:
        return MEDIUM
    return WEAK if turns else _of_letters(word)


def _of_letters(word: str) -> int:
    """Letters alone: words, also joined in camelCase, have a vowel in every third place or so, and few capitals."""
    size = len(word)
    if size < 12:
        return WEAK
    vowels = sum(letter in "aeiouyAEIOUY" for letter in word) / size
    cases = len(_CASES.findall(word))
    if (vowels < 0.3 and cases >= 3) or (vowels < 0.36 and cases >= 4 and size >= 16) or (vowels < 0.28 and size >= 24):
        return STRONG
    return MEDIUM if vowels < 0.17 else WEAK


def is_time(value: str) -> bool:
    """Whether `value` is a time or a date: those differ from run to run, and clients make them too."""
    return bool(_DAY.fullmatch(value) or _TIME.fullmatch(value))
