"""A timer rings once, after it was last set, and never before."""

import asyncio
import time
from collections.abc import Callable

import pytest

from seamline.replay import timer as timers
from seamline.replay.timer import SpinTimer, Timer, make_timer

KINDS = pytest.mark.parametrize("kind", [make_timer, SpinTimer])


async def ring(kind: Callable[[Callable[[], None]], Timer], *delays_us: int) -> float:
    rung = asyncio.Event()
    timer = kind(rung.set)
    started = time.monotonic()
    for delay_us in delays_us:
        timer.set(delay_us)
    await asyncio.wait_for(rung.wait(), 30)
    timer.close()
    return time.monotonic() - started


@KINDS
@pytest.mark.parametrize("delays_us", [(0,), (-5,), (3000,), (20_000,), (10**12, 5000)])
def test_rings_not_before_its_time(kind: Callable[[Callable[[], None]], Timer], delays_us: tuple[int, ...]) -> None:
    assert asyncio.run(ring(kind, *delays_us)) >= delays_us[-1] / 1e6


@KINDS
def test_may_be_set_again_from_its_own_ring(kind: Callable[[Callable[[], None]], Timer]) -> None:
    async def main() -> int:
        over = asyncio.Event()
        count = 0

        def rang() -> None:
            nonlocal count
            count += 1
            timer.set(100) if count < 5 else over.set()

        timer = kind(rang)
        timer.set(100)
        await asyncio.wait_for(over.wait(), 30)
        timer.close()
        return count

    assert asyncio.run(main()) == 5


@KINDS
def test_does_not_ring_once_closed(kind: Callable[[Callable[[], None]], Timer]) -> None:
    async def main() -> list[str]:
        rung: list[str] = []
        timer, other = kind(lambda: rung.append("closed")), asyncio.Event()
        later = kind(other.set)
        timer.set(1000)
        timer.close()
        timer.close()
        later.set(10_000)
        await asyncio.wait_for(other.wait(), 30)
        later.close()
        return rung

    assert asyncio.run(main()) == []


def test_there_is_a_timer_for_platforms_without_a_timerfd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers.sys, "platform", "darwin")

    async def main() -> Timer:
        return make_timer(lambda: None)

    assert isinstance(asyncio.run(main()), SpinTimer)
