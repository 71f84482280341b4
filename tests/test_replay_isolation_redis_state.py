import asyncio
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.values import Value
from seamline.replay.isolation.access import Access
from seamline.replay.isolation.redis_link import RedisLink
from seamline.replay.isolation.redis_state import state_of, template_of, ttl_class
from seamline.replay.isolation.tables import TableState, state_exchange
from support.redis_server import redis_server


@pytest.mark.parametrize(
    ("key", "template"),
    [
        (b"user:42:cart", "user:*:cart"),
        (b"cart", "cart"),
        (b"session:3f2a9c0b7d1e4f5a6b7c8d9e0f1a2b3c", "session:*"),
        (b"o:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "o:*"),
        (b"mail:a@b", "mail:*"),
        (b"v2:user", "v2:user"),
        (b"a.1/b|2", "a.*/b|*"),
        (b"\xff", "\\xff"),
    ],
)
def test_a_template_leaves_ids_open(key: bytes, template: str) -> None:
    assert template_of(key) == template


@given(st.binary(max_size=300))
def test_any_key_has_a_template(key: bytes) -> None:
    assert len(template_of(key)) <= 200


@pytest.mark.parametrize(
    ("left", "word"),
    [
        (-1, "none"),
        (None, "none"),
        (59_000, "seconds"),
        (60_000, "minutes"),
        (3_600_000, "hours"),
        (86_400_000, "days"),
    ],
)
def test_a_time_to_live_is_a_class(left: Value, word: str) -> None:
    assert ttl_class(left) == word


async def state(address: tuple[str, int], limit: int = 100) -> list[TableState]:
    link = await RedisLink.open(Access(*address, "", ""), "it:")
    try:
        return await state_of(link, 0, limit)
    finally:
        await link.close()


def test_every_type_is_told() -> None:
    with redis_server() as address, redis.Redis(host=address[0], port=address[1]) as one:
        one.set("user:1:email", "a@b.c", ex=50)
        one.set("user:2:email", b"\xff")
        one.hset("h", mapping={"size": "XL", "email": "a@b.c"})
        one.rpush("l", "b", "a")
        one.sadd("s", "b", "a")
        one.zadd("z", {"m": 1.5, "a": 2})
        one.xadd("st", {"f": "v"}, id="1-1")
        one.set("big", "x" * 400_000)
        one.expire("l", 7_200)
        tables = {table.name: table for table in asyncio.run(state(address))}
    rows: dict[str, Any] = {name: [list(row) for row in table.rows] for name, table in tables.items()}
    assert rows == {
        "user:*:email": [
            ["user:1:email", "string", "seconds", {"user:1:email": "a@b.c"}],
            ["user:2:email", "string", "none", {"user:2:email": {"b64": "/w=="}}],
        ],
        "h": [["h", "hash", "none", {"email": "a@b.c", "size": "XL"}]],
        "l": [["l", "list", "hours", ["b", "a"]]],
        "s": [["s", "set", "none", ["a", "b"]]],
        "z": [["z", "zset", "none", [["m", "1.5"], ["a", "2"]]]],
        "st": [["st", "stream", "none", [["1-1", {"f": "v"}]]]],
        "big": [["big", "string", "none", {"size": 400_000, "hash": rows["big"][0][3]["hash"]}]],
    }
    assert tables["h"].primary_key == ("key",)
    assert state_exchange(tables["h"], "redis", "cache", "x-1", 1, 5).response is not None


def test_what_is_beyond_the_limit_is_a_hash() -> None:
    with redis_server() as address, redis.Redis(host=address[0], port=address[1]) as one:
        for number in range(700):
            one.set(f"k:{number:04}", number)
        (table,) = asyncio.run(state(address, 5))
        assert (len(table.rows), table.count, table.rows[0][0]) == (5, 700, "k:0000")
        one.delete("k:0600")
        one.set("k:9999", 1)
        (other,) = asyncio.run(state(address, 5))
        assert other.rest != table.rest
        assert list(other.rows) == list(table.rows)
