"""The rows of the detection benchmark about downstream calls, events and states, each as two rounds of thirty requests
with a second baseline: what must alarm does, at its place, and nothing else does."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from seamline.diffing.judge import Round, judge
from seamline.diffing.report.model import Report, Severity
from seamline.diffing.rounds import JudgeOptions, Run
from support.calls import (
    begin,
    cached,
    commit,
    consumed,
    framed,
    grpc,
    message,
    publish,
    put,
    redis,
    rollback,
    sql,
    state,
)
from support.traffic import Call, Turn, a_run

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Calls = Callable[[int, str], list[Call]]


def drawn(number: int, run: str) -> str:
    """An id that is new in each run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}-{number}"))


def now(number: int, run: str) -> str:
    """The time of a request, which is another in each run."""
    start = datetime(2026, 11, 1, 10, tzinfo=UTC) + timedelta(seconds=len(run) + sum(map(ord, run)) % 7)
    return (start + timedelta(milliseconds=100 * number + sum(map(ord, run)))).isoformat()


def turn(calls: Calls, number: int, run: str, method: str, **more: object) -> Turn:
    target = f"/orders/{number + 100}" if method == "GET" else "/orders"
    return Turn(method, target, body={"n": number}, calls=calls(number, run), changes=dict(more))


def judged(before: Calls, after: Calls, *, method: str = "POST", count: int = 30) -> Report:
    def run(calls: Calls, name: str) -> Run:
        return a_run([turn(calls, number, name, method) for number in range(count)], name)

    rounds = [Round(run(before, f"a{place}"), run(after, f"b{place}")) for place in range(2)]
    return judge(rounds, [run(before, "n0")], JudgeOptions(explain=False))


def told(report: Report) -> list[tuple[str, str, str]]:
    """Each finding above info as (class, path or operation, severity)."""
    return [
        (f"{one.surface.value}.{one.kind}", one.path or one.operation or "", one.severity.word)
        for one in report.findings
        if one.severity > Severity.INFO
    ]


def infos(report: Report) -> list[str]:
    return [f"{one.surface.value}.{one.kind}" for one in report.findings if one.severity is Severity.INFO]


ITEMS = "SELECT sku, qty FROM items WHERE order_id = $1"
ITEM = "SELECT sku, qty FROM items WHERE id = $1"
ORDER = "SELECT id, total FROM orders WHERE tenant_id = $1 AND id = $2"
INSERT = "INSERT INTO orders (id, total, created_at) VALUES ($1, $2, $3)"
STOCK = "SELECT qty FROM stock WHERE sku = $1"
PAGE = "SELECT id FROM orders WHERE status = $1 ORDER BY id LIMIT"
PRICE = [{"sku": "tea", "price": 300}]


def one_insert(number: int, run: str, *, total: int = 5, within: str = "") -> Call:
    return sql(INSERT, drawn(number, run), total, now(number, run), at=100, transaction=within)


def event(number: int, run: str, **more: object) -> dict[str, object]:
    return {"order": {"id": drawn(number, run), "total": 5 * number, **more}, "at": now(number, run)}


def created(number: int, run: str, *, at: int = 1_200, topic: str = "orders.created", **more: object) -> Call:
    return publish(topic, event(number, run, **more), key=f"c{number}", at=at)


def order(number: int, *, limit: int = 20, at: int = 100) -> Call:
    return sql(f"{PAGE} {limit}", "open", rows=[{"id": number}], at=at)


def cart(number: int, run: str) -> list[Call]:
    """A cache in front of a query: the first half of the requests find nothing in it."""
    key = f"user:{number // 2}:cart"
    if number % 2:
        return [cached(key, "[1]")]
    return [cached(key, None), sql(STOCK, "tea", rows=[{"qty": 3}], at=300), put(key, "[1]", "EX", "300", at=500)]


def bypass(number: int, run: str) -> list[Call]:
    return [sql(STOCK, "tea", rows=[{"qty": 3}], at=300), *cart(0 if number % 2 else number, run)[2:]]


def booked(number: int, run: str, *, early: bool = False) -> list[Call]:
    name = f"c{number}.1"
    write = sql(INSERT, drawn(number, run), 5, now(number, run), at=200, transaction=name)
    return [begin(name), write, created(number, run, at=400 if early else 1_200), commit(name)]


