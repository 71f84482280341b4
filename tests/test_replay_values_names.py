"""What names say of a value, and when two of them mean the same."""

import pytest

from seamline.replay.values import names


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("orderId", ("order", "id")),
        ("X-CSRF-Token", ("x", "csrf", "token")),
        ("HTTPServer_id", ("http", "server", "id")),
        ("", ()),
        ("$.id", ("id",)),
    ],
)
def test_words(name: str, said: tuple[str, ...]) -> None:
    assert names.words(name) == said


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("orders", "order"), ("categories", "category"), ("boxes", "box"), ("addresses", "address"), ("status", "status"),
        ("batches", "batch"), ("analysis", "analysis"), ("bus", "bus"), ("person", "person"), ("houses", "house"),
    ],
)  # fmt: skip
def test_plurals(plural: str, one: str) -> None:
    assert names.singular(plural) == one


@pytest.mark.parametrize(
    ("name", "entity", "noun"),
    [
        ("createLineItems", "line_item", "line_item"),
        ("data", "", "data"),
        ("items", "", "item"),
        ("orders", "order", "order"),
        ("GetOrder", "order", "order"),
        ("v2", "", ""),
        ("api", "", ""),
        ("7", "", ""),
    ],
)
def test_what_a_thing_is_named_after(name: str, entity: str, noun: str) -> None:
    assert names.entity(name) == entity
    assert names.noun(name) == noun


def _meet(source: tuple[str, tuple[str, ...]], sink: tuple[str, tuple[str, ...]]) -> bool:
    return bool(set(names.source_keys(*source)) & set(names.sink_keys(*sink)) - {names.UNSURE})


@pytest.mark.parametrize(
    ("source", "sink", "same"),
    [
        (("id", ("order",)), ("order_id", ()), True),
        (("id", ("order",)), ("orderId", ()), True),
        (("id", ("order",)), ("order_ids", ()), True),
        (("id", ("order",)), ("order", ()), True),
        (("id", ("order",)), ("id", ("order",)), True),
        (("id", ("order",)), ("id", ("product",)), False),
        (("id", ("order",)), ("product_id", ()), False),
        (("id", ("order",)), ("quantity", ()), False),
        (("order_id", ("payment",)), ("order_id", ("refund",)), True),
        (("order_id", ("payment",)), ("payment_id", ()), False),
        (("id", ("line_item",)), ("item_id", ()), True),
        (("id", ("item",)), ("line_item_id", ()), True),
        (("id", ("cart_item",)), ("order_item_id", ()), False),
        (("number", ("order",)), ("order_number", ()), True),
        (("number", ("order",)), ("order_id", ()), False),
        (("sku", ("product",)), ("sku", ("line",)), True),
        (("slug", ("article",)), ("slug", ("page",)), False),
        (("access_token", ()), ("session_token", ()), True),
        (("csrf_token", ()), ("X-CSRF-Token", ()), True),
        (("csrf_token", ()), ("access_token", ()), False),
        (("next_cursor", ()), ("after", ()), True),
        (("session_timeout", ()), ("session_length", ()), False),
        (("token_count", ()), ("token", ()), False),
        (("cursor_kind", ()), ("cursor", ()), False),
        (("api_key", ()), ("X-Api-Key", ()), True),
        (("nextPageToken", ()), ("pageToken", ()), True),
        (("nextPageToken", ()), ("token", ()), False),
        (("sub", ()), ("account_id", ()), True),
        (("status", ("order",)), ("status", ("order",)), False),
    ],
)
def test_two_names_of_one_thing(
    source: tuple[str, tuple[str, ...]], sink: tuple[str, tuple[str, ...]], same: bool
) -> None:
    assert _meet(source, sink) is same
    assert names.says_something(source[0]) or not same


@pytest.mark.parametrize(
    ("source", "segment", "same"),
    [
        (("id", ("order",)), "orders", True),
        (("slug", ("article",)), "articles", True),
        (("id", ("item",)), "items", True),
        (("id", ("order",)), "products", False),
        (("status", ("order",)), "orders", False),
    ],
)
def test_a_segment_takes_what_names_the_thing(source: tuple[str, tuple[str, ...]], segment: str, same: bool) -> None:
    assert bool(set(names.source_keys(*source)) & set(names.slot_keys(segment))) is same


def test_links_say_what_they_lead_to() -> None:
    assert set(names.noun_keys("orders")) & set(names.slot_keys("orders"))
    assert names.noun_keys("v1") == ()
    assert [names.is_noun(each) for each in ("orders", "line-items", "7", "", "v1", "a" * 61)] == [
        True, True, False, False, False, False
    ]  # fmt: skip
    assert [names.is_id(each) for each in ("id", "orderId", "slug", "valid", "")] == [True, True, True, False, False]
