"""One client of the MySQL stub: what is said about a connection, asked in the protocol's own words."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from seamline.capture.wire.mysql.encode import OFFERED
from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import framed
from seamline.replay.stubs.door import open_stub
from support.mysql_talk import start
from support.stubs import Run, answers_of, stub_spec


class Client:
    """A client that speaks packets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        async with asyncio.timeout(10):
            head = await self._reader.readexactly(4)
            return await self._reader.readexactly(int.from_bytes(head[:3], "little"))

    def send(self, body: bytes, sequence: int = 0) -> None:
        self._writer.write(framed(sequence, body))

    async def ask(self, body: bytes) -> bytes:
        self.send(body)
        return await self.read()

    async def end(self) -> None:
        self.send(b"\x01")
        assert await self._reader.read() == b""
        self._writer.close()


def talk(scene: Callable[[Client], Awaitable[None]], capabilities: int = OFFERED) -> Run:
    async def main() -> Run:
        answers, run = answers_of([], "db", "mysql")
        made = open_stub(stub_spec("db", "mysql"), answers)
        client = Client(*await asyncio.open_connection(*await made.start()))
        try:
            assert (await client.read())[:1] == b"\x0a"
            client._writer.write(start(capabilities & ~Capability.PLUGIN_AUTH)[1][1])
            assert (await client.read())[:1] == b"\0"
            await scene(client)
            await client.end()
        finally:
            await made.stop(1)
        return run

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("asked", "head"),
    [
        (b"\x0e", b"\0"),  # ping
        (b"\x02other", b"\0"),  # init db
        (b"\x1f", b"\0"),  # reset connection
        (b"\x1a\x01\0\0\0", b"\0"),  # reset statement
        (b"\x1b\0\0", b"\xfe"),  # set option
        (b"\x04t\0", b"\xfe"),  # field list
        (b"\x09", b"U"),  # statistics
        (b"\x03SET NAMES utf8mb4", b"\0"),
        (b"\x12", b"\xff"),  # binlog dump: nothing to say
        (b"\x17\x09\0\0\0\0\x01\0\0\0", b"\xff"),  # a statement that was never prepared
    ],
)
def test_what_is_said_about_the_connection(asked: bytes, head: bytes) -> None:
    async def scene(client: Client) -> None:
        assert (await client.ask(asked))[:1] == head

    talk(scene)


def test_autocommit_and_transactions_are_told_by_flags() -> None:
    async def scene(client: Client) -> None:
        flags = []
        for text in ("BEGIN", "COMMIT", "SET AUTOCOMMIT = 0", "SAVEPOINT a", "ROLLBACK", "SET AUTOCOMMIT = 1"):
            flags.append((await client.ask(b"\x03" + text.encode()))[3])
        assert flags == [3, 2, 0, 1, 0, 2]

    talk(scene)


def test_another_user_is_let_in_after_the_simplest_proof() -> None:
    async def scene(client: Client) -> None:
        client.send(b"\x11app\0\x03key" + b"other\0\x2d\0caching_sha2_password\0")
        assert (await client.read()).startswith(b"\xfemysql_native_password")
        client.send(b"proof", 2)
        assert (await client.read())[:1] == b"\0"

    async def main() -> None:
        answers, _ = answers_of([], "db", "mysql")
        made = open_stub(stub_spec("db", "mysql"), answers)
        client = Client(*await asyncio.open_connection(*await made.start()))
        try:
            await client.read()
            own = OFFERED | Capability.PLUGIN_AUTH
            login = start(own)[1][1]
            client._writer.write(login)
            assert (await client.read()).startswith(b"\xfemysql_native_password")
            client.send(b"proof", 3)
            assert (await client.read())[:1] == b"\0"
            await scene(client)
        finally:
            client._writer.close()
            await made.stop(1)

    asyncio.run(main())


def test_a_file_is_asked_for_and_is_part_of_the_question() -> None:
    async def scene(client: Client) -> None:
        assert (await client.ask(b"\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE t"))[:1] == b"\xfb"
        client.send(b"1\ta\n", 2)
        client.send(b"", 3)
        assert (await client.read())[:1] == b"\xff"

    run = talk(scene)
    assert run.exchanges[0].request.body == b"1\ta\n"


def test_a_statements_long_value_is_bound() -> None:
    async def scene(client: Client) -> None:
        assert (await client.ask(b"\x16INSERT INTO t (doc) VALUES (?)"))[:1] == b"\0"
        await client.read()
        client.send(b"\x18\x01\0\0\0\0\0long ")
        client.send(b"\x18\x01\0\0\0\0\0value")
        assert (await client.ask(b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01\xfc\0"))[:1] == b"\xff"

    run = talk(scene)
    assert run.exchanges[0].request.arguments == '{"doc":"long value"}'
