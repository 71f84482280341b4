"""What the names of an answer mean, by what was asked."""

from typing import Any

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.values import walk
from seamline.replay.values.sinks import target_of
from seamline.replay.values.subject import Subject


def _keys(method: str, target: str, document: Any) -> dict[str, tuple[str, ...]]:
    subject = Subject(document, Request(method, target, Headers()), target_of(target))
    return {walk.path_of(spot, key): subject.keys(spot, key) for spot, key, _ in walk.leaves(document)}


@pytest.mark.parametrize(
    ("method", "target", "document", "path", "first", "second"),
    [
        ("POST", "/orders", {"id": 7}, "$.id", "at:/orders", "id:order"),
        ("GET", "/orders", [{"id": 7}], "$[0].id", "at:/orders", "id:order"),
        ("GET", "/orders", {"items": [{"id": 7}]}, "$.items[0].id", "at:/orders", "id:order"),
        ("GET", "/orders/7", {"id": 7}, "$.id", "at:/orders", "id:order"),
        ("GET", "/orders/7", {"lines": [{"id": 7}]}, "$.lines[0].id", "id:line", "slot:line"),
        ("GET", "/me", {"order": {"id": 7}}, "$.order.id", "id:order", "slot:order"),
        ("GET", "/orders", {"id": 7}, "$.id", "id:order", "slot:order"),
        ("POST", "/orders", {"order": {"id": 7}}, "$.order.id", "at:/orders", "id:order"),
        ("POST", "/carts/3/items", {"id": 3, "items": []}, "$.id", "id:cart", "slot:cart"),
        ("GET", "/things", {"data": {"id": 7, "type": "orders"}}, "$.data.id", "id:order", "slot:order"),
        ("POST", "/orders", {"product_id": 7}, "$.product_id", "id:product", "slot:product"),
    ],
)
def test_ids(method: str, target: str, document: Any, path: str, first: str, second: str) -> None:
    assert _keys(method, target, document)[path][:2] == (first, second)


def test_names_that_say_nothing() -> None:
    assert _keys("GET", "/orders/7", {"status": "new", "total": 7, "tags": ["a"]}) == {
        "$.status": (), "$.total": (), "$.tags[0]": ()
    }  # fmt: skip
    assert _keys("GET", "/orders/7", ["a"]) == {"$[0]": ()}
