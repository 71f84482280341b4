"""Which answer a value came from, and when from none."""

from seamline.replay.values.place import Place
from support.talk import Talk, shown

UUID = "4f7c2f0e-91b5-4c1d-8e0a-2b6a1c9d3e55"


def test_what_a_client_had_first_is_its_own() -> None:
    talk = Talk()
    talk.say("PUT", f"/carts/{UUID}", {"id": UUID}, answer={"id": UUID})
    talk.say("GET", f"/carts/{UUID}", answer={"id": UUID})
    talk.say("GET", f"/carts/{UUID}", answer={"id": UUID}, session="another")
    assert len(talk.links()) == 0


def test_an_answer_that_came_too_late_is_no_source() -> None:
    talk = Talk()
    talk.say("POST", "/orders", answer={"id": UUID}, took=50_000, status=201)
    talk.say("GET", f"/orders/{UUID}", answer={"id": UUID})
    assert len(talk.links()) == 0


def test_two_clients_of_one_shop() -> None:
    talk = Talk()
    talk.say("POST", "/orders", answer={"id": 7}, status=201, session="one")
    talk.say("POST", "/orders", answer={"id": 8}, status=201, session="two")
    talk.say("GET", "/orders/7", answer={}, session="one")
    talk.say("GET", "/orders/8", answer={}, session="two")
    talk.say("GET", "/orders", answer=[{"id": 7}, {"id": 8}], session="two")
    talk.say("GET", "/orders/7", answer={}, session="two")
    talk.say("GET", "/orders/8", answer={}, session="three")
    assert shown(talk.links()) == [
        "x0 body $.id -> x2 path 1",
        "x1 body $.id -> x3 path 1",
        "x0 body $.id -> x5 path 1",  # and not x4, the list
        "x1 body $.id -> x6 path 1",
    ]


def test_a_number_of_six_digits_tells_within_a_session_only() -> None:
    talk = Talk()
    talk.say("POST", "/tickets", answer={"voucher": 481_973}, session="one")
    talk.say("POST", "/redeem", {"value": 481_973}, session="one")
    talk.say("POST", "/redeem", {"amount": 481_973}, session="two")
    links = talk.links()
    assert shown(links) == ["x0 body $.voucher -> x1 body $.value"]
    assert [(each.consumer, each.producer) for each in links.ambiguous] == [("x2", "x0")]


def test_constants_are_no_values() -> None:
    talk = Talk()
    for number in range(12):
        talk.say("GET", "/config", answer={"tenant": UUID, "your": f"9f{number:02}c0ffee77"}, session=f"s{number}")
        talk.say("GET", f"/t/{UUID}/x/9f{number:02}c0ffee77", session=f"s{number}")
    links = talk.links()
    assert len(links) == 12
    assert {link.sink.path for link in links} == {"3"}
    assert {each.why for each in links.ambiguous} == {"a constant: many sessions have it"}


def test_what_one_client_made_and_all_others_use_is_no_constant() -> None:
    talk = Talk()
    talk.say("POST", "/rooms", {"name": "lobby"}, answer={"id": UUID}, status=201, session="host")
    for number in range(15):
        talk.say("GET", f"/rooms/{UUID}", answer={"id": UUID}, session=f"s{number}")
    assert [link.producer for link in talk.links()] == ["x0"] * 15


def test_a_value_keeps_the_source_of_its_first_use() -> None:
    talk = Talk()
    talk.say("POST", "/login", answer={"token": "q8Zk2LmN5vR7tX9w"}, session="c1")
    for _ in range(3):
        bearer = (("Authorization", "Bearer q8Zk2LmN5vR7tX9w"),)
        talk.say("GET", "/me", answer={"token": "q8Zk2LmN5vR7tX9w"}, session="s1", headers=bearer)
    assert [link.producer for link in talk.links()] == ["x0"] * 3


def test_what_was_there_before_is_told_from_what_was_made() -> None:
    talk = Talk()
    said = (("Set-Cookie", "sid=4"), ("ETag", '"9"'))
    talk.say("GET", "/products", answer=[{"id": 4, "name": "Tea"}], said=said)
    talk.say("GET", "/products/4", answer={}, headers=(("Cookie", "sid=4"),))
    talk.say("GET", "/products", answer=[], headers=(("If-None-Match", '"9"'),))
    talk.say("POST", "/orders", {"product_id": 4}, answer={"id": 5})
    talk.say("GET", "/orders/5", answer={"id": 5})
    assert [(link.consumer, link.sink.part, link.was_there) for link in talk.links()] == [
        ("x1", "path", True),
        ("x1", "cookie", False),
        ("x2", "header", False),
        ("x3", "body", True),
        ("x4", "path", False),
    ]


def test_every_place_of_the_same_answer_is_an_alternative() -> None:
    talk = Talk()
    said = (("Location", f"/orders/{UUID}"),)
    talk.say("POST", "/orders", answer={"id": UUID, "self": f"/orders/{UUID}"}, status=201, said=said)
    talk.say("GET", f"/orders/{UUID}")
    links = talk.links()
    (link,) = links
    assert link.source == Place("body", "$.id")
    assert [str(other.source) for other in links.alternatives(link)] == [
        "header location → url:path:1",
        "body $.self → url:path:1",
    ]
    assert links.producers == {"x0"}
