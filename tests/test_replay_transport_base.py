"""Sending by firing."""

import asyncio

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response
from seamline.replay.transport.base import Outcome, send_through
from seamline.replay.transport.scripted import ScriptedTransport

GET = Request("GET", "/", Headers())
OK = Response(200, Headers())


def test_an_outcome_has_its_defaults() -> None:
    outcome = Outcome(OK, None, 1, 2)
    assert (outcome.truncated, outcome.retried) == (False, False)


def test_send_waits_for_the_end() -> None:
    async def main() -> Outcome:
        transport = ScriptedTransport()
        sending = asyncio.ensure_future(send_through(transport, GET))
        await asyncio.sleep(0)
        assert not sending.done()
        transport.open[0].answer(OK)
        return await sending

    assert asyncio.run(main()).response == OK


def test_an_answer_to_a_caller_that_left_hurts_nobody() -> None:
    async def main() -> None:
        transport = ScriptedTransport()
        sending = asyncio.ensure_future(send_through(transport, GET))
        await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        transport.open[0].answer(OK)

    asyncio.run(main())
