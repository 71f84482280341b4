"""A filter expression over exchanges: `status >= 500 and path ~ "^/orders" and not service = pricing`. PURE.

    expression = term { "or" term }
    term       = factor { "and" factor }
    factor     = "not" factor | "(" expression ")" | field operator value
    operator   = "=" | "==" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">="
    value      = a word without spaces and parentheses, or text in single or double quotes

`~` searches with a regular expression. `none` stands for what is absent. A comparison with something absent is
false, except `!=` and `!~`. docs/format.md lists the fields.
"""

import difflib
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import UsageError
from .model import Exchange, Role

Predicate = Callable[[Exchange], bool]
Value = str | int | float | None

MAX_LENGTH = 4096
MAX_DEPTH = 64
"""Parentheses and `not`s inside each other; an expression may come from a tool or an agent."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED = ("<", "<=", ">", ">=")
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"==|!=|!~|<=|>=|=|~|<|>")
_VALUE = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s()'\"][^\s()]*)")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def path_of(target: str) -> str:
    """The path of a request target, in origin or absolute form, without query and fragment."""
    match = _ORIGIN.match(target)
    rest = target[match.end() :] if match else target
    return re.split(r"[?#]", rest, maxsplit=1)[0] or "/"


_TEXT: dict[str, Callable[[Exchange], str | None]] = {
    "id": lambda e: e.id,
    "method": lambda e: e.request.method,
    "path": lambda e: path_of(e.request.target),
    "target": lambda e: e.request.target,
    "service": lambda e: e.service,
    "role": lambda e: e.role.value,
    "session": lambda e: e.session,
    "protocol": lambda e: e.protocol,
    "origin": lambda e: e.origin,
    "parent": lambda e: e.parent,
    "failure": lambda e: e.failure.kind.value if e.failure else None,
}
_NUMBER: dict[str, Callable[[Exchange], int | float | None]] = {
    "seq": lambda e: e.seq,
    "status": lambda e: e.response.status if e.response else None,
    "latency_ms": lambda e: e.latency_us / 1000,
    "started": lambda e: e.started_us,
}
FIELDS = (*_TEXT, *_NUMBER)


def compile_where(text: str) -> Predicate:
    """The test that `text` describes. `UsageError`, with a caret before the place, where it is no expression."""
    if len(text) > MAX_LENGTH:
        raise UsageError(f"--where: {len(text)} characters", f"at most {MAX_LENGTH}")
    parser = _Parser(text)
    test = parser.expression(0)
    parser.end()
    return test


class _Parser:
    """Recursive descent over one text; `at` is the next character to read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def expression(self, depth: int) -> Predicate:
        """Terms joined by `or`."""
        terms = [self.term(depth)]
        while self._take("or"):
            terms.append(self.term(depth))
        return terms[0] if len(terms) == 1 else lambda e: any(term(e) for term in terms)

    def term(self, depth: int) -> Predicate:
        """Factors joined by `and`."""
        factors = [self.factor(depth)]
        while self._take("and"):
            factors.append(self.factor(depth))
        return factors[0] if len(factors) == 1 else lambda e: all(factor(e) for factor in factors)

    def factor(self, depth: int) -> Predicate:
        """`not`, parentheses or a comparison."""
        if depth > MAX_DEPTH:
            raise self._error(self.at, f"nested deeper than {MAX_DEPTH}")
        if self._take("not"):
            inner = self.factor(depth + 1)
            return lambda e: not inner(e)
        if self._take("("):
            inner = self.expression(depth + 1)
            if not self._take(")"):
                raise self._error(self.at, 'expected ")", "and" or "or"')
            return inner
        return self._comparison()

    def end(self) -> None:
        """Refuse whatever follows the expression."""
        self._skip()
        if self.at < len(self.text):
            raise self._error(self.at, 'expected "and", "or" or the end')

    def _comparison(self) -> Predicate:
        self._skip()
        start, field = self.at, self._match(_WORD, "expected a field").group()
        if field not in FIELDS:
            guess = difflib.get_close_matches(field, FIELDS, n=1, cutoff=0.5)
            hint = f'; did you mean "{guess[0]}"?' if guess else f"; known: {', '.join(FIELDS)}"
            raise self._error(start, f'unknown field "{field}"{hint}')
        self._skip()
        sign_at, sign = self.at, self._match(_OPERATOR, "expected one of = != ~ !~ < <= > >=").group()
        self._skip()
        value_at, value = self.at, self._value()
        if sign in ("~", "!~"):
            return _searching(field, self._pattern(value, value_at), wanted=sign == "~")
        if sign in _ORDERED and field in _TEXT:
            raise self._error(sign_at, f'"{field}" is text: it has no order, use = != ~ !~')
        return _comparing(field, sign, self._typed(field, value, value_at))

    def _value(self) -> str:
        match = self._match(_VALUE, "expected a value")
        single, double, bare = match.groups()
        if double is not None:
            # Only the quote needs an escape; a regular expression keeps its backslashes.
            return str(double).replace('\\"', '"')
        return str(single if single is not None else bare)

    def _pattern(self, value: str, at: int) -> re.Pattern[str]:
        try:
            return re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._error(at, f"not a regular expression: {error}") from error

    def _typed(self, field: str, value: str, at: int) -> Value:
        if value.lower() == "none":
            return None
        if field == "started":
            return self._instant(value, at)
        if field in _NUMBER:
            try:
                return float(value)
            except ValueError as error:
                raise self._error(at, f'"{field}" is a number') from error
        if field == "role" and value not in tuple(Role):
            raise self._error(at, f'"role" is one of {", ".join(Role)}')
        return value.upper() if field == "method" else value

    def _instant(self, value: str, at: int) -> int:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise self._error(at, '"started" is an instant like 2026-11-01T10:00:00Z') from error
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(microseconds=1)

    def _take(self, word: str) -> bool:
        """Step over `word` if it comes next."""
        self._skip()
        match = _WORD.match(self.text, self.at)
        found = match.group() if match else self.text[self.at : self.at + 1]
        if found != word:
            return False
        self.at += len(word)
        return True

    def _match(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise self._error(self.at, expected)
        self.at = match.end()
        return match

    def _skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _error(self, at: int, what: str) -> UsageError:
        marked = " ".join(f"{self.text[:at]}^{self.text[at:]}".splitlines())
        return UsageError(f"--where, column {at + 1}: {what}", f"at the ^ in: {marked}")


def _reader(field: str) -> Callable[[Exchange], Value]:
    return _TEXT[field] if field in _TEXT else _NUMBER[field]


def _searching(field: str, pattern: re.Pattern[str], *, wanted: bool) -> Predicate:
    read = _reader(field)

    def test(exchange: Exchange) -> bool:
        value = read(exchange)
        return (value is not None and pattern.search(str(value)) is not None) is wanted

    return test


def _comparing(field: str, sign: str, value: Value) -> Predicate:
    read, compare = _reader(field), _OPERATORS[sign]
    if sign in _ORDERED:
        # Nothing is before or after what is absent.
        return lambda e: (found := read(e)) is not None and value is not None and compare(found, value)
    if field == "method":
        return lambda e: compare(e.request.method.upper(), value)
    return lambda e: compare(read(e), value)
