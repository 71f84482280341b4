"""What an id is the id of, by the names around it."""

import pytest

from seamline.diffing.identity.nouns import names_an_id, noun_of

INSERT = "INSERT INTO public.order_lines (order_id, sku) VALUES ($1, $2)"

# Each: the endpoint; its place by surface, path, service and operation; the part of a text; the noun.
NOUNS: list[tuple[str, tuple[str, str, str, str], str, str]] = [
    ("POST /orders", ("response", "$.id", "", ""), "", "order"),
    ("GET /orders/{id}", ("response", "$.id", "", ""), "", "order"),
    ("POST /orders/{id}/cancel", ("response", "$.id", "", ""), "", "order"),
    ("GET /customers/{id}/orders/{id}", ("response", "$.id", "", ""), "", ""),
    ("POST /orders", ("response", "$.customer.id", "", ""), "", "customer"),
    ("POST /orders", ("response", "$.customerId", "", ""), "", "customer"),
    ("GET /orders", ("response", "$.orders[*].id", "", ""), "", "order"),
    ("GET /orders", ("response", "$[*].order_number", "", ""), "", "order"),
    ("GET /orders", ("response", "$.items[*].number", "", ""), "", "order"),
    ("GET /orders/{id}", ("response", "$.items[*].number", "", ""), "", "item"),
    ("POST /orders", ("response", "$.items[*].id", "", ""), "", "item"),
    ("POST /orders", ("response", "$.data.id", "", ""), "", "order"),
    ("GET /orders", ("response", "$.data.orders[*].id", "", ""), "", "order"),
    ("GET /orders", ("response", "$.parent", "", ""), "", "parent"),
    ("POST /orders", ("header", "header.location", "", ""), "orders", "order"),
    ("POST /orders", ("header", "header.location", "", ""), "…", ""),
    ("POST /orders", ("http", "path.id", "stock", "PUT /reservations/{id}"), "", "reservation"),
    ("POST /orders", ("http", "path.id", "stock", "PUT /a/{id}/b/{id}"), "", ""),
    ("POST /orders", ("http", "$.id", "stock", "POST /boxes"), "", "box"),
    ("POST /orders", ("redis", "key.id", "cache", "SET order:{id}"), "", "order"),
    ("POST /orders", ("sql", "$.order_id", "db", INSERT), "", "order"),
    ("POST /orders", ("sql", "$.id#2", "db", INSERT), "", "order_line"),
    ("POST /orders", ("sql", "$.id", "db", "SELECT 1"), "", ""),
    ("public.categories", ("state", "$.categories.id", "db", "state of categories"), "", "category"),
    ("POST /orders", ("bus", "$.id", "bus", "publish orders.created"), "", ""),
    ("GET /", ("response", "$", "", ""), "", ""),
]


@pytest.mark.parametrize(("endpoint", "place", "part", "noun"), NOUNS)
def test_what_an_id_is_the_id_of(endpoint: str, place: tuple[str, str, str, str], part: str, noun: str) -> None:
    assert noun_of(endpoint, place, part) == noun


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.id", True),
        ("$.order_id", True),
        ("$.orderId", True),
        ("$.items[*].ref", True),
        ("$.order_id#2", True),
        ("$.paid", False),
        ("$.qty", False),
        ("$.pid", False),
        ("$.width", False),
        ("$", False),
    ],
)
def test_names_of_ids(path: str, *, expected: bool) -> None:
    assert names_an_id(path) is expected
