"""Conversations of many kinds, and which values of them are links."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark import valuelinks
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.replay.values.links import ValueLinks, find_links
from seamline.replay.values.place import Place
from seamline.replay.values.read import value_at
from support.talk import Talk, shown

UUID = "4f7c2f0e-91b5-4c1d-8e0a-2b6a1c9d3e55"
OTHER = "b0c7d1d2-3a5f-4b7e-9c11-0d9e8f7a6b5c"


def test_a_corpus_of_known_truth() -> None:
    whole = valuelinks.Score()
    for _, found, _ in valuelinks.trials([3], 60):
        whole += found
    assert whole.wrong == []
    assert whole.precision >= 0.999
    assert whole.recall >= 0.99, whole.missing[:5]
    assert whole.underivable > 50
    assert whole.right.total() > 2_000


def test_pseudonyms_keep_every_link() -> None:
    sanitizer = Sanitizer(b"k" * 32)
    for shape in valuelinks.SHAPES[:2]:
        recorded = valuelinks.conversation(shape, sessions=25, seed=5, server_seed=0).exchanges
        cleaned = [sanitizer.clean(each) for each in recorded]
        assert cleaned != recorded
        assert _ends(find_links(cleaned)) == _ends(find_links(recorded))


def _ends(links: ValueLinks) -> list[tuple[str, Place, str, Place]]:
    return [(link.producer, link.source, link.consumer, link.sink) for link in links]


def test_a_small_id_of_a_created_order() -> None:
    talk = Talk()
    talk.say("POST", "/orders", {"quantity": 7}, answer={"id": 7, "quantity": 3}, status=201)
    talk.say("GET", "/orders/7", answer={"id": 7})
    talk.say("POST", "/orders/7/cancel", answer={})
    assert shown(talk.links()) == ["x0 body $.id -> x1 path 1", "x0 body $.id -> x2 path 1"]


def test_small_numbers_that_are_equal_by_chance() -> None:
    talk = Talk()
    talk.say("POST", "/orders", answer={"id": 7}, status=201)
    talk.say("GET", "/products/7?page=7&limit=7", answer={})
    talk.say("POST", "/reviews", {"stars": 7, "product_id": 7}, answer={"id": 9})
    links = talk.links()
    assert len(links) == 0
    assert {(each.consumer, each.sink.path) for each in links.ambiguous} == {("x1", "1")}


def test_the_location_of_what_was_made() -> None:
    talk = Talk()
    talk.say("POST", "/things", status=201, said=(("Location", "https://shop.test/things/12"),))
    talk.say("GET", "/things/12", answer={})
    assert shown(talk.links()) == ["x0 header location → url:path:1 -> x1 path 1"]


def test_an_action_in_a_link_is_no_value() -> None:
    talk = Talk()
    talk.say("GET", "/notes/new", html='<form action="/notes/drafts/share"><a href="/help/contact">?</a></form>')
    talk.say("POST", "/notes/drafts/share", answer={})
    talk.say("GET", "/help/contact", answer={})
    assert len(talk.links()) == 0


def test_a_bearer_of_a_login_on_another_session() -> None:
    talk = Talk()
    talk.say("POST", "/login", {"user": "ada"}, answer={"access_token": "q8Zk2LmN5vR7tX9w"}, session="c1")
    talk.say("GET", "/me", answer={}, session="s1", headers=(("Authorization", "Bearer q8Zk2LmN5vR7tX9w"),))
    assert shown(talk.links()) == ["x0 body $.access_token -> x1 header authorization → bearer"]


def test_a_weak_token_is_known_by_its_name() -> None:
    talk = Talk()
    talk.say("POST", "/login", {"user": "ada"}, answer={"token": "tok-7"}, session="c1")
    talk.say("GET", "/me", answer={}, session="s1", headers=(("Authorization", "Token tok-7"),))
    assert shown(talk.links()) == ["x0 body $.token -> x1 header authorization → scheme:Token"]


def test_cookies_of_whatever_value() -> None:
    talk = Talk()
    talk.say("GET", "/", said=(("Set-Cookie", "sid=s%3Aq8Zk2LmN5v.7tX9w; Path=/"), ("Set-Cookie", "cart=4; Path=/")))
    talk.say("GET", "/cart", headers=(("Cookie", "lang=en; sid=s%3Aq8Zk2LmN5v.7tX9w; cart=4"),))
    assert shown(talk.links()) == ["x0 set-cookie sid -> x1 cookie sid", "x0 set-cookie cart -> x1 cookie cart"]


def test_a_csrf_cookie_sent_back_as_a_header() -> None:
    talk = Talk()
    talk.say("GET", "/", said=(("Set-Cookie", "XSRF-TOKEN=eyJpdiI6ImFiYyJ9%3D; Path=/"),))
    cookie = (("Cookie", "XSRF-TOKEN=eyJpdiI6ImFiYyJ9%3D"), ("X-XSRF-TOKEN", "eyJpdiI6ImFiYyJ9="))
    talk.say("POST", "/save", {"a": 1}, headers=cookie)
    assert shown(talk.links()) == [
        "x0 set-cookie XSRF-TOKEN -> x1 cookie XSRF-TOKEN",
        "x0 set-cookie XSRF-TOKEN → percent -> x1 header x-xsrf-token",
    ]


def test_a_form_with_a_hidden_csrf_token() -> None:
    talk = Talk()
    page = '<form method=post><input type="hidden" name="_csrf" value="a1b2&amp;c3d4e5f6g7"><input name=title></form>'
    talk.say("GET", "/posts/new", html=page)
    talk.say("POST", "/posts", form="title=Hello&_csrf=a1b2%26c3d4e5f6g7")
    assert shown(talk.links()) == ["x0 body markup:input[_csrf]@value#0 -> x1 body form:_csrf#0"]


def test_boxes_that_are_ticked_and_numbers_that_are_typed() -> None:
    talk = Talk()
    page = '<input type="checkbox" name="_selected" value="3"><select name="team"><option value="4">R</option></select>'
    talk.say("GET", "/admin/groups", html=f'<form>{page}<input name="rank" value="7"></form>')
    talk.say("POST", "/admin/groups", form="_selected=3&team=4&rank=7&action=delete")
    talk.say("POST", "/admin/groups", form="_selected=3&team=4", session="another")
    assert shown(talk.links()) == [
        "x0 body markup:input[_selected]@value#0 -> x1 body form:_selected#0",
        "x0 body markup:option[]@value#0 -> x1 body form:team#0",
    ]


def test_a_meta_tag_and_a_variable_of_a_script() -> None:
    talk = Talk()
    page = '<meta name="csrf-token" content="Zx81bQ=="><script>window.nonce = "n0nceValue77aa";</script>'
    talk.say("GET", "/", html=page)
    talk.say("POST", "/a", headers=(("X-CSRF-Token", "Zx81bQ=="), ("X-Nonce", "n0nceValue77aa")))
    assert shown(talk.links()) == [
        "x0 body markup:meta[csrf-token]@content#0 -> x1 header x-csrf-token",
        "x0 body markup:script:nonce#0 -> x1 header x-nonce",
    ]


def test_pages_by_cursors() -> None:
    cursor = base64.b64encode(json.dumps({"after": 17}).encode()).decode()
    quoted = cursor.replace("=", "%3D")
    talk = Talk()
    talk.say("GET", "/events", answer={"events": [], "next_cursor": cursor})
    talk.say(
        "GET", f"/events?cursor={quoted}", answer={"events": [], "paging": {"next": "/events?cursor=bGFzdA12xyz0"}}
    )
    talk.say("GET", "/events?cursor=bGFzdA12xyz0", answer={"events": []})
    assert shown(talk.links()) == [
        "x0 body $.next_cursor -> x1 query cursor#0",
        "x1 body $.paging.next → url:query:cursor#0 -> x2 query cursor#0",
    ]


def test_a_cursor_that_the_client_makes_of_an_id() -> None:
    made = base64.urlsafe_b64encode(json.dumps({"id": UUID, "dir": "next"}).encode()).decode().rstrip("=")
    talk = Talk()
    talk.say("GET", "/events", answer=[{"id": OTHER}, {"id": UUID}])
    talk.say("GET", f"/events?after={made}", answer=[])
    assert shown(talk.links()) == [
        f'x0 body $[1|.id="{UUID}"].id -> x1 query after#0 → base64:bare → json:$.id',
    ]


def test_nested_resources() -> None:
    talk = Talk()
    talk.say("POST", "/carts", answer={"id": 3, "items": []}, status=201)
    talk.say("POST", "/carts/3/items", {"sku": "MUG"}, answer={"id": 3, "items": [{"id": 5, "sku": "MUG"}]}, status=201)
    talk.say("PATCH", "/carts/3/items/5", {"quantity": 3}, answer={"id": 3})
    talk.say("DELETE", "/carts/3/items/5", answer={})
    links = talk.links()
    assert shown(links)[1:3] == [
        "x0 body $.id -> x2 path 1",
        'x1 body $.items[0|.sku="MUG"|.id="5"].id -> x2 path 3',
    ]
    assert [link.producer for link in links.of("x3")] == ["x0", "x1"]


def test_uuids_wherever_they_stand() -> None:
    talk = Talk()
    talk.say("POST", "/checkout", answer={"result": {"reference": UUID}})
    talk.say("GET", f"/receipts/{UUID}.pdf")
    talk.say("POST", "/complaints", {"about": {"receipt": UUID}, "text": f"see {UUID} please"})
    assert shown(talk.links()) == [
        "x0 body $.result.reference -> x1 path 1 → split:.:0",
        "x0 body $.result.reference -> x2 body $.text → split: :1",
        "x0 body $.result.reference -> x2 body $.about.receipt",
    ]


def test_slugs() -> None:
    talk = Talk()
    made = {"article": {"slug": "how-to-train-your-dragon", "title": "How to train your dragon"}}
    talk.say("POST", "/articles", {"article": {"title": "How to train your dragon"}}, answer=made, status=201)
    talk.say("GET", "/articles/how-to-train-your-dragon", answer=made)
    talk.say("GET", "/articles/how-to-train-your-dragon/comments", answer={"comments": []})
    assert shown(talk.links()) == ["x0 body $.article.slug -> x1 path 1", "x0 body $.article.slug -> x2 path 1"]


def test_graphql_variables() -> None:
    talk = Talk()
    talk.say(
        "POST",
        "/graphql",
        {"operationName": "CreateOrder", "query": "mutation CreateOrder { createOrder { order { id } } }"},
        answer={"data": {"createOrder": {"order": {"id": "7", "total": 7}}}},
    )
    asked = {"operationName": "GetOrder", "query": "query GetOrder($id: ID!) { order(id: $id) { id } }"}
    talk.say("POST", "/graphql", {**asked, "variables": {"id": "7", "first": 7}}, answer={"data": {}})
    talk.say("POST", "/graphql", {"query": "query { a }", "variables": {"orderId": "7"}}, answer={"data": {}})
    assert shown(talk.links()) == [
        "x0 body $.data.createOrder.order.id -> x1 body $.variables.id",
        "x0 body $.data.createOrder.order.id -> x2 body $.variables.orderId",
    ]


def test_entity_tags_are_of_one_resource() -> None:
    talk = Talk()
    talk.say("GET", "/a", answer=[], said=(("ETag", '"1"'),))
    talk.say("GET", "/b", answer=[], said=(("ETag", '"1"'), ("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")))
    talk.say("GET", "/b", headers=(("If-None-Match", '"1"'),), status=304)
    talk.say("GET", "/b", headers=(("If-Modified-Since", "Mon, 02 Nov 2026 10:00:00 GMT"),), status=304)
    talk.say("PUT", "/c", {}, headers=(("If-Match", '"1"'),), status=412)
    assert shown(talk.links()) == [
        "x1 header etag -> x2 header if-none-match",
        "x1 header last-modified -> x3 header if-modified-since",
    ]


def test_the_tag_of_what_was_made() -> None:
    talk = Talk()
    said = (("Location", "/docs/5"), ("ETag", 'W/"3"'))
    talk.say("POST", "/docs", {}, status=201, said=said, answer={"id": 5})
    talk.say("PUT", "/docs/5", {}, headers=(("If-Match", 'W/"3", "zzz"'),))
    assert shown(talk.links()) == [
        "x0 body $.id -> x1 path 1",
        "x0 header etag -> x1 header if-match → split:,:0",
    ]


def test_claims_of_a_token() -> None:
    claims = base64.urlsafe_b64encode(b'{"sub":"17","role":"user"}').decode().rstrip("=")
    token = f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"
    talk = Talk()
    talk.say("POST", "/login", {}, answer={"token": token}, session="c")
    talk.say("GET", "/users/17", headers=(("Authorization", f"Bearer {token}"),), session="s")
    assert shown(talk.links()) == [
        "x0 body $.token → jwt:claims:$.sub -> x1 path 1",
        "x0 body $.token -> x1 header authorization → bearer",
    ]


def test_json_in_strings_both_ways() -> None:
    talk = Talk()
    talk.say("GET", "/state", answer={"state": json.dumps({"cart": {"id": "c9x8y7z6w5"}})})
    talk.say("POST", "/events", {"payload": json.dumps({"kind": "view", "cart": "c9x8y7z6w5"})})
    assert shown(talk.links()) == [
        "x0 body $.state → json:$.cart.id -> x1 body $.payload → json:$.cart",
    ]


def test_an_id_of_another_clients_making_in_a_body() -> None:
    talk = Talk()
    talk.say("POST", "/api/teams", {"name": "red"}, answer={"team": {"id": 12, "name": "red"}}, session="admin")
    talk.say("POST", "/api/members", {"teamId": 12, "age": 12}, answer={"id": 1}, session="user")
    assert shown(talk.links()) == ["x0 body $.team.id -> x1 body $.teamId"]


def test_a_kind_beside_an_id_is_no_other_thing() -> None:
    talk = Talk()
    talk.say("POST", "/gifts", {}, answer={"data": {"id": 12, "kind": "voucher"}}, status=201)
    talk.say("POST", "/batch", {"requests": [{"path": "/gifts/12/open"}, {"voucherId": 12}]}, answer={})
    assert shown(talk.links()) == [
        "x0 body $.data.id -> x1 body $.requests[0].path → url:path:1",
        "x0 body $.data.id -> x1 body $.requests[1].voucherId",
    ]


def test_a_list_and_a_pick_of_it() -> None:
    talk = Talk()
    talk.say("GET", "/products", answer={"items": [{"id": 4, "name": "Tea"}, {"id": 5, "name": "Cup"}], "total": 5})
    talk.say("GET", "/products/5", answer={})
    talk.say("POST", "/cart", {"lines": [{"product_id": 4, "quantity": 5}]}, answer={})
    assert shown(talk.links()) == [
        'x0 body $.items[1|.name="Cup"|.id="5"].id -> x1 path 1',
        'x0 body $.items[0|.name="Tea"|.id="4"].id -> x2 body $.lines[0].product_id',
    ]


def test_words_are_no_values() -> None:
    talk = Talk()
    talk.say(
        "GET", "/orders", answer=[{"status": "shipped", "region": "us-east-1", "day": "2026-11-24", "p": "express"}]
    )
    talk.say("GET", "/orders?status=shipped&region=us-east-1&day=2026-11-24&via=express", answer=[])
    assert len(talk.links()) == 0


def test_times_and_amounts_are_no_values() -> None:
    talk = Talk()
    talk.say("GET", "/a", answer={"at": 1795000012, "ms": 1795000012345, "total": 129900, "rate": 1.25}, session="one")
    talk.say("POST", "/b", {"at": 1795000012, "ms": 1795000012345, "total": 129900, "rate": 1.25}, session="two")
    assert len(talk.links()) == 0


@pytest.mark.parametrize(
    "values", [["a" * 9000], ["{" * 2000], ["%" * 3000], ["/" * 3000], ["a.b" * 900], ["<" * 5000]]
)
def test_odd_requests_are_read_within_bounds(values: list[str]) -> None:
    talk = Talk()
    talk.say("POST", "/a", {"v": values}, answer={"v": values})
    talk.say("POST", f"/a?x={values[0]}", {"v": values}, answer={"v": values}, headers=(("X-Odd", values[0]),))
    assert len(talk.links()) == 0


ODD = (
    st.text(max_size=30)
    | st.text(alphabet="0123456789²٣", max_size=12)
    | st.sampled_from(["1" + "2" * 6000, "%FF", "\ud800"])
)
BODIES = st.recursive(
    ODD | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner)
)


@settings(max_examples=40)
@given(st.lists(st.tuples(BODIES, BODIES, ODD, ODD), min_size=2, max_size=4))
def test_whatever_is_said_nothing_breaks(said: list[tuple[object, object, str, str]]) -> None:
    talk = Talk()
    for body, answer, name, value in said:
        talk.say("POST", f"/{name}/{value}?{name}={value}", body, answer=answer, said=((name, value),))
        talk.say("POST", "/f", form=f"{name}={value}".encode("utf-8", "replace").decode(), html=f"<a {name}='{value}'>{value}"
                 .encode("utf-8", "replace").decode(), headers=((name, value), ("Cookie", f"{name}={value}")))  # fmt: skip
    by_id = {each.id: each for each in talk.exchanges}
    for link in talk.links():
        assert value_at(link.sink, by_id[link.consumer].request) == link.value
        response = by_id[link.producer].response
        assert response is not None
        assert value_at(link.source, response) == link.value
