"""Isolation of all sides of one run."""

import asyncio
from dataclasses import replace

import pytest
import redis

from seamline.capture.errors import UsageError
from seamline.replay.environments.spec import DownstreamSpec
from seamline.replay.isolation import door
from seamline.replay.isolation.access import Access
from seamline.replay.isolation.door import Isolation
from support.cloners import ScriptedCloner
from support.redis_server import redis_server
from support.taps import MemorySink

DB = DownstreamSpec(
    "db",
    "postgres",
    ("127.0.0.1", 5432),
    env={"URL": "postgresql://app:p@{tap}/{database}"},
    isolate={"template": "shop"},
)
BUS = DownstreamSpec("bus", "nats", ("127.0.0.1", 4222), env={"U": "{tap}"}, isolate={"prefix": "auto"})


@pytest.fixture
def cloners(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Access, ScriptedCloner]]:
    """The cloners that are made in the test, and with which access."""
    made: list[tuple[Access, ScriptedCloner]] = []

    def make(access: Access, template: str, what: str) -> ScriptedCloner:
        assert (template, what) == ("shop", 'downstream "db"')
        made.append((access, ScriptedCloner()))
        return made[-1][1]

    monkeypatch.setitem(door._CLONERS, "postgres", make)
    return made


def test_each_side_gets_a_clone_and_all_are_dropped(cloners: list[tuple[Access, ScriptedCloner]]) -> None:
    async def main() -> None:
        isolation = Isolation()
        isolation.prepare([DB, BUS, replace(DB, name="other", mode="stub")], ["baseline", "noise"])
        owns = [await isolation.isolate(DB, side) for side in ("baseline", "candidate", "baseline")]
        assert len({own.placeholders["{database}"] for own in owns}) == 3
        await owns[0].drop()
        await isolation.close()
        await isolation.close()

    asyncio.run(main())
    [(access, cloner)] = cloners
    assert access == Access("127.0.0.1", 5432, "app", "p", "postgres")
    assert (cloner.made, cloner.there, cloner.closed) == (4, set(), 1)


def test_an_administrator_may_stand_in_a_variable(
    cloners: list[tuple[Access, ScriptedCloner]], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = replace(DB, isolate={"template": "shop", "admin": "$PG_ADMIN"})

    async def main() -> None:
        isolation = Isolation()
        monkeypatch.delenv("PG_ADMIN", raising=False)
        with pytest.raises(UsageError, match=r'downstream "db": isolate admin: the variable PG_ADMIN is not set'):
            await isolation.isolate(admin, "candidate")
        monkeypatch.setenv("PG_ADMIN", "postgresql://root:r@h:1/x")
        await isolation.isolate(admin, "candidate")
        await isolation.close()

    asyncio.run(main())
    assert cloners[0][0] == Access("h", 1, "root", "r", "x")


def test_the_services_own_variables_may_name_the_user(cloners: list[tuple[Access, ScriptedCloner]]) -> None:
    libpq = replace(DB, env={"PGHOST": "{tap}", "PGDATABASE": "{database}"})

    async def main() -> None:
        isolation = Isolation({"PGUSER": "app", "PGPASSWORD": "p"})
        await isolation.isolate(libpq, "candidate")
        await isolation.close()

    asyncio.run(main())
    assert cloners[0][0].user == "app"


def test_prefixes_are_never_the_same() -> None:
    async def main() -> None:
        first, second = Isolation(), Isolation()
        owns = [await each.isolate(BUS, side) for each in (first, second) for side in ("baseline", "baseline")]
        prefixes = {own.placeholders["{prefix}"] for own in owns}
        assert len(prefixes) == 4
        assert all(prefix.startswith("seamline-") and "." not in prefix for prefix in prefixes)

    asyncio.run(main())


def test_what_is_shared_or_stubbed_has_nothing_made_for_it() -> None:
    async def main() -> None:
        isolation = Isolation()
        for downstream in (replace(DB, isolate={}), replace(DB, isolate={"reset": "make seed"})):
            assert (await isolation.isolate(downstream, "candidate")).placeholders == {}
        stubbed = await isolation.isolate(replace(DB, mode="stub"), "candidate")
        assert stubbed.placeholders == {"{database}": "shop"}
        await isolation.close()

    asyncio.run(main())


def test_sides_get_redis_databases_of_their_own_and_give_them_back_empty() -> None:
    with redis_server() as address, redis.Redis(port=address[1]) as zero:
        cache = DownstreamSpec(
            "cache", "redis", address, env={"U": "redis://{tap}/{database}"}, isolate={"database": "auto"}
        )

        async def main() -> None:
            isolation = Isolation()
            first, second = [await isolation.isolate(cache, side) for side in ("baseline", "candidate")]
            numbers = [int(own.placeholders["{database}"]) for own in (first, second)]
            assert len({0, *numbers}) == 3
            with redis.Redis(port=address[1], db=numbers[0]) as own:
                own.set("user:1", "ada")
                states = [await each.state(MemorySink()) for each in (first, second)]
                assert [len(state) for state in states] == [1, 0]
                assert (states[0][0].request.method, states[0][0].service) == ("STATE", "cache")
                await first.drop()
                await second.drop()
                assert own.dbsize() == 0

        asyncio.run(main())
        assert zero.dbsize() == 0
