"""Redis arguments by name: one wish in two spellings is one form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.calls.redis_options import named_options

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)

# command, arguments as recorded (the key is "k"), by name
CASES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("SET", [{"k": "v"}, "EX", "300"], {"value": "v", "EX": 300}),
    ("SET", [{"k": "v"}, "PX", "300000"], {"value": "v", "EX": 300}),
    ("SET", [{"k": "v"}, "px", "1500"], {"value": "v", "EX": 1.5}),
    ("SET", [{"k": "v"}, "PXAT", "1793527200000"], {"value": "v", "EXAT": 1_793_527_200}),
    ("SETEX", [{"k": "v"}, "300"], {"value": "v", "EX": 300}),
    ("SETEX", ["k", "300", "v"], {"value": "v", "EX": 300}),
    ("PSETEX", [{"k": "v"}, "300000"], {"value": "v", "EX": 300}),
    ("SET", ["k", {"*": "v"}, "NX"], {"value": "v", "NX": True}),
    ("SET", ["k", "v", "NX", "EX", "10"], {"value": "v", "NX": True, "EX": 10}),
    ("SET", [{"k": '{"a":1}'}], {"value": {"a": 1}}),
    ("SET", [{"k": "{not json"}], {"value": "{not json"}),
    ("SET", ["k", {"b64": "AA=="}], {"value": {"b64": "AA=="}}),
    ("SET", [{"k": "v"}, "EX", "soon"], {"value": "v", "EX": "soon"}),
    ("SET", [], {"value": None}),
    ("EXPIRE", ["k", "300"], {"EX": 300}),
    ("PEXPIRE", ["k", "300000", "NX"], {"EX": 300, "NX": True}),
    ("GETEX", ["k", "EX", "5"], {"EX": 5}),
    ("GET", ["k"], {}),
    ("HSET", ["k", {"email": "a@b.c", "name": "x"}], {"email": "a@b.c", "name": "x"}),
    ("LPUSH", ["k", "a", "b"], {"argument1": "a", "argument2": "b"}),
]


@pytest.mark.parametrize(("command", "given_", "expected"), CASES)
def test_arguments_have_names(command: str, given_: list[Any], expected: dict[str, Any]) -> None:
    assert named_options(command, given_, "k") == expected


@given(
    st.sampled_from(["SET", "SETEX", "EXPIRE", "HSET", "GETEX", "X"]), st.lists(JSON, max_size=6), st.text(max_size=3)
)
def test_any_arguments_are_named(command: str, arguments: list[Any], key: str) -> None:
    assert isinstance(named_options(command, arguments, key), dict)
