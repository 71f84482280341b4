"""Values as TOML: read back as they were."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.toml_text import toml_text

KEYS = st.text(min_size=1, max_size=8)
SCALARS = (
    st.text(max_size=20)
    | st.integers(-(2**40), 2**40)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
NAMES = st.from_regex(r"[a-z][a-z_-]{0,8}", fullmatch=True)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(st.dictionaries(NAMES, TABLES | st.lists(TABLES, min_size=1, max_size=3) | SCALARS, max_size=4))
def test_what_was_written_is_read(tables: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(tables)) == tables


def test_what_has_no_place_in_a_configuration() -> None:
    with pytest.raises(TypeError, match="no place"):
        toml_text({"service": {"name": None}})
