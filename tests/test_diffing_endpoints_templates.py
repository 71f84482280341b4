"""Endpoint templates: names stay, values become placeholders."""

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.diffing.endpoints.templates import Templates, is_value, path_of
from support.calls import Wire, consumed, grpc, publish, redis, sql, state
from support.captures import an_exchange
from support.traffic import Call, Turn, exchange


def asked(target: str, body: bytes = b"{}", **changes: object) -> Exchange:
    response = Response(200, Headers([("content-type", "application/json")]), body)
    fields: dict[str, object] = {"request": Request("GET", target, Headers()), "response": response, **changes}
    return an_exchange(**fields)


def endpoints(targets: Iterable[str]) -> list[str]:
    exchanges = [asked(target) for target in targets]
    templates = Templates.learn(exchanges)
    return sorted({templates.endpoint(one) for one in exchanges})


def test_numbers_uuids_and_dates_become_ids() -> None:
    targets = ("/orders/17", "/orders/6f9619ff-8b86-4011-b42d-00c04fc964ff/lines/2", "/days/2026-11-01?x=1")
    assert endpoints(targets) == ["GET /days/{id}", "GET /orders/{id}", "GET /orders/{id}/lines/{id}"]


def test_two_names_at_one_place_stay_names() -> None:
    assert endpoints(["/health", "/search", "/orders"]) == ["GET /health", "GET /orders", "GET /search"]


def test_more_siblings_than_names_can_be_become_ids() -> None:
    cities = [f"/weather/{chr(97 + n)}{chr(97 + n)}city" for n in range(26)]
    assert endpoints([*cities, "/health"]) == ["GET /health", "GET /weather/{id}"]


def test_a_value_that_answers_echo_takes_the_name_of_its_field() -> None:
    exchanges = [asked(f"/stock/{sku}", b'{"sku": "%s"}' % sku.encode()) for sku in ("tea-assam", "pot-iron")]
    templates = Templates.learn([*exchanges, asked("/health", b'{"status": "ok"}')])
    assert {templates.endpoint(one) for one in exchanges} == {"GET /stock/{sku}"}
    assert templates.split("", "/stock/tea-assam?x=1") == ("/stock/{sku}", (("sku", "tea-assam"),))
    assert templates.endpoint(asked("/health")) == "GET /health"


def test_one_echo_is_no_evidence() -> None:
    exchanges = [asked("/status/ready", b'{"state": "ready"}'), asked("/status/live", b'{"up": true}')]
    templates = Templates.learn(exchanges)
    assert templates.endpoint(exchanges[0]) == "GET /status/ready"


def test_downstreams_have_paths_of_their_own() -> None:
    inside = [
        asked(f"/stock/{sku}", b'{"sku":"%s"}' % sku.encode(), role=Role.OUTBOUND, service="inventory")
        for sku in ("aa", "bb")
    ]
    outside = asked("/stock/aa")
    templates = Templates.learn([*inside, outside])
    assert templates.endpoint(inside[0]) == "GET /stock/{sku}"
    assert templates.endpoint(outside) == "GET /stock/aa"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a/b?c=d", "/a/b"),
        ("http://shop:80/a?b", "/a"),
        ("http://shop", "/"),
        ("*", "*"),
        ("/a#b", "/a"),
        ("", ""),
    ],
)
def test_paths_of_targets(target: str, expected: str) -> None:
    assert path_of(target) == expected


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("17", True),
        ("ORD-2026-001", True),
        ("a1b2c3d4e5f60718", True),
        ("ada%40shop.example", True),
        ("x" * 300, True),
        ("v1", False),
        ("oauth2", False),
        ("healthz", False),
        ("tea-assam", False),
        ("", False),
    ],
)
def test_values_by_their_own_shape(segment: str, expected: bool) -> None:
    assert is_value(segment) is expected


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_target_has_an_endpoint(targets: list[str]) -> None:
    for name in endpoints(targets):
        assert name.startswith("GET ")


def test_a_path_without_end_is_cut() -> None:
    assert endpoints(["/a" * 100])[0].endswith("/…")


