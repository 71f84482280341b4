"""A SQL text taken apart into its statements' templates and the values that stood in them.

Two rules hold here. Nothing of a literal stays in a template. A text that does not lex as a whole gives nothing.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from .dialect import Dialect

Value = str | int | float | bool | None

LONGEST_TEXT = 1 << 18
"""Characters of a text that is read; a longer one is told by its keyword alone."""

_MOST_COMMENT_PAIRS = 16
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_BEFORE_CONSTANT = frozenset("=(,")
_BEFORE_SIGN = frozenset({"(", ",", "[", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "||"})
_WORDS_BEFORE_SIGN = frozenset(
    [
        "select",
        "limit",
        "offset",
        "between",
        "and",
        "or",
        "then",
        "else",
        "when",
        "in",
        "by",
        "set",
        "not",
        "like",
        "values",
        "return",
        "returning",
        "where",
        "on",
        "to",
    ]
)
_WORDS_AFTER_VALUE = frozenset({"and", "or", "as", "from", "where", "then", "else", "end", "when", "limit", "order"})
_ESCAPE = re.compile(r"\\([\s\S])|''")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "Z": "\x1a"}
_TOUCHES = re.compile(r"[\w$]\Z")
_LONG_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){9,}")
# Bytes, and no number: X'…' and 0x… get the spelling that PostgreSQL has for them, which whoever cleans values knows.
_COMMENTER = re.compile(r"/\*\s*+([\w.%-]+='(?:[^'\\]|\\.)*+'(?:\s*+,\s*+[\w.%-]+='(?:[^'\\]|\\.)*+')*+)\s*+\*/")
_PAIR = re.compile(r"([\w.%-]+)='((?:[^'\\]|\\.)*+)'")


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement: its text with `$1` … `$n` for its values, and each value as (bind, literal): the index of a bind
    value counted from 0, or None and the literal itself."""

    template: str
    values: tuple[tuple[int | None, Value], ...]


def take_comment(text: str) -> tuple[str, dict[str, str]]:
    """A text without the sqlcommenter comment at its end, and what that comment says. Such a comment differs from call
    to call where the text does not. After google.github.io/sqlcommenter/spec."""
    if not text.endswith("*/"):
        return text, {}
    start = text.rfind("/*")
    found = _COMMENTER.fullmatch(text, start) if start >= 0 else None
    return (text[:start].rstrip(), pairs_of(found.group(1))) if found else (text, {})


def pairs_of(inner: str) -> dict[str, str]:
    """key='value' pairs, both URL-encoded."""
    pairs = _PAIR.findall(inner)[:_MOST_COMMENT_PAIRS]
    return {unquote(key): unquote(value.replace("\\'", "'")) for key, value in pairs}


def lex(text: str, dialect: Dialect) -> tuple[list[Piece], dict[str, str]] | None:
    """The statements of `text` and what its sqlcommenter comments say, or None where it does not lex."""
    if len(text) > LONGEST_TEXT:
        return None
    lexing = _Lexing(dialect)
    for match in dialect.pattern.finditer(text):
        if not lexing.take(match.lastgroup or "bad", match.group()):
            return None
    lexing.end()
    return lexing.pieces, lexing.comment


