"""The places of a request that may hold what an answer said."""

import json

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.values.sinks import ANY, MOST, UNSURE, Sink, Sinks, target_of

UUID = "4f7c2f0e-91b5-4c1d-8e0a-2b6a1c9d3e55"


def _sinks(target: str, body: object = None, *headers: tuple[str, str]) -> dict[str, Sink]:
    items = [("Host", "shop.test"), ("User-Agent", "curl/8.1 4f7c2f0e91b5a2c7"), *headers]
    data = b"" if body is None else json.dumps(body).encode()
    request = Request("POST", target, Headers(items), data)
    return {str(place): sink for place, sink in Sinks().of(request, lambda _: True)}


@pytest.mark.parametrize(
    ("target", "about", "is_collection"),
    [
        ("/api/orders", ("order",), True),
        ("/api/orders/7", ("order",), False),
        ("/carts/3/items", ("item", "cart"), True),
        ("/carts/3/items/5?x=1", ("item", "cart"), False),
        (f"/api/v1/orders/{UUID}/line-items", ("line_item", "order"), True),
        ("http://h.test/orders/", ("order",), True),
        ("/", (), False),
    ],
)
def test_what_a_target_is_about(target: str, about: tuple[str, ...], is_collection: bool) -> None:
    read = target_of(target)
    assert (read.about, read.is_collection) == (about, is_collection)


def test_where_and_what_is_looked_for() -> None:
    found = _sinks(
        "/api/orders/7/cancel?customer_id=3&page=2&ref=q8Zk2LmN5vR7tX9w", {"id": 5, "qty": 4, "w": "shipped"}
    )
    assert found["path 2"].keys == ("at:/api/orders", "id:order", "id~order", "slot:order", "slot~order", UNSURE)
    assert found["query customer_id#0"].keys == ("id:customer", "id~customer", UNSURE)
    assert ANY in found["query ref#0"].keys
    assert found["body $.id"].keys[0] == "id:cancel"
    assert UNSURE not in found["body $.qty"].keys
    assert "query page#0" not in found
    assert not any(UUID in each for each in found)


def test_credentials_cookies_and_tags() -> None:
    headers = (
        ("Authorization", "Bearer abc"),
        ("Cookie", "sid=1; x="),
        ("If-None-Match", '"1", "2"'),
        ("X-Tenant-Id", "7"),
    )
    found = _sinks("/a", None, *headers)
    assert found["header authorization → bearer"].keys == ("credential",)
    assert found["cookie sid"].keys[0] == "cookie:sid"
    assert "cookie x" not in found
    assert found["header if-none-match → split:,:1"].keys == ("etag:/a",)
    assert found["header if-none-match → split:,:1"].below[0].value == "2"
    assert found["header x-tenant-id"].keys[0] == "id:tenant"
    assert not any(place.startswith(("header host", "header user-agent")) for place in found)


def test_values_within_values() -> None:
    found = _sinks("/a", {"event": json.dumps({"order": {"id": UUID}}), "note": f"about {UUID}"})
    (inner,) = found["body $.event"].below
    assert (inner.value, inner.chain) == (UUID, ("json:$.order.id",))
    assert found["body $.note"].below[0].chain == ("split: :1",)
    assert [each.value for each in found["body $.event"].walk()][1:] == [UUID]


def test_the_same_text_is_one_sink() -> None:
    sinks = Sinks()
    request = Request("GET", "/a", Headers([("Authorization", "Bearer q8Zk2LmN5vR7tX9w")]))
    first = sinks.of(request, lambda _: True)
    assert sinks.of(request, lambda _: True)[0][1] is first[0][1]
    assert sinks.of(request, lambda _: False) == []


def test_only_so_many_are_taken() -> None:
    values = [f"q8Zk2LmN5vR7tX{number}" for number in range(3 * MOST)]
    assert len(_sinks("/a?" + "&".join(f"v={each}" for each in values), values)) == MOST