def test_a_target_that_is_no_text_has_an_endpoint_too() -> None:
    """A lone surrogate, as a damaged capture may hold one, ended the whole comparison."""
    assert endpoints(["/a/\udcff", "/a/\ud800x"]) == ["GET /a/\ud800x", "GET /a/\udcff"]


# name: call, its endpoint
OTHERS: list[tuple[str, Call, str]] = [
    ("SQL", sql("SELECT a FROM x WHERE b = 5 LIMIT 20"), "SELECT a FROM x WHERE b = $1 LIMIT $2"),
    ("a long text", sql("SELECT " + "a, " * 200 + "b FROM x"), f"SELECT {'a, ' * 97}a,"),
    ("Redis", redis("HGET", "user:17:cart", "user:17:cart", "x"), "HGET user:{id}:cart"),
    ("no key", redis("DBSIZE", ""), "DBSIZE"),
    ("an event", publish("orders.created", {}), "publish orders.created"),
    ("a value in a subject", publish("orders.4711.created", {}), "publish orders.{id}.created"),
    ("an AMQP queue", publish("shop/amq.gen-JzTY20BRgKO-HjmUJj0wLg", {}), "publish shop/amq.{id}"),
    ("gRPC", grpc("shop.Cart/Add", b""), "shop.Cart/Add"),
]


@pytest.mark.parametrize(("call", "endpoint"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS])
def test_what_other_protocols_ask(call: Call, endpoint: str) -> None:
    one = call.exchange(exchange(Turn(), 0, "a"), 0)
    assert Templates.learn([one]).endpoint(one).startswith(endpoint)


def test_a_consumed_message_and_a_state_are_endpoints() -> None:
    inbound = exchange(consumed("orders.created", {}), 0, "a")
    assert Templates.learn([inbound]).endpoint(inbound) == "consume orders.created"
    left = state("orders", [])
    assert Templates.learn([left]).endpoint(left) == "orders"


def test_one_fingerprint_has_one_spelling_on_both_sides() -> None:
    texts = ["SELECT a FROM x WHERE b IN (1, 2)", "select a from x where b in (1)"]
    calls = [sql(text).exchange(exchange(Turn(), 0, "a"), place) for place, text in enumerate(texts)]
    templates = Templates.learn(calls)
    assert {templates.endpoint(one) for one in calls} == {"SELECT a FROM x WHERE b IN (…)"}
    assert Templates.learn(calls[::-1]).endpoint(calls[1]) == "SELECT a FROM x WHERE b IN (…)"


@given(st.lists(st.text(max_size=30), max_size=6), st.sampled_from(["redis", "postgres", "kafka", "grpc", "tcp"]))
def test_any_call_has_an_endpoint(targets: list[str], protocol: str) -> None:
    parent = exchange(Turn(), 0, "a")
    calls = [
        Wire("x", "GET", target, protocol=protocol, operation=target).exchange(parent, place)
        for place, target in enumerate(targets)
    ]
    templates = Templates.learn(calls)
    for one in calls:
        assert isinstance(templates.endpoint(one), str)


def listed(*answers: tuple[str, object]) -> list[str]:
    """The endpoints of paths with what each answered."""
    exchanges = [asked(target, json.dumps(body).encode()) for target, body in answers]
    templates = Templates.learn(exchanges)
    return sorted({templates.endpoint(one) for one in exchanges})


