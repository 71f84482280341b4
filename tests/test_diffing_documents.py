"""Paths that differences name, read back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.difference import child
from seamline.diffing.documents import MAX_VALUES, steps_of, values_at

DOCUMENT: Any = {
    "id": 7,
    "items": [{"sku": "a", "tags": [1, 2]}, {"sku": "b", "tags": []}, "odd"],
    "odd name's": {"x": True},
    "by": {"7d444840-9dc0-11d1-b245-5ffdce74fad2": 1, "plain": 2, "12": 3},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", [DOCUMENT]),
        ("$.id", [7]),
        ("$.items[*].sku", ["a", "b"]),
        ("$.items[*].tags[*]", [1, 2]),
        ("$['odd name\\'s'].x", [True]),
        ("$.by.*", [1, 3]),
        ("$.nothing.there", []),
        ("$.id[*]", []),
        ("header.etag", []),
        ("$broken", []),
    ],
)
def test_values_at_a_path(path: str, expected: list[Any]) -> None:
    assert values_at(DOCUMENT, path) == expected


@given(st.text(min_size=1, max_size=40))
def test_each_key_is_found_at_the_path_that_a_difference_gives_it(key: str) -> None:
    path = child("$", key)
    assert steps_of(path) is not None
    assert 5 in values_at({key: 5, "other": 6}, path)


def test_a_large_document_is_cut() -> None:
    assert len(values_at([[1] * 1000] * 1000, "$[*][*]")) == MAX_VALUES
