"""The index of answers."""

import json

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.replay.values.sinks import ANY
from seamline.replay.values.sources import MOST_PLACES, MOST_SESSIONS, Sources

UUID = "4f7c2f0e-91b5-4c1d-8e0a-2b6a1c9d3e55"


def _exchange(
    method: str, target: str, answer: object, *said: tuple[str, str], session: str = "s", status: int = 200
) -> Exchange:
    response = Response(status, Headers([("Content-Type", "application/json"), *said]), json.dumps(answer).encode())
    return Exchange("x", 0, Role.INBOUND, "http", "a", session, 0, 5, Request(method, target, Headers()), response)


def _places(sources: Sources, value: str, key: str) -> list[str]:
    holders = sources.holders.get((value, key))
    return [str(place) for _, place in holders.first[0].places] if holders else []


def test_only_what_is_wanted_under_a_key_is_kept() -> None:
    sources = Sources({"7": {"id:order"}, UUID: {ANY}})
    sources.add(0, _exchange("GET", "/orders", [{"id": 7, "qty": 7, "product_id": 7, "at": UUID}, {"id": 8}]), 10)
    assert set(sources.holders) == {("7", "id:order"), (UUID, ANY)}
    assert _places(sources, "7", "id:order") == ['body $[0|.id="7"].id']
    assert _places(sources, UUID, ANY) == [f'body $[0|.at="{UUID}"].at']


def test_headers_and_cookies() -> None:
    said = (
        ("Location", "/orders/7"),
        ("Set-Cookie", "cart=7; Path=/7"),
        ("ETag", '"7"'),
        ("Date", "7"),
        ("X-Order-Id", "7"),
    )
    wanted = {
        "7": {"at:/orders", "cookie:cart", "etag:/orders", "etag:/orders/7", "id:order"},
        '"7"': {"etag:/orders/7"},
    }
    sources = Sources(wanted)
    sources.add(0, _exchange("POST", "/orders", {}, *said, status=201), 10)
    assert _places(sources, "7", "at:/orders") == ["header location → url:path:1"]
    assert _places(sources, "7", "cookie:cart") == ["set-cookie cart"]
    assert _places(sources, '"7"', "etag:/orders/7") == ["header etag"]
    assert _places(sources, "7", "etag:/orders") == ["header etag → quoted"]
    assert _places(sources, "7", "id:order") == ["header location → url:path:1", "header x-order-id"]


def test_what_was_made_is_told_from_what_was_listed() -> None:
    sources = Sources({UUID: {ANY}})
    sources.add(0, _exchange("GET", "/orders", [{"id": UUID}]), 10)
    sources.add(1, _exchange("POST", "/orders", {"id": UUID}, session="t"), 20)
    first, second = sources.holders[UUID, ANY].first
    assert (first.is_made, second.is_made) == (False, True)
    assert (first.is_creation, second.is_creation) == (False, True)


def test_a_cart_that_answers_a_posted_item() -> None:
    sources = Sources({"3": {"id:cart", "id:item", "at:/carts/3/items"}, "5": {"id:item"}})
    sources.add(0, _exchange("POST", "/carts/3/items", {"id": 3, "items": [{"id": 5}]}, status=201), 10)
    assert _places(sources, "3", "id:cart") == ["body $.id"]
    assert ("3", "id:item") not in sources.holders
    assert ("3", "at:/carts/3/items") not in sources.holders
    assert _places(sources, "5", "id:item") == ['body $.items[0|.id="5"].id']


def test_sessions_and_places_are_bounded() -> None:
    sources = Sources({UUID: {ANY}})
    for number in range(MOST_SESSIONS + 5):
        sources.add(number, _exchange("GET", "/a", [UUID] * 50, session=f"s{number}"), number)
    holders = sources.holders[UUID, ANY]
    assert len(holders.by_session) == MOST_SESSIONS
    assert [held.exchange for held in holders.first] == [0, 1]
    assert {len(held.places) for held in holders.by_session.values()} == {MOST_PLACES}


def test_an_exchange_without_an_answer() -> None:
    sources = Sources({UUID: {ANY}})
    failed = Exchange("x", 0, Role.INBOUND, "http", "a", "s", 0, 5, Request("GET", f"/{UUID}", Headers()))
    sources.add(0, failed, 5)
    assert sources.holders == {}
