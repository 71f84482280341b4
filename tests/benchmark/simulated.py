"""A simulated service for the judge: every kind of noise of mutations.md part B, and changes inside and beside it.

A run is drawn from its own seed, as a process would: what is constant within a process, what each call draws anew, and
what depends on who came first. The same seed gives the same run. A change is a function of the candidate's turn.
"""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from seamline.diffing.rounds import Run
from support.calls import redis, sql
from support.traffic import JSON, START_US, Call, Turn, a_run

PHRASES = ("Welcome back", "Good to see you", "Hello again", "Nice day for a parcel", "Your basket misses you")
PAID, ALPHABET = ("PAID", "SHIPPED", "OPEN"), "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789_-"


@dataclass
class Scene:
    """One request of one run: `call` draws anew for each call, `process` is the same within a run, `fixed` the same in
    every run; `cache` is shared by the run's requests, `at` the request's start."""

    number: int
    call: random.Random
    process: random.Random
    fixed: random.Random
    cache: set[str]
    at: datetime


Change = Callable[[Scene, Turn], Turn]


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def soon(scene: Scene, later: timedelta = timedelta(0)) -> datetime:
    return scene.at + timedelta(milliseconds=scene.call.uniform(1, 40)) + later


def shuffled(rng: random.Random, items: list[Any]) -> list[Any]:
    return rng.sample(items, len(items))


def product(number: int) -> dict[str, Any]:
    return {"sku": f"p{number}", "title": f"Product {number}", "price": 10 + number * 7 % 90}


def concurrent_log(scene: Scene) -> list[dict[str, Any]]:
    """`start` first and `end` last, what happens between in any order."""
    middle = shuffled(scene.call, ["stock", "price", "tax", "risk"])
    return [{"step": step, "at": iso(soon(scene))} for step in ("start", *middle, "end")]


def order(scene: Scene) -> Turn:
    """GET /orders/{id}: a stored order among ids, times, shuffles, and values that come and go."""
    call, fixed, number = scene.call, scene.fixed, scene.number
    prices = [round(fixed.uniform(1, 90), 2) for _ in range(6)]
    body = {
        "id": 1000 + number,
        "status": fixed.choice(PAID),
        "qty": fixed.randrange(1, 9),
        "total": round(sum(prices), 2),
        "tax": round(sum(prices) * 0.19, 2),
        "weight": sum(shuffled(call, prices)) / 7,
        "score": fixed.uniform(1, 100) * (1 + call.uniform(-1e-9, 1e-9)),
        "tags": shuffled(call, ["new", "gift", "bulk", "eco"]),
        "items": shuffled(call, [product(number + place) | {"qty": place + 1} for place in range(4)]),
        "lines": [product(number + place) for place in range(5)],
        "log": concurrent_log(scene),
        "trace": str(uuid.UUID(int=call.getrandbits(128), version=4)),
        "short": "".join(call.choices(ALPHABET, k=21)),
        "created_at": iso(soon(scene)),
        "expires_at": int(soon(scene, timedelta(hours=1)).timestamp()),
        "took_ms": round(call.lognormvariate(2, 0.6), 3),
        "load": round(0.42 * (1 + call.uniform(-0.002, 0.002)), 6),
        "pod": "orders-" + "".join(scene.process.choices("bcdfghjklm0123456789", k=10)),
        "pid": scene.process.randrange(300, 32000),
        "bucket": "B" if call.random() < 0.01 else "A",
        "variant": "blue" if call.random() < 0.002 else "red",
        "coin": call.choice(["heads", "tails"]),
        "greeting": f"{call.choice(PHRASES)}, customer {number}",
        "debug": f"obj at 0x{call.getrandbits(48):012x} in goroutine {call.randrange(9000)}",
        "sequence": scene.process.randrange(10_000, 20_000) + number * 3,
    }
    if call.random() < 0.3:
        body["hint"] = "buy two"
    if call.random() < 0.01:
        body["warning"] = "slow"
    return Turn(target=f"/orders/{1000 + number}", body=body, headers=noisy_headers(scene))


def noisy_headers(scene: Scene) -> tuple[tuple[str, str], ...]:
    token = f"{scene.call.getrandbits(128):032x}"
    return (
        JSON,
        ("ETag", f'"{token[:16]}"'),
        ("X-Request-Id", token),
        ("Set-Cookie", f"sid={token}; Path=/; HttpOnly; Secure"),
        ("X-Served-By", "cache-" + "".join(scene.process.choices("bcdf0123456789", k=6))),
    )


