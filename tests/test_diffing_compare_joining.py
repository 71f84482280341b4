"""Join keys, and which elements are one thing that changed."""

from typing import Any

import pytest

from seamline.diffing.compare.joining import alike, join_key, pair_alike, stand_in_place, values_of


def rows(**columns: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        (rows(sku=["a", "b"], qty=[1, 2]), rows(sku=["b", "a"], qty=[9, 9]), ("sku",)),
        (rows(qty=[1, 2], sku=["a", "b"]), rows(qty=[2, 1], sku=["a", "b"]), ("sku",)),
        # Ids that each side draws, or counts from its own start, join nothing or the wrong elements.
        (rows(id=["x", "y"], sku=["a", "b"]), rows(id=["v", "w"], sku=["b", "a"]), ("sku",)),
        (
            rows(id=[1, 2, 3, 4], sku=["a", "b", "c", "d"], qty=[1, 2, 3, 4]),
            rows(id=[3, 4, 5, 6], sku=["a", "b", "c", "d"], qty=[1, 2, 3, 4]),
            ("sku",),
        ),
        (
            rows(sku=["a", "a", "b"], place=["n", "s", "n"], qty=[1, 1, 1]),
            rows(sku=["b", "a", "a"], place=["n", "s", "n"], qty=[1, 5, 1]),
            ("sku", "place"),
        ),
        (rows(qty=[1, 1]), rows(qty=[1, 1]), None),
        (rows(ok=[True, False]), rows(ok=[False, True]), None),
        ([], rows(id=[1]), None),
    ],
)
def test_keys(before: list[dict[str, Any]], after: list[dict[str, Any]], key: tuple[str, ...] | None) -> None:
    assert join_key(before, after) == key


def test_elements_are_alike_by_their_values_whatever_these_are_called() -> None:
    one = values_of({"unitPrice": 1299, "name": "Tea", "id": "0b9c1a1e-1111-4111-8111-0b9c1a1e1111"})
    assert alike(one, values_of({"unit_price": 1299, "name": "Tea", "id": "1b9c1a1e-1111-4111-8111-0b9c1a1e1111"}))
    assert not alike(one, values_of({"unitPrice": 500, "name": "Pot", "id": 17}))
    assert alike(values_of({"a": 1}), values_of({"a": 2}))


def test_leftovers_pair_by_place_or_by_their_rarest_values() -> None:
    before = [{"n": f"n{place}", "v": f"v{place}", "w": 0} for place in range(5)]
    changed = [{**one, "w": 1} for one in before]
    assert pair_alike(before, changed) == [(place, place) for place in range(5)]
    assert sorted(pair_alike(before, changed[::-1])) == [(place, 4 - place) for place in range(5)]
    assert pair_alike(before, [{"n": "x", "v": "y", "w": 9}] * 5) == []


def test_elements_in_their_places_are_seen_at_once_and_swapped_contents_are_not() -> None:
    before = rows(id=[1, 2], sku=["a", "b"], qty=[1, 2])
    assert stand_in_place(before, rows(id=[1, 2], sku=["a", "b"], qty=[1, 9]), [1])
    assert not stand_in_place(before, rows(id=[1, 2], sku=["b", "a"], qty=[2, 1]), [0, 1])
    assert not stand_in_place(before, rows(id=[1, 7], sku=["a", "b"], qty=[1, 2]), [1])
    assert not stand_in_place([1], [2], [0])
