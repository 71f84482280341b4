"""Clones made ahead: handed out once, dropped always."""

import asyncio

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.isolation.pool import Clones, to_the_end
from support.cloners import ScriptedCloner


def test_what_was_prepared_is_handed_out_once() -> None:
    async def main() -> None:
        cloner = ScriptedCloner()
        clones = Clones(cloner)
        clones.prepare(["baseline", "candidate"])
        clones.prepare(["candidate"])
        assert await clones.take("candidate") == "candidate-2"
        assert await clones.take("candidate") == "candidate-3"
        assert (cloner.opened, cloner.made) == (1, 3)
        assert [table.name for table in await clones.tables("candidate-2")] == ["candidate-2"]
        clones.release("candidate-2")
        await clones.close()
        assert (cloner.there, cloner.closed) == (set(), 1)

    asyncio.run(main())


def test_one_that_is_still_being_made_is_waited_for_and_dropped() -> None:
    async def main() -> None:
        cloner = ScriptedCloner(gate=asyncio.Event())
        clones = Clones(cloner)
        taking = asyncio.create_task(clones.take("candidate"))
        clones.prepare(["baseline"])
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert cloner.gate is not None
        closing = asyncio.create_task(clones.close())
        cloner.gate.set()
        await closing
        assert (cloner.made, cloner.there) == (2, set())

    asyncio.run(main())


@pytest.mark.parametrize(("fail", "said"), [("open", "no way in"), ("clone", "template is in use")])
def test_whoever_takes_is_told_why_there_is_none(fail: str, said: str) -> None:
    async def main() -> None:
        cloner = ScriptedCloner(fail=fail)
        clones = Clones(cloner)
        clones.prepare(["baseline"])
        for side in ("baseline", "candidate"):
            with pytest.raises(CouldNotCheck, match=said):
                await clones.take(side)
        await clones.close()
        assert cloner.closed == 1

    asyncio.run(main())


def test_what_stays_behind_is_told() -> None:
    async def main() -> None:
        cloner = ScriptedCloner(fail="drop")
        clones = Clones(cloner)
        await clones.take("a")
        clones.release("a-1")
        with pytest.raises(CouldNotCheck, match="1 databases of Seamline's stay behind: it does not go"):
            await clones.close()
        assert cloner.closed == 1

    asyncio.run(main())


def test_nothing_asked_for_is_nothing_opened() -> None:
    async def main() -> None:
        cloner = ScriptedCloner()
        await Clones(cloner).close()
        assert (cloner.opened, cloner.closed) == (0, 0)

    asyncio.run(main())


def test_all_come_to_their_end_before_an_error_is_raised() -> None:
    ended: list[str] = []

    async def work(name: str, error: Exception | None = None) -> None:
        await asyncio.sleep(0)
        ended.append(name)
        if error is not None:
            raise error

    async def main() -> None:
        with pytest.raises(CouldNotCheck, match="ours"):
            await to_the_end([work("a", ValueError()), work("b", CouldNotCheck("ours")), work("c")])
        assert ended == ["a", "b", "c"]

    asyncio.run(main())
