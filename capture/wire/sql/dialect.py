"""How a dialect of SQL writes its values: one compiled pattern each.

Two rules hold here. A pattern takes every character that it knows into exactly one group, and what no group takes is
`bad`: the whole text counts as unread then. No alternative can be entered twice for one character (possessive
repeats), so a hostile text costs time in proportion to its length.

After PostgreSQL 17 docs, 4.1 (lexical structure) and the MySQL 8.4 reference manual, 11 (language structure).
"""

import re
from dataclasses import dataclass

_STANDARD = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPED = r"'[^'\\]*+(?:(?:\\[\s\S]|'')[^'\\]*+)*+'"
_ESCAPED_DOUBLE = r'"[^"\\]*+(?:(?:\\[\s\S]|"")[^"\\]*+)*+"'
_QUOTED_NAME = r'"[^"]*+(?:""[^"]*+)*+"'
_BACK_QUOTED_NAME = r"`[^`]*+(?:``[^`]*+)*+`"
_DOLLAR = r"\$(?P<tag>[^\W\d]\w*+|)\$[\s\S]*?\$(?P=tag)\$"
_BLOCK = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/"
_NUMBER = r"(?>0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]+)?)(?![\w])"
# An operator ends where a comment starts, and a sign is one by itself: `=-5` compares with a number.
_OPERATOR = r"->>?|\#>>?|[-+]|(?:(?!--|/\*|\*/)[*/<>=~!@\#%^&|?])++|::|:=|[.,;:()\[\]{}]"
# Where `?` or `%s` is a placeholder, no operator runs into it.
_OPERATOR_ALONE = r"->>?|\#>>?|[-+]|(?:(?!--|/\*|\*/)[*/<>=~!@\#^&|])++|::|:=|[.,;:()\[\]{}%]|\?[|&?]"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`pattern`'s groups: space, word, op, name, bind, number, string, escaped, dollar, comment, bad.
    `escapes` says whether a backslash escapes in every string; `nests` whether comments nest."""

    name: str
    pattern: re.Pattern[str]
    escapes: bool
    nests: bool


def _pattern(*groups: tuple[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{body})" for name, body in (*groups, ("bad", r"[\s\S]"))))


def _postgres(name: str, plain: tuple[str, str], binds: str, operator: str = _OPERATOR) -> Dialect:
    pattern = _pattern(
        ("space", r"\s++"),
        ("bind", binds),
        ("escaped", rf"[eE]{_ESCAPED}" + (f"|{plain[1]}" if plain[0] == "escaped" else "")),
        ("string", rf"(?:[nNbBxX]|[uU]&)?{_STANDARD if plain[0] == 'string' else '(?!)'}"),
        ("word", r"[^\W\d][\w$]*+"),
        ("dollar", _DOLLAR),
        ("number", _NUMBER),
        ("name", rf"{_QUOTED_NAME}|{_BACK_QUOTED_NAME}"),
        ("comment", rf"--[^\r\n]*+|{_BLOCK}"),
        ("op", operator),
    )
    return Dialect(name, pattern, plain[0] == "escaped", nests=True)


POSTGRES = _postgres("postgres", ("string", _STANDARD), r"\$[0-9]{1,5}(?!\w)")
"""PostgreSQL with standard_conforming_strings, the default since 9.1."""

POSTGRES_BACKSLASH = _postgres("postgres-backslash", ("escaped", rf"[nNbBxX]?{_ESCAPED}"), r"\$[0-9]{1,5}(?!\w)")
"""PostgreSQL without: a backslash escapes in every string."""

GENERIC = _postgres(
    "generic",
    ("string", _STANDARD),
    r"\$[0-9]{1,5}(?!\w)|\?(?![|&?])|%s(?!\w)|%\(\w+\)s|(?<![:\w]):[^\W\d]\w*+",
    _OPERATOR_ALONE,
)
"""A text from elsewhere, before a driver has bound it: `?`, `%s`, `%(name)s` and `:name` are placeholders too."""

MYSQL = Dialect(
    "mysql",
    _pattern(
        ("space", r"\s++|/\*M?!\d*|\*/"),
        ("bind", r"\?"),
        ("escaped", rf"[nNbBxX]?{_ESCAPED}|{_ESCAPED_DOUBLE}"),
        ("number", _NUMBER),
        ("word", r"[\w$]++"),
        ("name", _BACK_QUOTED_NAME),
        ("comment", rf"--(?=\s|\Z)[^\r\n]*+|\#[^\r\n]*+|{_BLOCK}"),
        ("op", _OPERATOR_ALONE),
    ),
    escapes=True,
    nests=False,
)
"""MySQL and MariaDB with their default sql_mode: double quotes hold strings, and `/*! … */` is executed."""
