"""One connection of the PostgreSQL stub: messages that no driver sends."""

import asyncio
import random

from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.messages import CANCEL_REQUEST, Framer
from support import pg_messages as pg
from support.pg_messages import IDLE, SYNC, Talk
from support.pg_stub import asked, exchanges_of, stub


async def raw(dsn: str, *data: bytes) -> list[tuple[str, bytes]]:
    """What the stub says to bytes, until it closes or says that it is ready as often as it is asked."""
    port = int(dsn.rpartition(":")[2].partition("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(data))
    writer.write_eof()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return [(chr(kind), body) for kind, body, _ in Framer().feed(said)]


def test_messages_of_a_client_that_no_driver_sends() -> None:
    found = asked("SELECT a FROM t", write.row_description(pg.columns(("a", 23))), write.complete("SELECT 0"))
    start = pg.startup(user="app")

    async def main() -> None:
        async with stub(found) as (dsn, run):
            newer = start[:6] + b"\0\2" + start[8:]
            assert next(kind for kind, _ in await raw(dsn, newer, pg.query(""))) == "v"
            for wrong in (b"?\0\0\0\4", b"Q\0\0\0\1", pg.describe("P", "none"), write.message(b"F", bytes(10))):
                said = await raw(dsn, start, wrong)
                assert "E" in [kind for kind, _ in said], wrong
            said = await raw(dsn, start, pg.describe("S", "none"), pg.execute(), SYNC, pg.query("SELECT a FROM t"))
            assert "".join(kind for kind, _ in said if kind not in "RSK") == "ZEZTCZ"
            said = await raw(dsn, start, pg.parse(""), pg.bind(), pg.describe(), pg.execute(), SYNC)
            assert "".join(kind for kind, _ in said if kind not in "RSK") == "Z12nIZ"
            assert await raw(dsn, pg.special(CANCEL_REQUEST, bytes(8))) == []
            assert await raw(dsn, b"\0\0\0\1\0\0\0\0") == []
            assert await raw(dsn, pg.special(7)) == []
        assert len(run.losses) == 3

    asyncio.run(main())


def test_copy_that_the_client_gives_up() -> None:
    talk = Talk()
    talk.client(pg.query("COPY t (a) FROM STDIN"))
    talk.server(write.copy_response(b"G", 1))
    talk.client(pg.copy_data(b"1\n"), pg.COPY_END)
    talk.server(write.complete("COPY 1"), IDLE)

    async def main() -> None:
        start = (pg.startup(user="app"), pg.query("COPY t (a) FROM STDIN"), pg.copy_data(b"1\n"))
        async with stub(exchanges_of(talk)) as (dsn, _):
            said = await raw(dsn, *start, pg.COPY_END)
            assert "".join(kind for kind, _ in said if kind not in "RSK") == "ZGCZ"
            said = await raw(dsn, *start, write.message(b"f", b"no\0"))
            assert "".join(kind for kind, _ in said if kind not in "RSK") == "ZGEZ"

    asyncio.run(main())


def test_broken_messages_never_break_the_stub() -> None:
    whole = b"".join(
        (
            pg.query("BEGIN; SELECT a FROM t"),
            pg.parse("SELECT a FROM t WHERE b = $1", "s") + pg.describe("S", "s") + SYNC,
            pg.bind(b"1", name="s", formats=(1,)) + pg.describe() + pg.execute() + pg.close("S", "s") + SYNC,
            pg.query("COPY t FROM STDIN") + pg.copy_data(b"1\n") + pg.COPY_END,
            pg.query("ROLLBACK"),
        )
    )
    dice = random.Random(7)
    troubles: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        found = asked("SELECT a FROM t", write.row_description(pg.columns(("a", 23))), write.complete("SELECT 0"))
        async with stub(found) as (dsn, _):
            assert "".join(kind for kind, _ in await raw(dsn, pg.startup(user="app"), whole)).count("Z") == 6
            for _ in range(150):
                place, size = dice.randrange(len(whole)), dice.randrange(4)
                damaged = whole[:place] + dice.randbytes(dice.randrange(4)) + whole[place + size :]
                # What comes of it may be cut anywhere: the answer is read as bytes.
                port = int(dsn.rpartition(":")[2].partition("/")[0])
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(pg.startup(user="app") + damaged)
                writer.write_eof()
                async with asyncio.timeout(10):
                    assert (await reader.read()).startswith(write.AUTHENTICATED)
                writer.close()

    asyncio.run(main())
    assert troubles == []