def listing(scene: Scene) -> Turn:
    """GET /products: a page, drawn recommendations, and a cache that is warm or cold by who came first."""
    number, call = scene.number, scene.call
    key = f"page:{number % 6}"
    warm = key in scene.cache or call.random() < 0.1
    scene.cache.add(key)
    calls: list[Call] = [redis("GET", key, answer="x" if warm else None, at=50)]
    if not warm:
        calls.append(sql("SELECT * FROM products WHERE page = $1", number % 6, at=100))
    body = {
        "items": [product(place) for place in range(number % 6 * 5, number % 6 * 5 + 5)],
        "recommended": [product(pick) for pick in call.sample(range(40), 4)],
        "seen": call.sample(range(500), call.randrange(3, 7)),
    }
    return Turn(target=f"/products?page={number % 6}", body=body, calls=calls)


def create(scene: Scene) -> Turn:
    """POST /orders: writes, calls of which one is tried again now and then, in an order that threads decide."""
    number, call = scene.number, scene.call
    own = str(uuid.UUID(int=call.getrandbits(128), version=4))
    stock = [Call("stock", "GET", f"/stock/p{number + place}", answer={"left": 5}) for place in range(3)]
    for place, each in enumerate(shuffled(call, stock)):
        each.at_us = 100 + place * 7
    if call.random() < 0.02:
        stock[0] = replace(stock[0], status=503)
        stock.append(replace(stock[0], status=200, at_us=160))
    amount = 100 + number * 3
    calls: list[Call] = [
        *stock,
        Call("pay", "POST", "/payments", body={"order": own, "amount": amount}, at_us=300, answer={"ok": True}),
        sql("INSERT INTO orders (id, amount) VALUES ($1, $2)", own, amount, at=500),
    ]
    body = {"id": own, "amount": amount, "eta": iso(soon(scene, timedelta(days=2)))}
    status = 503 if call.random() < 0.003 else 201
    return Turn(
        "POST",
        "/orders",
        body if status == 201 else {"error": "try again"},
        status=status,
        headers=(JSON, ("Location", f"/orders/{own}")) if status == 201 else (JSON,),
        sent={"sku": f"p{number}", "qty": 1},
        calls=calls,
    )


def turn(scene: Scene) -> Turn:
    """The turn of a request: which endpoint is asked depends on its number alone."""
    return (order, order, listing, create)[scene.number % 4](scene)


def simulate(name: str, seed: str, count: int, change: Change | None = None) -> Run:
    """The run `name` of `count` requests; two runs of one `seed` are two processes asked the same."""
    cache: set[str] = set()
    turns: list[Turn] = []
    for number in range(count):
        scene = Scene(
            number,
            random.Random(f"{seed}/{name}/{number}"),
            random.Random(f"{seed}/{name}"),
            random.Random(f"{seed}/fixed/{number}"),
            cache,
            datetime.fromtimestamp((START_US + number * 100_000) / 1e6, UTC),
        )
        made = turn(scene)
        turns.append(change(scene, made) if change else made)
    return a_run(turns, name)


# The changes. Each is given to one endpoint's turns and leaves the others alone.


def at(target: str, edit: Callable[[Scene, dict[str, Any]], None], share: float = 1.0) -> Change:
    """A change of the answers' bodies at one endpoint; `share` of its requests show it, always the same ones."""

    def change(scene: Scene, made: Turn) -> Turn:
        mine = made.target.startswith(target) and made.status < 400
        if mine and random.Random(f"share/{scene.number}").random() < share:
            body = json.loads(json.dumps(made.body))
            edit(scene, body)
            made.body = body
        return made

    return change


def setting(name: str, value: Callable[[Scene, Any], Any], share: float = 1.0, target: str = "/orders/") -> Change:
    def edit(scene: Scene, body: dict[str, Any]) -> None:
        body[name] = value(scene, body.get(name))

    return at(target, edit, share)


def dropping(name: str, target: str = "/orders/") -> Change:
    return at(target, lambda _, body: body.pop(name, None))


def every(name: str, key: str, value: Callable[[Scene, Any], Any], target: str = "/orders/") -> Change:
    def edit(scene: Scene, body: dict[str, Any]) -> None:
        for item in body[name]:
            item[key] = value(scene, item[key])

    return at(target, edit)