USER = {"name": "x", "age": 1}
ORDER = {"total": 1, "items": []}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([("/users/alice", USER), ("/users/bob", USER)], ["GET /users/{id}"]),
        ([("/buckets/ada", {"data": USER}), ("/buckets/bob", {"data": USER})], ["GET /buckets/{id}"]),
        (
            [("/users/alice/orders", [ORDER]), ("/users/bob/orders", [ORDER]), ("/users/alice", USER), ("/users/bob", USER)],
            ["GET /users/{id}", "GET /users/{id}/orders"],
        ),
        ([("/orders/17", ORDER), ("/orders/search", {"hits": 1, "items": []})], ["GET /orders/search", "GET /orders/{id}"]),
        ([("/orders/17", ORDER), ("/orders/gold", ORDER)], ["GET /orders/{id}"]),
        ([("/users/17", USER), ("/users/me", USER)], ["GET /users/me", "GET /users/{id}"]),
        ([("/orders/ord-17", {}), ("/orders/ord-18", {})], ["GET /orders/{id}"]),
        ([("/api/v1/a", USER), ("/api/v2/a", USER)], ["GET /api/v1/a", "GET /api/v2/a"]),
        ([("/health/live", {"status": "ok"}), ("/health/ready", {"status": "ok"})], ["GET /health/live", "GET /health/ready"]),
        ([("/alpha", USER), ("/beta", USER), ("/gamma", USER)], ["GET /alpha", "GET /beta", "GET /gamma"]),
        ([("/orders/17/refund", ORDER), ("/orders/17/invoice", ORDER)], ["GET /orders/{id}/invoice", "GET /orders/{id}/refund"]),
        ([("/users/alice", USER), ("/users/roles", ORDER)], ["GET /users/alice", "GET /users/roles"]),
        ([("/weather/paris", USER), ("/weather/rome", USER), ("/weather/oslo", USER)], ["GET /weather/{id}"]),
        ([("/people/ada%20l", {}), ("/people/M%C3%BCller", {})], ["GET /people/{id}"]),
    ],
)  # fmt: skip
def test_few_siblings_are_values_where_they_answer_alike(
    answers: list[tuple[str, object]], expected: list[str]
) -> None:
    assert listed(*answers) == expected


def test_a_name_that_nobody_has_is_a_value_like_the_others() -> None:
    missing = asked("/users/nobody", response=Response(404, Headers(), b'{"error": "no such user"}'))
    known = [asked(f"/users/{name}", json.dumps(USER).encode()) for name in ("alice", "bob")]
    templates = Templates.learn([*known, missing])
    assert templates.endpoint(missing) == "GET /users/{id}"
    alone = Templates.learn([missing])
    assert alone.endpoint(missing) == "GET /users/nobody"


def test_a_side_whose_answers_changed_does_not_split_an_endpoint() -> None:
    old = [asked(f"/users/{name}", b'{"name": "x", "age": 1}') for name in ("alice", "bob")]
    new = [asked(f"/users/{name}", b'{"name": "x", "years": 1}') for name in ("alice", "bob")]
    templates = Templates.learn([*old, *new])
    assert {templates.endpoint(one) for one in (*old, *new)} == {"GET /users/{id}"}


def test_the_recorded_document_knows_best() -> None:
    document = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://x/api"}],
        "paths": {"/teams/{team}": {}, "/teams/all": {}},
    }
    one, other = asked("/api/teams/red"), asked("/api/teams/all")
    templates = Templates.learn([asked("/openapi.json", json.dumps(document).encode()), one, other])
    assert (templates.endpoint(one), templates.endpoint(other)) == ("GET /api/teams/{team}", "GET /api/teams/all")
    assert templates.split("", "/api/teams/blue%20sky")[1] == (("team", "blue sky"),)


def test_a_word_of_routes_stays_among_many_values() -> None:
    cities = [f"/weather/{chr(97 + n)}{chr(97 + n)}city" for n in range(26)]
    assert endpoints([*cities, "/weather/search"]) == ["GET /weather/search", "GET /weather/{id}"]


def keys(*texts: str, times: int = 1, paths: tuple[str, ...] = ()) -> list[str]:
    """The templates of Redis keys, each asked for `times`, beside what `paths` answer."""
    parent = exchange(Turn(), 0, "a")
    calls = [redis("GET", text, text).exchange(parent, place) for place, text in enumerate([*texts] * times)]
    pages = [asked(path, json.dumps({"sku": path.rsplit("/", 1)[-1], "n": 1}).encode()) for path in paths]
    templates = Templates.learn([*calls, *pages])
    return sorted({templates.key_template(one) for one in calls})


def test_a_small_catalogue_asked_for_often_has_one_key_template() -> None:
    prices = [f"price:{name}" for name in ("tea", "pot", "cup", "honey", "whisk")]
    assert keys(*prices, times=100) == ["price:{id}"]
    assert keys("config:limits", "config:features") == ["config:features", "config:limits"]


def test_what_is_a_value_in_a_path_is_one_in_a_key() -> None:
    assert keys("price:tea", "price:pot", "lock:orders", paths=("/products/tea", "/products/pot")) == [
        "lock:orders",
        "price:{id}",
    ]
