"""One door to the stubs."""

import asyncio

import pytest

from seamline.capture.errors import UsageError
from seamline.replay.stubs.door import open_stub
from seamline.replay.stubs.http import HttpStub
from support.stubs import answers_of, stub_spec


def test_the_server_that_speaks_the_protocol() -> None:
    async def main() -> None:
        answers, _ = answers_of([], "pricing", "http")
        stub = open_stub(stub_spec("pricing", "http"), answers)
        assert isinstance(stub, HttpStub)
        host, port = await stub.start()
        assert (host, port > 0) == ("127.0.0.1", True)
        await stub.stop(0)

    asyncio.run(main())


def test_where_none_does_it_is_said() -> None:
    answers, _ = answers_of([], "events", "kafka")
    with pytest.raises(UsageError, match='stub "events": there is no stub for kafka'):
        open_stub(stub_spec("events", "kafka"), answers)