def headers(name: str, value: Callable[[str], str | None], target: str = "/orders/") -> Change:
    def change(_scene: Scene, made: Turn) -> Turn:
        if made.target.startswith(target):
            pairs = [(key, value(text) if key == name else text) for key, text in made.headers]
            made.headers = tuple((key, text) for key, text in pairs if text is not None)
        return made

    return change


def answering(status: int, numbers: set[int]) -> Change:
    def change(scene: Scene, made: Turn) -> Turn:
        if scene.number in numbers:
            made.status, made.body = status, {"error": "broken"}
        return made

    return change


def flaky(status: int, share: float) -> Change:
    """Fails now and then, at other requests each time."""

    def change(scene: Scene, made: Turn) -> Turn:
        if made.target.startswith("/orders/") and scene.call.random() < share:
            made.status, made.body = status, {"error": "race"}
        return made

    return change


def calling(edit: Callable[[list[Call]], list[Call]], method: str = "POST") -> Change:
    def change(_scene: Scene, made: Turn) -> Turn:
        if made.method == method and made.status < 400:
            made.calls = edit(list(made.calls))
        return made

    return change


def at_zone(_scene: Scene, text: str) -> str:
    moved = datetime.fromisoformat(text).astimezone(timezone(timedelta(hours=2)))
    return moved.isoformat(timespec="milliseconds")


def end_first(_scene: Scene, log: list[Any]) -> list[Any]:
    return [log[-1], *log[:-1]]


@dataclass(frozen=True)
class Mutation:
    """A change with the place where it must be found: any of `kinds` at `path`."""

    name: str
    change: Change
    kinds: tuple[str, ...]
    path: str
    inside: bool = False


