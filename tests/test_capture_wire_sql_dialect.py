"""Every character of a text falls into one group, whatever the text is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.sql.dialect import GENERIC, MYSQL, POSTGRES, POSTGRES_BACKSLASH, Dialect

DIALECTS = [POSTGRES, POSTGRES_BACKSLASH, MYSQL, GENERIC]


def groups(dialect: Dialect, text: str) -> list[str]:
    return [f"{found.lastgroup}:{found.group()}" for found in dialect.pattern.finditer(text) if found.group() != " "]


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        (POSTGRES, "a=$1", ["word:a", "op:=", "bind:$1"]),
        (POSTGRES, "'a\\' 'b'", ["string:'a\\'", "string:'b'"]),
        (POSTGRES_BACKSLASH, "'a\\' 'b'", ["escaped:'a\\' '", "word:b", "bad:'"]),
        (POSTGRES, "E'a\\'b'", ["escaped:E'a\\'b'"]),
        (POSTGRES, "U&'d\\0061t'", ["string:U&'d\\0061t'"]),
        (POSTGRES, "$x$ a $$ b $x$", ["dollar:$x$ a $$ b $x$"]),
        (POSTGRES, "x ? 'k' ?| y", ["word:x", "op:?", "string:'k'", "op:?|", "word:y"]),
        (POSTGRES, "a::int>=-5", ["word:a", "op:::", "word:int", "op:>=", "op:-", "number:5"]),
        (POSTGRES, "1e5 .5 0xFF 1_000", ["number:1e5", "number:.5", "number:0xFF", "number:1_000"]),
        (POSTGRES, "5--x\n6", ["number:5", "comment:--x", "space:\n", "number:6"]),
        (POSTGRES, 'j->>"K"', ["word:j", "op:->>", 'name:"K"']),
        (MYSQL, '"a""b" # x', ['escaped:"a""b"', "comment:# x"]),
        (MYSQL, "5--x", ["number:5", "op:-", "op:-", "word:x"]),
        (MYSQL, "y=? AND `a b`", ["word:y", "op:=", "bind:?", "word:AND", "name:`a b`"]),
        (GENERIC, "a=%s AND b=:n AND c=%(m)s", ["word:a", "op:=", "bind:%s", "word:AND", "word:b", "op:=", "bind::n",
                                                "word:AND", "word:c", "op:=", "bind:%(m)s"]),
        (GENERIC, "x::text", ["word:x", "op:::", "word:text"]),
    ],
)  # fmt: skip
def test_tokens(dialect: Dialect, text: str, expected: list[str]) -> None:
    assert groups(dialect, text) == expected


@pytest.mark.parametrize("text", ["'open", '"open', "`open", "$$open", "/* open", "123abc", "\\", "a\0b"])
def test_what_is_open_is_bad(text: str) -> None:
    assert any(group.startswith("bad:") for group in groups(POSTGRES, text))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
@given(text=st.text(st.sampled_from("ab1 '\"`$\\/*-?:%=(),;E\n"), max_size=60))
def test_no_character_is_lost(dialect: Dialect, text: str) -> None:
    assert "".join(found.group() for found in dialect.pattern.finditer(text)) == text
