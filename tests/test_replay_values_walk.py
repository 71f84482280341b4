"""Leaves of documents, and what their places say."""

from typing import Any

from seamline.replay.values import json_path, walk


def _paths(document: Any) -> dict[str, str | int]:
    return {walk.path_of(spot, key): value for spot, key, value in walk.leaves(document)}


def test_leaves_that_can_be_values() -> None:
    document = {"a": {"b": [1, {"c": "x"}]}, "t": True, "n": None, "f": 1.5, "s": "y", "e": {}, "l": [[2]]}
    assert _paths(document) == {"$.s": "y", "$.a.b[0]": 1, "$.a.b[1].c": "x", "$.l[0][0]": 2}
    assert _paths("alone") == {"$": "alone"}
    assert _paths(7) == {"$": 7}
    assert _paths(None) == _paths([]) == {}


def test_every_path_leads_back() -> None:
    document = {"orders": [{"id": 1, "lines": [{"sku": "A", "id": 7}, {"sku": "B", "id": 8}]}], "a.b": {"": ["z"]}}
    for spot, key, value in walk.leaves(document):
        for path in (walk.path_of(spot, key), walk.path_of(spot, key, str(value))):
            assert json_path.leaf_at(document, json_path.parsed(path)) == str(value)


def _places(document: Any) -> dict[str, tuple[str, walk.Container]]:
    return {
        str(value): (walk.name_of(spot, key), walk.holder_of(spot, key).container())
        for spot, key, value in walk.leaves(document)
    }


def test_what_a_leaf_stands_under() -> None:
    found = _places({"data": {"orders": [{"id": "a", "tags": ["b"]}]}, "items": [{"id": "c"}], "id": "d"})
    assert found["a"] == ("id", walk.Container("order", "order", True, False))
    assert found["b"] == ("tags", walk.Container("order", "order", True, False))
    assert found["c"] == ("id", walk.Container("", "item", True, False))
    assert found["d"] == ("id", walk.Container("", "", False, True))
    assert _places([{"id": "a"}])["a"] == ("id", walk.Container("", "", True, True))
    assert _places(["a"])["a"][0] == ""


def test_an_object_may_say_what_it_is() -> None:
    document = {
        "a": {"type": "orders", "id": "x"},
        "b": {"__typename": "LineItem", "id": "y"},
        "c": {"type": 7, "id": "z"},
    }
    said = {str(value): spot.type() for spot, key, value in walk.leaves(document) if key == "id"}
    assert said == {"x": "order", "y": "line_item", "z": ""}


def test_elements_are_named_by_what_is_theirs_alone() -> None:
    document = [{"id": "a1", "name": "Tea", "kind": "x"}, {"id": "b2", "name": "Tea", "kind": "y"}, {"id": "c3"}]
    paths = [walk.path_of(spot, key, value) for spot, key, value in walk.leaves(document) if key == "id"]
    assert paths == ['$[0|.kind="x"|.id="a1"].id', '$[1|.kind="y"|.id="b2"].id', '$[2|.id="c3"].id']


def test_documents_are_walked_within_bounds() -> None:
    deep: Any = "x"
    for _ in range(1_000):
        deep = [deep]
    assert _paths(deep) == {}
    assert len(list(walk.leaves(list(range(walk.MOST + 5))))) == walk.MOST
    assert len(list(walk.leaves([[each] for each in range(walk.MOST + 5)]))) == walk.MOST