def _rows() -> list[Mutation]:
    value, shape = ("response.value_changed",), ("response.shape_changed", "response.type_changed")
    members = ("response.multiset_changed", "response.length_changed")
    moved, new = ("response.format_changed",), ("response.nondeterministic",)
    uneven = (*value, *new)
    return [
        Mutation("value", setting("status", lambda s, v: v.lower()), value, "$.status"),
        Mutation("total off by 1 cent", setting("total", lambda s, v: round(v + 0.01, 2)), value, "$.total"),
        Mutation("rounding on 5 %", setting("tax", lambda s, v: round(v + 0.01, 2), 0.05), value, "$.tax"),
        Mutation("type", setting("qty", lambda s, v: str(v)), ("response.type_changed",), "$.qty"),
        Mutation("field dropped", dropping("qty"), ("response.field_removed",), "$.qty"),
        Mutation("list reversed", setting("lines", lambda s, v: v[::-1]), ("response.order_changed",), "$.lines"),
        Mutation("500 at one input", answering(500, {5}), ("status.changed",), ""),
        Mutation("500 at three inputs", answering(500, {5, 45, 85}), ("status.changed",), ""),
        Mutation("500 in 6 % of calls", flaky(500, 0.06), ("status.changed",), ""),
        Mutation("payment in units", calling(_units), ("http.request_changed",), "$.amount"),
        Mutation("insert dropped", calling(lambda calls: calls[:-1]), ("sql.missing",), ""),
        Mutation("call repeated", calling(lambda calls: [*calls, replace(calls[-1], at_us=700)]), ("sql.extra_write", "sql.extra", "sql.count_scaling"), ""),
        Mutation("time zone", setting("created_at", at_zone), moved, "$.created_at", True),
        Mutation("seconds to ms", setting("expires_at", lambda s, v: v * 1000), moved, "$.expires_at", True),
        Mutation("expiry 15 min", setting("expires_at", lambda s, v: v - 2700), ("response.relation_changed",), "$.expires_at", True),
        Mutation("uuid to int", setting("trace", lambda s, v: 17 + s.number), shape, "$.trace", True),
        Mutation("uuid constant", setting("trace", lambda s, v: "7d444840-9dc0-41d1-b245-5ffdce74fad2"), (*value, "response.relation_broken"), "$.trace", True),
        Mutation("nanoid to counter", setting("short", lambda s, v: f"ord-{s.number}"), (*shape, *value), "$.short", True),
        Mutation("nanoid shorter", setting("short", lambda s, v: v[:12]), (*shape, *value), "$.short", True),
        Mutation("ms to s", setting("took_ms", lambda s, v: v / 1000), (*moved, *value), "$.took_ms", True),
        Mutation("negative duration", setting("took_ms", lambda s, v: -v), value, "$.took_ms", True),
        Mutation("load +10 %", setting("load", lambda s, v: round(v * 1.1, 6)), value, "$.load", True),
        Mutation("float32", setting("score", lambda s, v: _float32(v)), ("response.numeric_precision",), "$.score", True),
        Mutation("pod to address", setting("pod", lambda s, v: "10.0.0.7"), (*shape, *value), "$.pod", True),
        Mutation("new bucket", setting("coin", lambda s, v: "edge" if s.call.random() < 0.4 else v), value, "$.coin", True),
        Mutation("coin loaded", setting("coin", lambda s, v: "heads"), value, "$.coin", True),
        Mutation("coin renamed", setting("coin", lambda s, v: v.upper()), value, "$.coin", True),
        Mutation("bucket 1 % to 30 %", setting("bucket", lambda s, v: "B" if s.call.random() < 0.3 else "A"), uneven, "$.bucket", True),
        Mutation("greeting changed", setting("greeting", lambda s, v: v.replace("customer", "client")), value, "$.greeting", True),
        Mutation("debug text changed", setting("debug", lambda s, v: v.replace("in goroutine", "on thread")), value, "$.debug", True),
        Mutation("hint gone", dropping("hint"), ("response.field_removed",), "$.hint", True),
        Mutation("hint always", setting("hint", lambda s, v: "buy two"), ("response.field_added",), "$.hint", True),
        Mutation("shuffled list loses one", setting("tags", lambda s, v: sorted(v)[1:]), members, "$.tags", True),
        Mutation("qty in shuffled list", every("items", "qty", lambda s, v: v + 1), value, "$.items[*].qty", True),
        Mutation("qty of one in shuffled list", at("/orders/", _one_qty), value, "$.items[*].qty", True),
        Mutation("log ends first", setting("log", end_first), ("response.order_changed",), "$.log", True),
        Mutation("price of drawn", every("recommended", "price", lambda s, v: v * 100, "/products"), (*value, *members), "$.recommended", True),
        Mutation("type in drawn", every("recommended", "price", lambda s, v: str(v), "/products"), ("response.type_changed",), "$.recommended[*].price", True),
        Mutation("field lost in drawn", at("/products", _untitled), ("response.field_removed",), "$.recommended[*].title", True),
        Mutation("drawn loses one", setting("recommended", lambda s, v: v[1:], target="/products"), members, "$.recommended", True),
        Mutation("drawn from elsewhere", setting("recommended", lambda s, v: [product(900 + s.call.randrange(40)) for _ in v], target="/products"), (*members, *value), "$.recommended", True),
        Mutation("many seen", setting("seen", lambda s, v: [*v, *range(1000, 1030)], target="/products"), members, "$.seen", True),
        Mutation("none seen", setting("seen", lambda s, v: [], target="/products"), members, "$.seen", True),
        Mutation("new randomness", setting("qty", lambda s, v: s.call.randrange(1, 9)), new, "$.qty", True),
        Mutation("order no longer stable", setting("lines", lambda s, v: shuffled(s.call, v)), new, "$.lines", True),
        Mutation("cookie unprotected", headers("Set-Cookie", lambda v: v.replace("; HttpOnly", "")), ("header.attribute_changed",), "header.set-cookie", True),
        Mutation("etag gone", headers("ETag", lambda v: None), ("header.missing",), "header.etag", True),
        Mutation("cache bypassed", calling(_bypassed, "GET"), ("redis.missing",), "", True),
        Mutation("location of another", headers("Location", lambda v: "/orders/7d444840-9dc0-41d1-b245-5ffdce74fad2", "/orders"), ("response.relation_broken",), "header.location", True),
    ]  # fmt: skip


def _units(calls: list[Call]) -> list[Call]:
    for each in calls:
        if each.service == "pay":
            each.body = each.body | {"amount": each.body["amount"] / 100}
    return calls


def _bypassed(calls: list[Call]) -> list[Call]:
    if not calls or calls[0].service != "cache":
        return calls
    page = 1
    return [sql("SELECT * FROM products WHERE page = $1", page, at=100)]


def _float32(value: float) -> float:
    import struct

    return float(struct.unpack("f", struct.pack("f", value))[0])


def _one_qty(_scene: Scene, body: dict[str, Any]) -> None:
    min(body["items"], key=lambda item: str(item["sku"]))["qty"] += 1


def _untitled(_scene: Scene, body: dict[str, Any]) -> None:
    for item in body["recommended"]:
        del item["title"]


MUTATIONS = _rows()
