"""What a statement's template says about it: its table, its fingerprint, and its values' names.

A value gets the name of the column that it is compared with, set to, or inserted into, so that whoever cleans values
by their names finds it; a value whose column is not plain to see stays `$n`. Where every value of a row goes into a
column that the text does not name (INSERT INTO t VALUES …, CALL …), any of them may be a secret, and is named like one
(`unnamed_secret_1`): a sanitizer then takes every text for one. PURE.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

_TOKEN = re.compile(
    r'"[^"]*+(?:""[^"]*+)*+"|`[^`]*+(?:``[^`]*+)*+`|\$\d+|[^\W\d][\w$]*+|\d\w*+'
    r"|->>?|\#>>?|[-+]|[*/<>=~!@\#%^&|?]++|::|:=|\S"
)
_NAME = re.compile(r'\w[\w$]*|".*"|`.*`', re.DOTALL)
_FIRST_WORD = re.compile(r"[A-Za-z]++")
_BEFORE_TABLE = frozenset({"from", "into", "update", "join", "table", "copy", "truncate", "using", "call", "lock"})
_NOT_BEFORE_UPDATE = frozenset({"for", "do", "key", "on"})
_BETWEEN = frozenset(
    {"only", "if", "not", "exists", "lateral", "ignore", "low_priority", "delayed", "table", "concurrently"}
)
_FROM_IN_CALL = frozenset({"extract", "substring", "trim", "overlay", "position"})
_NO_COLUMNS = frozenset(
    [
        "select",
        "from",
        "where",
        "and",
        "or",
        "not",
        "in",
        "any",
        "all",
        "some",
        "between",
        "like",
        "ilike",
        "rlike",
        "regexp",
        "is",
        "values",
        "set",
        "limit",
        "offset",
        "fetch",
        "first",
        "next",
        "interval",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "when",
        "then",
        "else",
        "case",
        "end",
        "as",
        "by",
        "on",
        "having",
        "distinct",
        "returning",
        "array",
        "row",
        "cast",
        "using",
        "null",
        "true",
        "false",
        "default",
        "union",
    ]
)
_NO_CALLS = _NO_COLUMNS - {"cast"}
_COMPARING = frozenset({"like", "ilike", "rlike", "regexp", "to", "similar"})
_NAMES_LAST = frozenset({"savepoint", "release", "deallocate", "fetch", "move", "close"})
UNNAMED = "unnamed_secret_"
"""What the names of values begin with whose columns nobody names."""

_SECRET_WORDS = frozenset({"password", "identified"})
_IN_LIST = re.compile(r"\bin \( (\?[^(),]*?)(?: , \1)* \)")
_VALUES = re.compile(r"\bvalues (\( [^()]* \))(?: , \1)+")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_MOST_STEPS = 64
_MOST_BACK = 256
_LONGEST_CACHED = 4096


@dataclass(frozen=True, slots=True)
class Shape:
    """What is alike in all statements of one template. `secret` are the indexes of values that are credentials."""

    method: str
    target: str
    fingerprint: str
    names: tuple[str, ...]
    secret: frozenset[int]


def shape_of(template: str) -> Shape:
    """The shape of a template, its values written `$1` … `$n`."""
    return _cached(template) if len(template) <= _LONGEST_CACHED else _shape(template)


@lru_cache(maxsize=2048)
def _cached(template: str) -> Shape:
    return _shape(template)


def _shape(template: str) -> Shape:
    tokens = _TOKEN.findall(template)
    folded = [token.lower() if _is_plain(token) else token for token in tokens]
    first = next((token for token in folded if _FIRST_WORD.fullmatch(token)), "")
    names = _Names(tokens, folded).all()
    secret = frozenset(at for at, name in enumerate(names) if name == "password" and first in _WRITES_PASSWORDS)
    return Shape(
        first.upper() or "UNKNOWN",
        _target(tokens, folded),
        fingerprint(_nameless(first, folded)),
        tuple(_unique(names)),
        secret,
    )


_WRITES_PASSWORDS = frozenset({"alter", "create", "set", "grant", "change"})


def _nameless(first: str, folded: list[str]) -> list[str]:
    """Without the name of a savepoint, a cursor or a prepared statement: drivers count them up."""
    if first == "declare":
        return [*folded[:1], "name", *folded[2:]]
    names_last = first in _NAMES_LAST or (first == "rollback" and "to" in folded)
    return [*folded[:-1], "name"] if names_last and len(folded) > 1 else folded


def fingerprint(folded: list[str]) -> str:
    """16 hex digits of BLAKE2b over the tokens: lists of an IN and rows of VALUES count as one, names as unquoted."""
    canonical = " ".join("?" if token[0] == "$" else _unquoted_if_plain(token) for token in folded)
    canonical = _VALUES.sub(r"values \1", _IN_LIST.sub(r"in ( \1 )", canonical))
    return blake2b(canonical.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def unquoted(name: str) -> str:
    """An identifier without its quotes."""
    return name[1:-1].replace(name[0] * 2, name[0]) if name[0] in '"`' and len(name) > 1 else name


def _is_plain(token: str) -> bool:
    return token[0] not in '"`'


def _unquoted_if_plain(token: str) -> str:
    if _is_plain(token):
        return token
    inner = unquoted(token)
    return inner if _PLAIN_NAME.fullmatch(inner) else token


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = count = seen.get(name, 0) + 1
        unique.append(name if count == 1 else f"{name}#{count}")
    return unique


def _target(tokens: list[str], folded: list[str]) -> str:
    for at, word in enumerate(folded):
        if word not in _BEFORE_TABLE or (at and word == "update" and folded[at - 1] in _NOT_BEFORE_UPDATE):
            continue
        if word == "from" and _is_in_call(folded, at):
            continue
        start = at + 1
        while start < len(folded) and folded[start] in _BETWEEN:
            start += 1
        name, end = _qualified(tokens, start)
        is_call = end < len(tokens) and tokens[end] == "(" and word in {"from", "join", "using"}
        if name and not is_call and folded[start] not in _NO_COLUMNS:
            return name
    return ""


def _is_in_call(folded: list[str], at: int) -> bool:
    depth = 0
    for back in range(at - 1, max(at - _MOST_STEPS, 0), -1):
        depth += (folded[back] == ")") - (folded[back] == "(")
        if depth < 0:
            return folded[back - 1] in _FROM_IN_CALL
    return False


def _qualified(tokens: list[str], start: int) -> tuple[str, int]:
    """A possibly qualified name from `start` on, and where it ends; "" where there is none."""
    parts: list[str] = []
    at = start
    while at < len(tokens) and _NAME.fullmatch(tokens[at]):
        parts.append(unquoted(tokens[at]))
        at += 1
        if at >= len(tokens) or tokens[at] != ".":
            break
        at += 1
    return ".".join(parts), at


class _Names:
    """The names of a template's values."""

    def __init__(self, tokens: list[str], folded: list[str]) -> None:
        self._tokens = tokens
        self._folded = folded

    def all(self) -> list[str]:
        """One name a value, in order."""
        inserted = self._inserted()
        names: list[str] = []
        unnamed = UNNAMED if self._folded[:1] in (["call"], ["execute"]) else "$"
        last = -1
        name: str | None = None
        for at, token in enumerate(self._tokens):
            if token[0] == "$" and token[1:].isdigit():
                if at in inserted:
                    name = inserted[at]
                elif name != "offset" and last >= 0 and self._follows(at, last):
                    # The next value of a list is what the one before it is: nobody looks for a long list's start twice.
                    name = name or self._after(at)
                else:
                    name = self._before(at) or self._after(at)
                last = -1 if at in inserted else at
                names.append(name or f"{unnamed}{len(names) + 1}")
        return names

    def _follows(self, at: int, last: int) -> bool:
        """Whether the value at `at` comes after the one at `last` and a comma, but for casts."""
        between = self._folded[last + 1 : at] if at - last <= 8 else []
        return between[-1:] == [","] and between.count(",") == 1 and "(" not in between and "=" not in between

    def _inserted(self) -> dict[int, str]:
        """Token index to column, for values in the rows of INSERT … (columns) … VALUES."""
        folded = self._folded
        if "values" not in folded or not ({"insert", "replace"} & set(folded[: folded.index("values")])):
            return {}
        columns = self._columns(folded.index("into") + 1 if "into" in folded else 1)
        found: dict[int, str] = {}
        depth = position = 0
        for at in range(folded.index("values") + 1, len(folded)):
            part = folded[at]
            if part == "(":
                depth += 1
                position = 0 if depth == 1 else position
            elif part == ")":
                depth -= 1
                if depth < 0:
                    break
            elif part == "," and depth == 1:
                position += 1
            elif depth == 0 and part != ",":
                break
            elif part[0] == "$" and not columns:
                found[at] = f"{UNNAMED}{position + 1}"
            elif part[0] == "$" and position < len(columns):
                found[at] = columns[position]
        return found

    def _columns(self, start: int) -> list[str]:
        name, at = _qualified(self._tokens, start)
        if not name or at >= len(self._tokens) or self._tokens[at] != "(":
            return []
        columns: list[str] = []
        for part in self._tokens[at + 1 :]:
            if part == ")":
                return columns
            if part != ",":
                columns.append(unquoted(part))
        return []

    def _before(self, at: int) -> str | None:
        """The name that stands before a value: `col = $1`, `col IN ($1`, `col BETWEEN $1 AND $2`, LIMIT $1 …"""
        value, at = at, at - 1
        for _ in range(_MOST_STEPS):
            if at < 0:
                return None
            word = self._folded[at]
            if word in {"limit", "offset"}:
                return self._page(at, word, value)
            if word in _SECRET_WORDS or (word == "by" and at and self._folded[at - 1] == "identified"):
                return "password"
            if word == "(":
                at = self._before_parenthesis(at)
            elif word == ",":
                at = self._list_start(at)
            elif word in {"in", "any", "all", "some", "not", "between"}:
                at -= 1
            elif word == "and":
                # Only the second half of a BETWEEN is named by what stands before its AND.
                if at < 2 or self._folded[at - 2] != "between":
                    return None
                at -= 2
            elif word in _COMPARING or not (word[0].isalnum() or word[0] in '_"`$)].,;:'):
                return self._operand(at)
            else:
                return self._operand(at + 1) if self._folded[at + 1] in {"in", "between", "not", "any"} else None
        return None

    def _page(self, at: int, word: str, value: int) -> str:
        if word == "limit" and self._folded[value + 1 : value + 2] == [","]:
            # MySQL's LIMIT offset, count.
            return "offset"
        return word

    def _before_parenthesis(self, at: int) -> int:
        before = self._folded[at - 1] if at else ""
        # A function's name: what its call is compared with names its argument. An IN or ANY is looked at by itself.
        is_call = before and before[0] not in "$" and _NAME.fullmatch(before) and before not in _NO_CALLS
        return at - 2 if is_call else at - 1

    def _list_start(self, at: int) -> int:
        """From a comma in a list back to the part before the list's parenthesis, or to a LIMIT."""
        depth = 0
        for back in range(at - 1, max(at - _MOST_BACK, -1), -1):
            part = self._folded[back]
            depth += (part == ")") - (part == "(")
            if depth < 0:
                return back - 1 if self._folded[back - 1] in {"in", "any"} else -1
            if depth == 0 and part == "limit":
                return back
            if depth == 0 and part not in {",", "::"} and part[0] != "$" and not _NAME.fullmatch(part):
                return -1
        return -1

    def _operand(self, at: int) -> str | None:
        """The column that ends just before part `at`: the last name of `t.col`, `lower(col)`, `col::text`."""
        at -= 1
        while at >= 2 and self._folded[at - 1] == "::":
            at -= 2
        if at >= 0 and self._folded[at] == "not":
            at -= 1
        while at > 0 and self._folded[at] in {")", "]"}:
            at -= 1
        if at < 0 or not _NAME.fullmatch(self._tokens[at]) or self._folded[at] in _NO_COLUMNS:
            return None
        return unquoted(self._tokens[at])

    def _after(self, at: int) -> str | None:
        """The column after a value: `$1 = col`, `$1 = ANY(tags)`."""
        tokens, at = self._folded, at + 1
        while at + 1 < len(tokens) and tokens[at] == "::":
            at += 2
        if at >= len(tokens) or tokens[at] not in {"=", "<", ">", "<=", ">=", "<>", "!="}:
            return None
        at += 1
        if at < len(tokens) and tokens[at] == "any":
            at += 2
        name, end = _qualified(self._tokens, at)
        is_call = end < len(tokens) and tokens[end] == "("
        return name.rpartition(".")[2] if name and not is_call and tokens[at] not in _NO_COLUMNS else None
