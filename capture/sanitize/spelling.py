"""Text in the likeness of other text: the same length, character classes, separators and case."""

from .keyed import lengthened

_DIGITS = "0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_HEX_LETTERS = "abcdef"
_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"
_IDEOGRAPHS = 0x4E00, 0x9FA5


def mapped(value: str, stream: bytes, letters: str = _LOWER) -> str:
    """Random text like `value`: digits for digits, letters for letters, hex for hex; separators stay.

    Where separators are half of it or more they are replaced too, or they would give the value away.
    """
    stream = lengthened(stream, len(value))
    alphanumeric = sum(map(str.isalnum, value))
    if 2 * alphanumeric < len(value) or not alphanumeric:
        return "".join(_LOWER[byte % 26] for byte in stream[: len(value)])
    if _is_hex(value):
        letters = _HEX_LETTERS
    return "".join(_like(c, b, letters) for c, b in zip(value, stream, strict=False))


def _is_hex(value: str) -> bool:
    """Hex digits of one case, with both letters and digits, besides separators."""
    if not value.isascii() or value not in (value.lower(), value.upper()):
        return False
    characters = {c for c in value.lower() if c.isalnum()}
    return len(value) >= 8 and characters <= set(_DIGITS + _HEX_LETTERS) and not characters <= set(_DIGITS)


def _like(character: str, byte: int, letters: str) -> str:
    # Every character that counts as alphanumeric has to change: fractions are numeric, but no digits.
    if not character.isalpha():
        return _DIGITS[byte % 10] if character.isnumeric() else character
    if character.isascii():
        made = letters[byte % len(letters)]
        return made.upper() if character.isupper() else made
    return _foreign_letter(character, byte)


def _foreign_letter(character: str, byte: int) -> str:
    if _IDEOGRAPHS[0] <= ord(character) <= _IDEOGRAPHS[1]:
        return chr(_IDEOGRAPHS[0] + byte * 81)
    return _LOWER[byte % 26].upper() if character.isupper() else _LOWER[byte % 26]


def letters_like(value: str, stream: bytes) -> str:
    """Pronounceable words of the same lengths and case as those of `value`, digits for its digits."""
    stream = lengthened(stream, len(value))
    made, vowel = [], False
    for character, byte in zip(value, stream, strict=False):
        if character.isalpha() and ord(character) < _IDEOGRAPHS[0]:
            letters = _VOWELS if vowel else _CONSONANTS
            letter, vowel = letters[byte % len(letters)], not vowel
            made.append(letter.upper() if character.isupper() else letter)
        else:
            made.append(_like(character, byte, _LOWER))
            vowel = False
    return "".join(made)


def respell(made: str, like: str) -> str:
    """`made` with the case of `like`, place by place."""
    if like.islower():
        return made.lower()
    return (
        "".join(m.upper() if c.isupper() else m.lower() for m, c in zip(made, like, strict=False)) + made[len(like) :]
    )


def with_digits(value: str, digits: str) -> str:
    """`value` with its digits replaced in order by `digits`; what stands between them stays."""
    fresh = iter(digits)
    return "".join(next(fresh, c) if c.isdigit() else c for c in value)
