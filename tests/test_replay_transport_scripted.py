"""The transport without a network."""

import asyncio

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Failure, FailureKind, Request, Response
from seamline.replay.transport.base import Outcome
from seamline.replay.transport.scripted import ScriptedTransport

OK = Response(200, Headers())
RESET = Failure(FailureKind.RESET)


def ask(target: str) -> Request:
    return Request("GET", target, Headers())


def test_answers_come_in_the_order_of_the_script_and_then_fail() -> None:
    async def main() -> list[Outcome]:
        transport = ScriptedTransport([OK, RESET])
        return [await transport.send(ask(f"/{number}")) for number in range(3)]

    first, second, third = asyncio.run(main())
    assert (first.response, second.failure) == (OK, RESET)
    assert third.failure is not None
    assert "run out" in third.failure.detail


def test_time_goes_on_by_what_each_takes() -> None:
    async def main() -> list[Outcome]:
        transport = ScriptedTransport(lambda _: OK, took_us=7)
        return [await transport.send(ask("/")) for _ in range(3)]

    outcomes = asyncio.run(main())
    assert all(outcome.done_us - outcome.sent_us >= 7 for outcome in outcomes)
    assert [outcome.sent_us for outcome in outcomes] == sorted(outcome.sent_us for outcome in outcomes)


def test_a_function_answers_by_request() -> None:
    async def main() -> list[Outcome]:
        transport = ScriptedTransport(lambda request: OK if request.target == "/a" else RESET)
        outcomes = [await transport.send(ask(target)) for target in ("/a", "/b")]
        assert [request.target for request in transport.sent] == ["/a", "/b"]
        return outcomes

    assert [outcome.failure for outcome in asyncio.run(main())] == [None, RESET]


def test_by_hand_in_any_order() -> None:
    async def main() -> None:
        transport = ScriptedTransport()
        ended: list[str] = []
        for target in ("/a", "/b"):
            transport.fire(ask(target), lambda outcome, target=target: ended.append(target))  # type: ignore[misc]  # bound
        first, second = transport.open
        second.answer(OK)
        assert (ended, [shot.request.target for shot in transport.open]) == (["/b"], ["/a"])
        with pytest.raises(RuntimeError, match="answered already"):
            second.answer(OK)
        first.answer(RESET)
        assert (ended, transport.open, transport.most_open) == (["/b", "/a"], [], 2)

    asyncio.run(main())


def test_nothing_ends_before_fire_has_returned() -> None:
    async def main() -> None:
        ended: list[Outcome] = []
        ScriptedTransport([OK]).fire(ask("/"), ended.append)
        assert ended == []
        await asyncio.sleep(0)
        assert len(ended) == 1

    asyncio.run(main())


def test_closing_ends_what_waits() -> None:
    async def main() -> None:
        transport = ScriptedTransport()
        ended: list[Outcome] = []
        transport.fire(ask("/"), ended.append)
        await transport.close()
        assert transport.closed
        assert ended[0].failure is not None
        assert ended[0].failure.kind is FailureKind.CANCELLED

    asyncio.run(main())