class _Lexing:
    """The state of one pass over a text."""

    __slots__ = ("_binds", "_dialect", "_in_body", "_out", "_space", "_values", "comment", "pieces")

    def __init__(self, dialect: Dialect) -> None:
        self.pieces: list[Piece] = []
        self.comment: dict[str, str] = {}
        self._dialect = dialect
        self._out: list[str] = []
        self._values: list[tuple[int | None, Value]] = []
        self._space = False
        self._binds = 0
        self._in_body = False

    def take(self, kind: str, text: str) -> bool:
        """One token; False where it is none."""
        if kind == "space":
            self._space = True
        elif kind == "word":
            return self._word(text)
        elif kind == "op":
            if text == ";" and not self._in_body:
                self.end()
            else:
                self._put(text)
        elif kind == "bind":
            self._put_value(self._index(text), None)
        elif kind == "comment":
            return self._comment(text)
        elif kind == "number":
            self._number(text)
        elif kind == "name":
            self._put(text)
        elif kind == "bad":
            return False
        else:
            self._put_value(None, _string(kind, text))
        return True

    def end(self) -> None:
        """A statement is over."""
        if self._out:
            self.pieces.append(Piece("".join(self._out), tuple(self._values)))
        self._out, self._values, self._space, self._binds, self._in_body = [], [], False, 0, False

    def _put(self, text: str) -> None:
        if self._space and self._out:
            self._out.append(" ")
        self._space = False
        self._out.append(text)

    def _put_value(self, bind: int | None, literal: Value) -> None:
        self._values.append((bind, literal))
        if self._out and _TOUCHES.search(self._out[-1]):
            # `date'2024-01-01'`, `_utf8mb4'x'`: as one word with the value's number it would be a name.
            self._space = True
        self._put(f"${len(self._values)}")

    def _index(self, text: str) -> int:
        if text[0] == "$":
            return max(int(text[1:]) - 1, 0)
        self._binds += 1
        return self._binds - 1

    def _word(self, text: str) -> bool:
        if not self._space and self._out and self._out[-1][0] == "$" and text.lower() not in _WORDS_AFTER_VALUE:
            # A word that touches a string's end is most likely the string's own: it was escaped in another way.
            return False
        # IS NULL and DEFAULT TRUE are part of a statement's shape; `= TRUE` is a value.
        if len(text) == 6 and text.lower() == "atomic" and self._last().lower() == "begin":
            # A function's body, statements and all.
            self._in_body = True
        if len(text) in {4, 5} and text.lower() in _CONSTANTS and self._last() in _BEFORE_CONSTANT:
            self._put_value(None, _CONSTANTS[text.lower()])
        else:
            self._put(text)
        return True

    def _number(self, text: str) -> None:
        if self._last() in {"-", "+"} and self._is_sign():
            text = self._take_sign() + text
        self._put_value(None, numeral(text))

    def _last(self, back: int = 1) -> str:
        solid = (piece for piece in reversed(self._out) if piece != " ")
        for _ in range(back - 1):
            next(solid, None)
        return next(solid, "")

    def _is_sign(self) -> bool:
        before = self._last(2)
        return before in _BEFORE_SIGN or before.lower() in _WORDS_BEFORE_SIGN

    def _take_sign(self) -> str:
        while (last := self._out.pop()) == " ":
            pass
        if self._out and self._out[-1] == " ":
            self._out.pop()
            self._space = True
        return "-" if last == "-" else ""

    def _comment(self, text: str) -> bool:
        self._space = True
        if not text.startswith("/*"):
            return True
        if self._dialect.nests and "/*" in text[2:]:
            return False
        found = _COMMENTER.fullmatch(text)
        if found:
            self.comment.update(pairs_of(found.group(1)))
        return True


def _string(kind: str, text: str) -> str:
    if kind == "dollar":
        tag = text.index("$", 1) + 1
        return text[tag:-tag]
    quote = text[-1]
    inner = text[text.index(quote) + 1 : -1]
    if text[0] in "xX" and _LONG_HEX.fullmatch(inner):
        return f"\\x{inner}"
    if kind == "escaped" and "\\" in inner:
        return _ESCAPE.sub(lambda m: _ESCAPES.get(m.group(1), m.group(1)) if m.group(1) else "'", inner)
    return inner.replace(quote * 2, quote)


def numeral(text: str) -> Value:
    """A number as it is written, as a JSON number; as its text where there is none."""
    plain = text.replace("_", "")
    if plain[:2] in {"0x", "0X"} and _LONG_HEX.fullmatch(plain, 2):
        return f"\\x{plain[2:]}"
    if plain.lstrip("-").isdigit():
        # Longer ones would be no JSON integers any more.
        return int(plain) if len(plain) <= 18 else plain
    try:
        number = float(plain)
    except ValueError:
        return plain
    return number if abs(number) < float("inf") else plain
