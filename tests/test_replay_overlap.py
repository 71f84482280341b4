"""The recording's overlaps, kept: what began while something was under way does so again."""

import asyncio
from collections.abc import Callable

import pytest

from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, Request, Response
from seamline.replay.overlap import Beat, beats_of, replay_overlapped
from seamline.replay.pace import AT_ONCE
from seamline.replay.plan import MessageStep, Plan, make_plan
from seamline.replay.runner import Runner
from seamline.replay.transport.scripted import ScriptedTransport
from support.captures import START_US, an_exchange
from support.kept import Kept

OK = Response(200, Headers(), b"ok", "OK")


def asked(number: int, began: int, ended: int, *, session: str = "", method: str = "POST") -> Exchange:
    """An exchange that began and ended so many microseconds after the first."""
    return an_exchange(
        number,
        session=session or f"s{number}",
        started_us=START_US + began,
        latency_us=ended - began,
        request=Request(method, f"/{number}", Headers([("Host", "h")])),
    )


def beats(*exchanges: Exchange) -> tuple[Beat, ...]:
    return beats_of(make_plan(exchanges, allow_writes=True), exchanges)


def test_starts_and_ends_keep_their_order() -> None:
    found = beats(asked(0, 0, 30), asked(1, 10, 20), asked(2, 30, 40))
    assert [(each.step, each.begins) for each in found] == [
        (0, True), (1, True), (1, False), (0, False), (2, True), (2, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "exchanges",
    [
        (asked(0, 0, 10), asked(1, 10, 20)),
        (asked(0, 0, 30), asked(1, 10, 20, method="GET")),
        (asked(0, 0, 30, session="s"), asked(1, 10, 20, session="s")),
        (asked(0, 5, 5), asked(1, 6, 6)),
        (),
    ],
)
def test_without_writes_of_two_sessions_at_once_there_is_nothing_to_race(exchanges: tuple[Exchange, ...]) -> None:
    assert beats(*exchanges) == ()


def test_a_plan_of_messages_or_of_another_capture_has_no_overlaps() -> None:
    exchanges = [asked(0, 0, 30), asked(1, 10, 20)]
    plan = make_plan(exchanges, allow_writes=True)
    message = MessageStep("m", "s", 0, exchanges[0].request)
    assert beats_of(Plan((*plan.steps, message)), exchanges) == ()
    assert beats_of(plan, exchanges[:1]) == ()
    assert beats_of(plan, exchanges)


def test_what_overlapped_overlaps_and_what_waited_waits() -> None:
    exchanges = [asked(0, 0, 30), asked(1, 10, 20), asked(2, 30, 40)]
    plan = make_plan(exchanges, allow_writes=True)
    transport = ScriptedTransport()
    kept = Kept()

    def under_way() -> list[str]:
        return [shot.request.target for shot in transport.open]

    async def main() -> int:
        runner = Runner(plan, transport, kept, pace=AT_ONCE, concurrency=1, links=LinkIndex())
        playing = asyncio.create_task(replay_overlapped(plan, runner, beats_of(plan, exchanges), in_time=lambda: True))
        await until(lambda: under_way() == ["/0", "/1"])
        transport.open[0].answer(OK)
        await settled()
        # The second ended first when it was recorded: the third waits for both.
        assert under_way() == ["/1"]
        transport.open[0].answer(OK)
        await until(lambda: under_way() == ["/2"])
        transport.open[0].answer(OK)
        return await playing

    assert asyncio.run(main()) == 3
    assert [each.origin for each in kept.exchanges] == ["t-0", "t-1", "t-2"]


def test_no_more_than_so_many_are_under_way_and_the_time_ends_it() -> None:
    exchanges = [asked(number, number, 1000 + number) for number in range(20)]
    plan = make_plan(exchanges, allow_writes=True)

    def play(at_once: int, left: int) -> tuple[int, int]:
        transport = ScriptedTransport(lambda _: OK)
        times = iter([True] * left)

        async def main() -> int:
            runner = Runner(plan, transport, Kept(), pace=AT_ONCE, concurrency=1)
            found = beats_of(plan, exchanges)
            in_time = lambda: next(times, False)  # noqa: E731  (one line)
            return await replay_overlapped(plan, runner, found, in_time=in_time, at_once=at_once)

        return asyncio.run(main()), transport.most_open

    assert play(4, 99) == (20, 4)
    assert play(64, 99) == (20, 20)
    assert play(64, 5) == (5, 5)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)
