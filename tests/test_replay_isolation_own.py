"""What a side has of its own: placeholders, neutral names, state and end."""

import asyncio

from seamline.replay.isolation.own import Isolated, Nothing, OwnClone, OwnPrefix
from seamline.replay.isolation.pool import Clones
from support.cloners import ScriptedCloner
from support.taps import MemorySink


def test_a_clone_tells_its_tables_and_is_dropped() -> None:
    async def main() -> None:
        cloner = ScriptedCloner()
        clones = Clones(cloner)
        own: Isolated = OwnClone(clones, await clones.take("candidate"), "postgres", "db")
        assert own.placeholders == {"{database}": "candidate-1"}
        assert own.names == {"candidate-1": "{database}"}
        [exchange] = await own.state(MemorySink())
        assert (exchange.id, exchange.service, exchange.request.target) == ("m-1", "db", "candidate-1")
        await own.drop()
        await clones.close()
        assert cloner.there == set()

    asyncio.run(main())


def test_a_clones_sequences_move_as_far_as_its_side_stands() -> None:
    async def main() -> None:
        cloner = ScriptedCloner()
        clones = Clones(cloner)
        for side, offset in (("baseline", 0), ("candidate", 7)):
            await OwnClone(clones, await clones.take(side), "postgres", "db", offset).move_apart()
        assert cloner.moved == {"candidate-2": 7}
        await clones.close()

    asyncio.run(main())


def test_a_prefix_and_nothing_hold_no_state() -> None:
    async def main() -> None:
        prefix: Isolated = OwnPrefix("seamline-x")
        assert (prefix.placeholders, prefix.names) == ({"{prefix}": "seamline-x"}, {"seamline-x": "{prefix}"})
        nothing: Isolated = Nothing()
        assert (nothing.placeholders, nothing.names) == ({}, {})
        for own in (prefix, nothing):
            await own.move_apart()
            assert list(await own.state(MemorySink())) == []
            await own.drop()

    asyncio.run(main())
