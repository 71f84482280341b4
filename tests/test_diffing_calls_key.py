"""Which calls count, and what makes two of them the same."""

import pytest

from seamline.capture.model import Exchange
from seamline.diffing.calls.key import Key, counts, is_end, key_of, verdict_of
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.report.model import Surface
from support.calls import Wire, begin, cached, commit, grpc, publish, put, redis, rollback, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")


def made(call: Call) -> Exchange:
    return call.exchange(ASKED, 0)


OWN: list[tuple[str, Call]] = [
    ("a query", sql("SELECT id FROM orders")),
    ("a statement", sql("INSERT INTO orders (id) VALUES ($1)", 1)),
    ("a function of one's own", sql("SELECT price($1)", 1)),
    ("a cache's read", cached("k", 1)),
    ("a script", redis("EVALSHA", "k", "cafe", "1", "k")),
    ("an event", publish("t", {})),
    ("a message on a channel", redis("PUBLISH", "news")),
    ("a gRPC call", grpc("a.B/C", b"")),
    ("an HTTP call with a header of that name", Call("x", "GET", "/", headers=(("setup", "yes"),))),
    ("bytes", Wire("x", "SEND", "", protocol="tcp")),
]
TALK: list[tuple[str, Call]] = [
    ("a transaction's begin", begin("c.1")),
    ("its end", commit("c.1")),
    ("its loss", rollback("c.1")),
    ("a savepoint", sql("SAVEPOINT a")),
    ("a setting", sql("SET search_path TO x")),
    ("a question", sql("SHOW server_version")),
    ("a pool's test", sql("SELECT 1")),
    ("a driver's catalog", sql("SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typname = $1", "hstore")),
    ("a driver's columns", sql("SELECT column_name FROM information_schema.columns")),
    ("who are you", sql("select pg_catalog.version()")),
    ("a dialect's question", sql("SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1")),
    ("which schema", sql("select current_schema()")),
    ("a statement let go", sql("DEALLOCATE x")),
    ("a connection refused", Wire("db", "CONNECT", "", headers=(("setup", "yes"),), status=-1)),
    ("a ping", redis("PING", "")),
    ("a database's number", redis("SELECT", "", "3")),
    ("a queue of commands", redis("MULTI", "")),
    ("what a decoder marks", redis("CUSTOM", "x", setup=True)),
    ("a script that is not known", redis("EVALSHA", "k", "cafe", status=1, answer={"error": "NOSCRIPT no"})),
    ("an offset", Wire("bus", "COMMIT", "t", protocol="kafka", operation="commit", status=0)),
    ("an acknowledgement", publish("$JS.ACK.x.y.1", {}, kind="nats")),
    ("a protocol that is not compared", Wire("m", "FIND", "c", protocol="smtp", status=0)),
]


@pytest.mark.parametrize("call", [row[1] for row in OWN], ids=[row[0] for row in OWN])
def test_a_service_s_own_calls_count(call: Call) -> None:
    assert counts(made(call))


@pytest.mark.parametrize("call", [row[1] for row in TALK], ids=[row[0] for row in TALK])
def test_a_connection_s_talk_does_not(call: Call) -> None:
    assert not counts(made(call))


# name: two calls of one key, the key's operation
SAME: list[tuple[str, Call, Call, str]] = [
    ("values", sql("SELECT a FROM x WHERE b = 1"), sql("SELECT a FROM x WHERE b = 2"), "SELECT a FROM x WHERE b = $1"),
    ("lists", sql("SELECT a FROM x WHERE b IN (1, 2)"), sql("SELECT a FROM x WHERE b IN (1, 2, 3)"), "SELECT a FROM x WHERE b IN (…)"),
    ("case", sql("SELECT a FROM x WHERE b = 1"), sql("select a from x where b = 1"), "SELECT a FROM x WHERE b = $1"),
    ("keys", cached("user:17:cart", 1), cached("user:18:cart", 1), "GET user:{id}:cart"),
    ("keys with sessions", cached("s:8d3fa2c41b5e", 1), cached("s:77aa12c41b5e", 1), "GET s:{id}"),
    ("scripts", redis("EVALSHA", "k", "cafe"), redis("EVAL", "k", "return 1"), "EVAL k"),
    ("subjects", publish("orders.17.created", {}), publish("orders.18.created", {}), "publish orders.{id}.created"),
    ("methods", grpc("a.B/C", b"x"), grpc("a.B/C", b"y"), "a.B/C"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "operation"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_what_varies_is_not_in_the_key(first: Call, second: Call, operation: str) -> None:
    both = made(first), made(second)
    templates = Templates.learn(both)
    assert [key_of(one, templates).operation for one in both] == [operation, operation]


def test_parts_of_keys_that_are_many_are_values() -> None:
    words = ["amber", "basil", "cedar", "delta", "ember", "fjord", "grape", "hazel", "indigo", "jade"]
    calls = [made(put(f"product:{word}", "x")) for word in words]
    templates = Templates.learn(calls)
    assert {key_of(one, templates).operation for one in calls} == {"SET product:{id}"}
    few = Templates.learn(calls[:3])
    assert {key_of(one, few).operation for one in calls[:3]} == {f"SET product:{word}" for word in words[:3]}


def test_a_key_knows_whether_it_writes() -> None:
    assert Key("db", "UPDATE x SET a = $1", Surface.SQL).is_write
    assert not Key("x", "GET /x").is_write


@pytest.mark.parametrize(
    ("call", "ends", "verdict"),
    [
        (commit("c.1"), True, "COMMIT"),
        (sql("END"), True, "COMMIT"),
        (rollback("c.1"), True, "ROLLBACK"),
        (commit("c.1", tag="ROLLBACK"), True, "ROLLBACK"),
        (sql("COMMIT", error="23505"), True, "ROLLBACK"),
        (sql("ROLLBACK TO SAVEPOINT a"), False, ""),
        (sql("SELECT a FROM x"), False, ""),
        (Wire("bus", "COMMIT", "t", protocol="kafka"), False, ""),
    ],
)
def test_what_ends_a_transaction(call: Call, ends: bool, verdict: str) -> None:
    assert is_end(made(call)) is ends
    assert not ends or verdict_of(made(call)) == verdict
