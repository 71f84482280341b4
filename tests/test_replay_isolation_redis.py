"""Redis databases of one's own, on a real server."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from seamline.capture.errors import CouldNotCheck
from seamline.replay.isolation import redis as module
from seamline.replay.isolation.access import Access
from seamline.replay.isolation.redis import RedisDatabase
from support.redis_server import redis_server
from support.taps import Address

WHAT = 'downstream "cache":'


@pytest.fixture(scope="module")
def shared() -> Iterator[Address]:
    with redis_server() as address:
        yield address


@pytest.fixture
def server(shared: Address) -> Address:
    at(shared, 0).flushall()
    return shared


def at(address: Address, database: int) -> Any:
    return redis.Redis(host=address[0], port=address[1], db=database)


def own(address: Address, password: str = "", user: str = "") -> RedisDatabase:
    return RedisDatabase(Access(*address, user, password), WHAT)


def test_each_side_has_its_own_and_gives_it_back_empty(server: Address) -> None:
    async def main() -> None:
        sides = [own(server) for _ in range(3)]
        numbers = [await side.claim() for side in sides]
        assert numbers == ["1", "2", "3"]
        at(server, 2).set("a", 1)
        at(server, 0).set("mine", 1)
        for side in sides:
            await side.release()
            await side.release()
        assert at(server, 2).dbsize() == 0
        assert at(server, 0).keys() == [b"mine"]
        assert await own(server).claim() == "1"

    asyncio.run(main())


def test_a_database_with_foreign_keys_is_left_alone(server: Address) -> None:
    async def main() -> None:
        at(server, 1).set("theirs", 1)
        side = own(server)
        assert await side.claim() == "2"
        await side.release()
        assert at(server, 1).get("theirs") == b"1"

    asyncio.run(main())


def test_what_a_killed_run_left_behind_is_emptied(server: Address) -> None:
    async def main() -> None:
        killed = own(server)
        assert await killed.claim() == "1"
        at(server, 1).set("left", 1)
        assert await own(server).claim() == "2"
        at(server, 0).delete("seamline:claim:1")
        side = own(server)
        assert await side.claim() == "1"
        assert at(server, 1).dbsize() == 0
        # The killed one comes back to life: what is another's now, it leaves alone.
        at(server, 1).set("new", 1)
        await killed.release()
        assert at(server, 1).get("new") == b"1"

    asyncio.run(main())


def test_sides_that_ask_at_once_do_not_meet(server: Address) -> None:
    async def main() -> None:
        sides = [own(server) for _ in range(10)]
        numbers = await asyncio.gather(*[side.claim() for side in sides])
        assert len(set(numbers)) == 10
        for side in sides:
            await side.release()

    asyncio.run(main())


def test_reset_empties_and_state_tells(server: Address) -> None:
    async def main() -> None:
        side = own(server)
        number = int(await side.claim())
        at(server, number).set("user:1:name", "Jo")
        (table,) = await side.state(10)
        assert (table.name, table.count) == ("user:*:name", 1)
        await side.reset()
        assert at(server, number).dbsize() == 0
        assert await side.state() == []
        await side.release()
        for asked in (side.reset(), side.state()):
            with pytest.raises(CouldNotCheck, match="no Redis database is claimed"):
                await asked

    asyncio.run(main())


def test_a_server_without_a_free_database(server: Address) -> None:
    async def main() -> None:
        for number in range(1, 16):
            at(server, number).set("theirs", 1)
        with pytest.raises(CouldNotCheck, match="15 hold keys, 0 are in use"):
            await own(server).claim()
        assert at(server, 0).keys() == []

    asyncio.run(main())


def test_a_claim_is_renewed_and_its_loss_is_noticed(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RENEW_S", 0.01)

    async def until(true: Any) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.01)

    async def main() -> None:
        side = own(server)
        await side.claim()
        at(server, 0).expire("seamline:claim:1", 5)
        await until(lambda: at(server, 0).ttl("seamline:claim:1") > 50)
        at(server, 0).set("seamline:claim:1", "somebody else's")
        at(server, 1).set("theirs", 1)
        await until(lambda: side._lost)
        with pytest.raises(CouldNotCheck, match="was lost"):
            await side.reset()
        await side.release()
        assert at(server, 1).get("theirs") == b"1"

    asyncio.run(main())


def test_a_server_with_more_databases_and_a_password() -> None:
    async def main(server: Address) -> None:
        with redis.Redis(host=server[0], port=server[1], password="hunter2") as one:
            for number in range(1, 16):
                one.select(number)
                one.set("theirs", 1)
        side = own(server, "hunter2")
        assert await side.claim() == "16"
        await side.release()
        side = own(server, "hunter2", "default")
        assert await side.claim() == "16"
        await side.release()
        with pytest.raises(CouldNotCheck, match="does not let us in"):
            await own(server, "wrong").claim()
        with pytest.raises(CouldNotCheck, match="NOAUTH"):
            await own(server).claim()

    with redis_server("--requirepass", "hunter2", "--databases", "20") as server:
        asyncio.run(main(server))


def test_no_server_at_all() -> None:
    with pytest.raises(CouldNotCheck, match=r"no Redis at 127\.0\.0\.1:1"):
        asyncio.run(own(("127.0.0.1", 1)).claim())