# row: the baseline's calls, the candidate's calls, what is told (class, place, severity)
ALARMS: list[tuple[str, Calls, Calls, list[tuple[str, str, str]]]] = [
    (
        "D01 N+1 query",
        lambda n, r: [sql(ITEMS, n, rows=[{"sku": "tea", "qty": 1}] * (n % 5 + 1))],
        lambda n, r: [sql(ITEM, 10 * n + k, rows=[{"sku": "tea", "qty": 1}], at=100 + 200 * k) for k in range(n % 5 + 1)],
        [("sql.count_scaling", ITEM, "breaking")],
    ),
    (
        "D01 N+1 beside the list",
        lambda n, r: [sql(ITEMS, n, rows=[{"sku": "tea", "qty": 1}] * (n % 5 + 1))],
        lambda n, r: [
            sql(ITEMS, n, rows=[{"sku": "tea", "qty": 1}] * (n % 5 + 1)),
            *(sql(STOCK, f"sku-{n}-{k}", rows=[{"qty": 1}], at=300 + 200 * k) for k in range(n % 5 + 1)),
        ],
        [("sql.count_scaling", STOCK, "breaking")],
    ),
    ("D05 cache bypass", cart, bypass, [("redis.missing", "GET user:{id}:cart", "warning")]),
    (
        "D06 cache never written",
        lambda n, r: cart(2 * n, r),
        lambda n, r: cart(2 * n, r)[:2],
        [("redis.missing", "SET user:{id}:cart", "warning")],
    ),
    (
        "D07 TTL gone",
        lambda n, r: [put(f"user:{n}:cart", "x", "EX", "300")],
        lambda n, r: [put(f"user:{n}:cart", "x")],
        [("redis.arg_changed", "$.EX", "warning")],
    ),
    (
        "D09 trace not forwarded in an event",
        lambda n, r: [publish("orders.created", {"n": n}, headers=(("traceparent", f"00-{n:032x}-00f067aa0ba902b7-01"),))],
        lambda n, r: [publish("orders.created", {"n": n})],
        [("propagation.missing_header", "header.traceparent", "warning")],
    ),
    (
        "D15 tenant predicate lost",
        lambda n, r: [sql(ORDER, 7, n, rows=[{"id": n, "total": 5}])],
        lambda n, r: [sql("SELECT id, total FROM orders WHERE id = $1", n, rows=[{"id": n, "total": 5}])],
        [("sql.fingerprint_changed", ORDER, "breaking")],
    ),
    (
        "D16 LIMIT 20 to 200",
        lambda n, r: [order(n)],
        lambda n, r: [order(n, limit=200)],
        [("sql.literal_changed", "$.limit", "warning")],
    ),
    (
        "D18 FOR UPDATE dropped",
        lambda n, r: [sql(f"{STOCK} FOR UPDATE", "tea", rows=[{"qty": 3}])],
        lambda n, r: [sql(STOCK, "tea", rows=[{"qty": 3}])],
        [("sql.fingerprint_changed", f"{STOCK} FOR UPDATE", "breaking")],
    ),
    (
        "D19 extra write",
        lambda n, r: [order(n)],
        lambda n, r: [order(n), sql("UPDATE orders SET updated_at = $1 WHERE id = $2", now(n, r), n, at=400)],
        [("sql.extra_write", "UPDATE orders SET updated_at = $1 WHERE id = $2", "breaking")],
    ),
    (
        "D20 event before commit",
        booked,
        lambda n, r: booked(n, r, early=True),
        [("order.order_changed", "publish orders.created", "breaking")],
    ),
    (
        "D21 double publish",
        lambda n, r: [created(n, r)],
        lambda n, r: [created(n, r), created(n, r, at=1_500)],
        [("bus.extra", "publish orders.created", "breaking")],
    ),
    (
        "D23 event's field changes its type",
        lambda n, r: [created(n, r)],
        lambda n, r: [created(n, r, total=f"{5 * n}")],
        [("bus.payload_changed", "$.order.total", "breaking")],
    ),
    (
        "D23 event's field dropped",
        lambda n, r: [created(n, r, currency="EUR")],
        lambda n, r: [created(n, r)],
        [("bus.payload_changed", "$.order.currency", "breaking")],
    ),
    (
        "D24 event's key",
        lambda n, r: [publish("orders.created", {"n": n}, key=f"customer-{n}")],
        lambda n, r: [publish("orders.created", {"n": n}, key=f"order-{n}-x")],
        [("bus.key_changed", "$.key", "breaking")],
    ),
    (
        "D24 routing key",
        lambda n, r: [publish("shop/orders.new", {"n": n}, kind="amqp", exchange="shop", routing_key="orders.new")],
        lambda n, r: [publish("shop/orders.all", {"n": n}, kind="amqp", exchange="shop", routing_key="orders.all")],
        [("bus.key_changed", "key", "breaking")],
    ),
    (
        "D25 another topic",
        lambda n, r: [created(n, r)],
        lambda n, r: [created(n, r, topic="orders.made")],
        [("bus.missing", "publish orders.created", "breaking"), ("bus.extra", "publish orders.made", "breaking")],
    ),
    (
        "a transaction taken back",
        lambda n, r: [begin("c.1"), sql(INSERT, n, 5, "x", at=200, transaction="c.1"), commit("c.1")],
        lambda n, r: [begin("c.1"), sql(INSERT, n, 5, "x", at=200, transaction="c.1"), rollback("c.1")],
        [("sql.transaction_changed", INSERT, "breaking")],
    ),
    (
        "a commit that the database turns down",
        lambda n, r: [begin("c.1"), sql(INSERT, n, 5, "x", at=200, transaction="c.1"), commit("c.1")],
        lambda n, r: [begin("c.1"), sql(INSERT, n, 5, "x", at=200, transaction="c.1"), commit("c.1", tag="ROLLBACK")],
        [("sql.transaction_changed", INSERT, "breaking")],
    ),
    (
        "a transaction that fell apart",
        lambda n, r: [begin("c.1"), one_insert(n, r, within="c.1"), sql("UPDATE stock SET qty = 1", at=400, transaction="c.1"), commit("c.1")],
        lambda n, r: [one_insert(n, r), sql("UPDATE stock SET qty = 1", at=400)],
        [("sql.transaction_changed", INSERT, "warning")],
    ),
    (
        "a trace in a SQL comment",
        lambda n, r: [sql("SELECT 1 FROM orders /*traceparent='" + TRACE + "'*/")],
        lambda n, r: [sql("SELECT 1 FROM orders")],
        [("propagation.missing_header", "header.traceparent", "warning")],
    ),
    (
        "a written value",
        lambda n, r: [one_insert(n, r)],
        lambda n, r: [one_insert(n, r, total=500)],
        [("sql.literal_changed", "$.total", "breaking")],
    ),
    (
        "a bound value that varies",
        lambda n, r: [sql("UPDATE stock SET qty = $1 WHERE sku = $2", n, "tea")],
        lambda n, r: [sql("UPDATE stock SET qty = $1 WHERE sku = $2", n + 1, "tea")],
        [("sql.argument_changed", "$.qty", "breaking")],
    ),
    (
        "a column not written",
        lambda n, r: [sql("INSERT INTO orders (id, discount) VALUES ($1, $2)", n, 3)],
        lambda n, r: [sql("INSERT INTO orders (id) VALUES ($1)", n)],
        [("sql.fingerprint_changed", "INSERT INTO orders (id, discount) VALUES ($1, $2)", "breaking")],
    ),
    (
        "one insert of two rows becomes two of one",
        lambda n, r: [sql("INSERT INTO tags (name) VALUES ($1), ($2)", "a", f"b{n}")],
        lambda n, r: [sql("INSERT INTO tags (name) VALUES ($1)", "a"), sql("INSERT INTO tags (name) VALUES ($1)", f"b{n}", at=400)],
        [("sql.count_scaling", "INSERT INTO tags (name) VALUES ($1)", "warning")],
    ),
    (
        "a statement gone",
        lambda n, r: [order(n), one_insert(n, r)],
        lambda n, r: [order(n)],
        [("sql.missing", INSERT, "breaking")],
    ),
    (
        "another key",
        lambda n, r: [cached(f"user:{n}:cart", "x")],
        lambda n, r: [cached(f"user:{n}:basket", "x")],
        [("redis.key_changed", "key", "warning")],
    ),
    (
        "another's key",
        lambda n, r: [cached(f"user:{n}:cart", "x")],
        lambda n, r: [cached(f"user:{n + 1}:cart", "x")],
        [("redis.key_changed", "key.id", "breaking")],
    ),
    (
        "a gRPC message's field",
        lambda n, r: [grpc("shop.Prices/Quote", message(f1="tea", f2=n))],
        lambda n, r: [grpc("shop.Prices/Quote", message(f1="tea", f2=n + 100))],
        [("grpc.request_changed", "$.field_2", "breaking")],
    ),
    (
        "a gRPC call gone",
        lambda n, r: [order(n), grpc("shop.Prices/GetQuote", message(f1="tea"))],
        lambda n, r: [order(n)],
        [("grpc.missing", "shop.Prices/GetQuote", "warning")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in ALARMS], ids=[row[0] for row in ALARMS])
def test_what_must_alarm(before: Calls, after: Calls, expected: list[tuple[str, str, str]]) -> None:
    assert sorted(told(judged(before, after))) == sorted(expected)


@pytest.mark.parametrize("calls", [row[1] for row in ALARMS], ids=[row[0] for row in ALARMS])
def test_the_baseline_against_itself_is_silent(calls: Calls) -> None:
    report = judged(calls, calls)
    assert (told(report), infos(report)) == ([], [])


def chatty(number: int, run: str) -> list[Call]:
    """The same query through a pool that tests its connections and prepares statements anew."""
    talk = ["SELECT 1", "SHOW standard_conforming_strings", "SET application_name = 'x'", "DEALLOCATE ALL",
            "SELECT t.oid FROM pg_catalog.pg_type t", "SELECT pg_catalog.version()"]  # fmt: skip
    return [*(sql(text, at=10 + place) for place, text in enumerate(talk[: 1 + len(run) % 5])), order(number)]


def returned(number: int, run: str) -> list[Call]:
    """A number that a sequence draws is handed on to a query, a key, a payload."""
    made = 1_000 + 7 * number + sum(map(ord, run)) % 5
    return [
        sql("INSERT INTO orders (total) VALUES ($1) RETURNING id", 5, rows=[{"id": made}], at=100),
        sql("UPDATE stock SET taken_by = $1 WHERE sku = $2", made, "tea", at=300),
        put(f"order:{made}", "x", at=500),
        publish("orders.created", {"id": made}, key=str(made), at=700),
    ]


# row: the baseline's calls, the candidate's calls, infos
SILENT: list[tuple[str, Calls, Calls, list[str]]] = [
    ("N02 N03 fresh ids and times", lambda n, r: [one_insert(n, r), created(n, r)], lambda n, r: [one_insert(n, r), created(n, r)], []),
    ("N02 values that another call answered", returned, returned, []),
    ("N05 a payload's key order", lambda n, r: [publish("t", {"a": n, "b": 1})], lambda n, r: [publish("t", {"b": 1, "a": n})], []),
    (
        "N19 a cache that is warm on one side",
        lambda n, r: cart(2 * n, r),
        lambda n, r: cart(2 * n + 1, r) if n == 3 else cart(2 * n, r),
        [],
    ),
    (
        "F04 side by side",
        lambda n, r: [order(n), cached("rates", "x", at=400)],
        lambda n, r: [order(n), cached("rates", "x", at=120)],
        ["order.concurrency_gained"],
    ),
    (
        "F05 the other way round",
        lambda n, r: [order(n), cached("rates", "x", at=400)],
        lambda n, r: [cached("rates", "x"), order(n, at=400)],
        ["order.reordered"],
    ),
    (
        "F08 a literal becomes a bind",
        lambda n, r: [order(n)],
        lambda n, r: [sql(f"{PAGE} $2", "open", 20, rows=[{"id": n}])],
        [],
    ),
    (
        "F09 IN becomes ANY",
        lambda n, r: [sql("SELECT id FROM stock WHERE sku IN ($1, $2)", "tea", f"s{n}", rows=[{"id": n}])],
        lambda n, r: [sql("SELECT id FROM stock WHERE sku = ANY($1)", ["tea", f"s{n}"], rows=[{"id": n}])],
        ["sql.rewrite"],
    ),
    (
        "F11 N+1 removed",
        lambda n, r: [sql(STOCK, f"sku-{n}-{k}", rows=[{"qty": 1}], at=300 + 200 * k) for k in range(4)],
        lambda n, r: [sql("SELECT sku, qty FROM stock WHERE sku IN ($1, $2)", f"sku-{n}-0", f"sku-{n}-1", rows=[{"sku": "a", "qty": 1}])],
        ["sql.count_scaling"],
    ),
    ("F20 the same SQL, another layout", lambda n, r: [order(n)], lambda n, r: [sql("select id from orders\n where status = $1 order by id limit 20", "open", rows=[{"id": n}])], []),
    ("F21 what drivers say", lambda n, r: [order(n)], chatty, []),
    ("F21 transactions", lambda n, r: [order(n)], lambda n, r: [begin("c.1"), order(n), commit("c.1")], []),
    (
        "F23 events in one batch",
        lambda n, r: [created(n, r), publish("orders.paid", {"n": n}, key="k", at=1_500)],
        lambda n, r: [created(n, r), publish("orders.paid", {"n": n}, key="k", at=1_200)],
        ["order.concurrency_gained"],
    ),
    (
        "SETEX for SET EX",
        lambda n, r: [put(f"user:{n}", "x", "EX", "300")],
        lambda n, r: [redis("SETEX", f"user:{n}", {f"user:{n}": "x"}, "300")],
        [],
    ),
    (
        "the order of an IN list",
        lambda n, r: [sql("SELECT id FROM stock WHERE sku IN ($1, $2)", "tea", "jam", rows=[{"id": n}])],
        lambda n, r: [sql("SELECT id FROM stock WHERE sku IN ($1, $2)", "jam", "tea", rows=[{"id": n}])],
        [],
    ),
    (
        "a redis connection's housekeeping",
        lambda n, r: [cached("rates", "x")],
        lambda n, r: [redis("HELLO", "", "3", at=1), redis("CLIENT", "", "SETINFO", at=2), cached("rates", "x")],
        [],
    ),
    ("an event's new field", lambda n, r: [created(n, r)], lambda n, r: [created(n, r, note="x")], ["bus.payload_changed"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in SILENT], ids=[row[0] for row in SILENT])
def test_what_must_stay_silent(before: Calls, after: Calls, expected: list[str]) -> None:
    report = judged(before, after)
    assert (told(report), infos(report)) == ([], expected)


def rows(run: str, **changed: object) -> list[dict[str, object]]:
    """Thirty orders with drawn ids and times; `changed` holds for the seventh."""
    made = [
        {"id": number, "ref": drawn(number, run), "qty": number % 4, "discount": None, "created_at": now(number, run)}
        for number in range(30)
    ]
    made[7] |= changed
    return made


Rows = Callable[[str], list[dict[str, object]]]


def left_behind(before: Rows, after: Rows, *, key: str = "id", table: str = "orders") -> Report:
    """The report on two runs whose requests write one order each, and which leave these rows behind."""

    def run(held: Rows, name: str) -> Run:
        turns = [
            Turn("POST", "/orders", body={"n": number}, calls=[sql("INSERT INTO orders (id) VALUES ($1)", number)])
            for number in range(30)
        ]
        return a_run(turns, name, states=[state(table, held(name), key=key, name=name)])

    rounds = [Round(run(before, f"a{place}"), run(after, f"b{place}")) for place in range(2)]
    return judge(rounds, [run(before, "n0")], JudgeOptions(explain=False))


def keyed(run: str, **changed: object) -> list[dict[str, object]]:
    """The orders under ids that are new in each run."""
    return [{**row, "id": drawn(1_000 + place, run)} for place, row in enumerate(rows(run, **changed))]


COUPON = {"id": 100, "code": "SPRING", "customer": 5}

# row: what the baseline left behind, the candidate, the key, what is told
STATES: list[tuple[str, Rows, Rows, str, list[tuple[str, str, str]]]] = [
    ("N02 N03", rows, rows, "id", []),
    ("N02 keys too", keyed, keyed, "id", []),
    ("N03 no key at all", rows, rows, "", []),
    ("D26 a column not written", lambda r: rows(r, discount=3), rows, "id", [("state.row_changed", "$.orders.discount", "breaking")]),
    ("D26 under new keys", lambda r: keyed(r, discount=3), keyed, "id", [("state.row_changed", "$.orders.discount", "breaking")]),
    ("D29 lost update", lambda r: rows(r, qty=20), lambda r: rows(r, qty=19), "id", [("state.row_changed", "$.orders.qty", "breaking")]),
    ("a row gone", rows, lambda r: rows(r)[:-1], "id", [("state.row_missing", "$.orders", "breaking")]),
    ("a row too many", rows, lambda r: [*rows(r), {**rows(r)[0], "id": 99, "qty": 77}], "id", [("state.row_extra", "$.orders", "breaking")]),
    ("D30 duplicates", lambda r: [*rows(r), COUPON], lambda r: [*rows(r), COUPON, {**COUPON, "id": 101}], "id", [("state.multiset_changed", "$.orders", "breaking")]),
    ("D30 duplicates without a key", rows, lambda r: [*rows(r), rows(r)[3]], "", [("state.multiset_changed", "$.orders", "breaking")]),
    ("R21 a drawn id becomes a number", rows, lambda r: [{**row, "ref": place} for place, row in enumerate(rows(r))], "id", [("state.row_changed", "$.orders.ref", "breaking")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "key", "expected"), [row[1:] for row in STATES], ids=[row[0] for row in STATES]
)
def test_what_is_left_behind(before: Rows, after: Rows, key: str, expected: list[tuple[str, str, str]]) -> None:
    report = left_behind(before, after, key=key)
    assert told(report) == expected
    assert [(one.endpoint, one.service, one.operation) for one in report.findings] == [
        ("orders", "db", "state of orders") for _ in expected
    ]


def test_a_changed_row_names_the_request_that_wrote_it() -> None:
    (one,) = left_behind(lambda run: rows(run, discount=3), rows).findings
    assert (one.exchanges, one.requests, one.before, one.after) == (("c-7",), 1, 3, None)


def test_a_consumed_event_is_judged_like_a_request() -> None:
    def run(status: int, name: str, statement: str) -> Run:
        turns = [consumed("orders.created", {"n": n}, calls=[sql(statement, n)], status=status) for n in range(20)]
        return a_run(turns, name)

    write = "UPDATE stock SET taken = $1"
    same = judge([Round(run(0, "a", write), run(0, "b", write))], [run(0, "n", write)], JudgeOptions(explain=False))
    assert (told(same), same.coverage.endpoints) == ([], ("consume orders.created",))
    lost = judge([Round(run(0, "a", write), run(0, "b", ITEM))], [run(0, "n", write)], JudgeOptions(explain=False))
    assert ("sql.missing", write, "breaking") in told(lost)
    refused = judge([Round(run(0, "a", write), run(1, "b", write))], [run(0, "n", write)], JudgeOptions(explain=False))
    assert told(refused) == [("status.changed", "", "breaking")]
    assert [(one.endpoint, one.transition) for one in refused.findings] == [("consume orders.created", "ok→error")]


def test_a_grpc_service_under_test_is_read_through() -> None:
    def asked(total: int, code: int, number: int) -> Turn:
        kind = ("content-type", "application/grpc")
        return Turn(
            "POST",
            "/shop.Orders/Get",
            body=framed(message(f1=number, f2=total)),
            headers=(kind, ("grpc-status", str(code))),
            changes={"protocol": "grpc"},
        )

    def run(total: int, code: int, name: str) -> Run:
        return a_run([asked(total, code, number) for number in range(20)], name)

    changed = judge([Round(run(5, 0, "a"), run(500, 0, "b"))], [run(5, 0, "n")], JudgeOptions(explain=False))
    assert told(changed) == [("response.value_changed", "$.field_2", "breaking")]
    failed = judge([Round(run(5, 0, "a"), run(5, 13, "b"))], [run(5, 0, "n")], JudgeOptions(explain=False))
    assert [(one.endpoint, one.transition, one.severity.word) for one in failed.findings] == [
        ("shop.Orders/Get", "OK→INTERNAL", "breaking")
    ]


def test_every_regression_is_found_beside_the_others_and_all_noise() -> None:
    """Three causes in one request are three findings."""

    def before(number: int, run: str) -> list[Call]:
        return [
            *chatty(number, run),
            *returned(number, run),
            created(number, run),
            put(f"user:{number}", "x", "EX", "300"),
        ]

    def after(number: int, run: str) -> list[Call]:
        return [
            *chatty(number, run)[:-1],
            order(number, limit=200),
            *returned(number, run),
            created(number, run, total=f"{number}"),
            put(f"user:{number}", "x"),
        ]

    assert sorted(told(judged(before, after))) == [
        ("bus.payload_changed", "$.order.total", "breaking"),
        ("redis.arg_changed", "$.EX", "warning"),
        ("sql.literal_changed", "$.limit", "warning"),
    ]
