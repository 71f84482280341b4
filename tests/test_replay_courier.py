"""Messages at one side: produced, consumed, done, or failed in an exchange of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from seamline.capture.clock import Clock
from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, FailureKind, Link, LinkKind, Request, Role
from seamline.capture.wire.call import ERROR, OK, Call
from seamline.replay import courier as module
from seamline.replay.courier import BusWatch, Courier
from seamline.replay.effects import Effects
from seamline.replay.environments.spec import DownstreamSpec
from seamline.replay.plan import MessageStep
from seamline.replay.transport.base import Outcome
from seamline.replay.transport.bus.base import Producer, Undelivered

AT = ("127.0.0.1", 1)


class Kept:
    """A recorder that keeps what it is offered."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.exchanges: list[Exchange] = []
        self._seq = 0

    def next_id(self) -> tuple[str, int]:
        self._seq += 1
        return f"r-{self._seq}", self._seq

    def offer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


class Seen:
    """An onlooker."""

    def __init__(self) -> None:
        self.sent_as: dict[str, str] = {}

    def sent(self, exchange_id: str, origin: str) -> None:
        self.sent_as[exchange_id] = origin


class Scripted:
    """A producer without a broker: `says` decides on each message."""

    def __init__(self, says: Callable[[Request], Awaitable[None]] | None = None) -> None:
        self.says = says
        self.produced: list[Request] = []
        self.closed = False

    async def produce(self, message: Request) -> None:
        self.produced.append(message)
        if self.says is not None:
            await self.says(message)

    async def close(self) -> None:
        self.closed = True


class Game:
    """A courier with one bus "events", a scripted producer and somebody who counts what ends."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        protocol: str = "redis",
        prefix: str | None = None,
        within_s: float = 0.3,
        eager: bool = False,
    ) -> None:
        self.kept = Kept()
        self.seen = Seen()
        self.producer = Scripted()
        self.courier = Courier(self.kept, seed=1, onlooker=self.seen, eager=eager, within_s=within_s, timeout_s=0.4)
        monkeypatch.setattr(module, "open_producer", lambda *_: self.producer)
        self.watch: BusWatch = self.courier.add_bus("events", protocol, AT, (), prefix)
        self.outcomes: list[Outcome] = []
        self._ended = asyncio.Event()
        self._calls = 0

    def fire(self, step: MessageStep) -> None:
        self.courier.fire(step, self._done)

    def _done(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._ended.set()

    async def ended(self, count: int = 1) -> None:
        async with asyncio.timeout(10):
            while len(self.outcomes) < count:
                self._ended.clear()
                await self._ended.wait()

    async def produced(self, count: int = 1) -> Request:
        async with asyncio.timeout(10):
            while len(self.producer.produced) < count:
                await asyncio.sleep(0.005)
        return self.producer.produced[count - 1]

    def deliver(self, message: Request, *, links: tuple[Link, ...] = (), headers: Headers | None = None) -> Call:
        """The tap sees `message` given to the service."""
        self._calls += 1
        call = Call(self.kept.clock.now_us(), "CONSUME", message.target, "consume")
        call.role = Role.INBOUND
        call.exchange_id = f"tap-{self._calls}"
        call.headers = message.headers if headers is None else headers
        call.body = message.body
        call.links = links
        self.watch.begun(call)
        return call

    def acknowledge(self, call: Call, status: int = OK, reason: str = "ack") -> None:
        call.answer(status, self.kept.clock.now_us())
        call.reason = reason
        self.watch.ended(call)


def step(target: str = "orders", body: bytes = b"{}", origin: str = "t-1", **changes: Any) -> MessageStep:
    arguments = changes.pop("arguments", {})
    request = Request("CONSUME", target, Headers(), body, "", "consume", json.dumps(arguments))
    service = changes.pop("service", "events")
    return MessageStep(origin, "m1", 0, request, 0, service, changes.pop("protocol", "redis"), **changes)


def play(monkeypatch: pytest.MonkeyPatch, main: Callable[[Game], Awaitable[None]], **options: Any) -> Game:
    async def run() -> Game:
        game = Game(monkeypatch, **options)
        await main(game)
        await game.courier.close()
        return game

    return asyncio.run(run())


def test_a_message_is_consumed_acknowledged_and_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        call = game.deliver(await game.produced())
        assert (call.origin, call.session) == ("t-1", "m1")
        assert game.courier.awaits(call.exchange_id)
        game.acknowledge(call)
        await game.ended()
        assert not game.courier.awaits(call.exchange_id)

    game = play(monkeypatch, main)
    assert (game.outcomes[0].failure, game.kept.exchanges) == (None, [])
    assert game.seen.sent_as == {"tap-1": "t-1"}
    assert game.producer.closed


def test_it_is_found_by_its_payload_where_no_header_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step(body=b"one", origin="t-1"))
        game.fire(step(body=b"two", origin="t-2"))
        first, second = await game.produced(), await game.produced(2)
        told = [game.deliver(each, headers=Headers()) for each in (second, first)]
        assert [call.origin for call in told] == ["t-2", "t-1"]
        assert game.deliver(second, headers=Headers()).origin is None

    play(monkeypatch, main)


def test_what_has_a_cause_or_another_place_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        message = await game.produced()
        caused = game.deliver(message, links=(Link("x", LinkKind.PROPAGATED, 1.0),))
        elsewhere = game.deliver(Request("CONSUME", "stored", message.headers, b"other"))
        assert (caused.origin, elsewhere.origin) == (None, None)
        assert game.deliver(message).origin == "t-1"

    play(monkeypatch, main)


def test_a_redelivery_is_the_same_message_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        message = await game.produced()
        game.acknowledge(game.deliver(message), ERROR, "nack")
        await game.ended()
        assert game.deliver(message).origin == "t-1"

    game = play(monkeypatch, main)
    assert len(game.outcomes) == 1


def test_what_is_never_consumed_fails_in_an_exchange_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        await game.ended()

    game = play(monkeypatch, main)
    assert game.outcomes[0].failure is not None
    [exchange] = game.kept.exchanges
    assert (exchange.origin, exchange.role, exchange.protocol, exchange.service) == (
        "t-1", Role.INBOUND, "redis", "events",
    )  # fmt: skip
    assert exchange.failure is not None
    assert exchange.failure.kind is FailureKind.TIMEOUT
    assert exchange.failure.detail.startswith("not consumed within")
    assert "traceparent" in exchange.request.headers


def test_only_what_reached_nobody_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf(message: Request) -> None:
        if message.body == b"no":
            raise Undelivered(FailureKind.PROTOCOL, "refused")
        raise Undelivered(FailureKind.TIMEOUT, "nobody", unheard=True)

    async def main(game: Game) -> None:
        game.producer.says = deaf
        game.fire(step(body=b"no", origin="t-1"))
        await game.ended()
        assert len(game.producer.produced) == 1
        game.fire(step(body=b"unheard", origin="t-2"))
        await game.ended(2)
        assert len(game.producer.produced) > 2

    game = play(monkeypatch, main)
    assert [each.failure and each.failure.detail for each in game.kept.exchanges] == ["refused", "nobody"]


def test_whatever_goes_wrong_every_message_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Request) -> None:
        raise RuntimeError("told to nobody")

    async def main(game: Game) -> None:
        game.producer.says = broken
        game.fire(step())
        await game.ended()

    [exchange] = play(monkeypatch, main).kept.exchanges
    assert exchange.failure is not None
    assert exchange.failure.detail == "cannot be produced: RuntimeError"


def test_calls_keep_a_message_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step(effects=Effects(1, 10)))
        call = game.deliver(await game.produced())
        game.courier.call_begun("c", (Link(call.exchange_id, LinkKind.TIME, 0.95),), game.kept.clock.now_us())
        game.acknowledge(call, OK, "unacknowledged")
        assert game.courier.awaits(call.exchange_id)
        ended_us = game.kept.clock.now_us()
        game.courier.call_ended("c", ended_us)
        await game.ended()
        assert game.outcomes[0].done_us == ended_us

    play(monkeypatch, main)


def test_one_that_is_never_acknowledged_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        game.deliver(await game.produced())
        await game.ended()

    game = play(monkeypatch, main)
    assert (game.outcomes[0].failure, game.kept.exchanges) == (None, [])


def test_a_late_commit_ends_a_message_where_its_effects_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step(protocol="kafka", origin="t-1"))
        game.fire(step(protocol="kafka", origin="t-2", body=b"2"))
        first, second = game.deliver(await game.produced()), game.deliver(await game.produced(2))
        await game.ended(2)
        game.acknowledge(first, OK, "commit")
        second.fail(FailureKind.CANCELLED, "the tap was stopped", game.kept.clock.now_us())
        game.watch.ended(second)
        assert (first.ended_us, first.reason) == (first.started_us, "commit")
        assert (second.failure, second.answered, second.reason) == (None, True, "unacknowledged")

    play(monkeypatch, main, protocol="kafka")


def test_under_a_prefix_it_waits_until_the_service_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step("live.orders"))
        await asyncio.sleep(0.05)
        assert game.producer.produced == []
        subscribe = Call(0, "SUBSCRIBE", "own.orders", "subscribe")
        game.watch.begun(subscribe)
        assert (await game.produced()).target == "own.orders"
        game.fire(step("live.unknown", origin="t-2"))
        await game.ended(2)

    game = play(monkeypatch, main, prefix="own")
    failed = {each.origin: each for each in game.kept.exchanges}
    assert failed["t-1"].request.target == "{prefix}.orders"
    assert failed["t-2"].failure is not None
    assert failed["t-2"].failure.detail.startswith("nobody listened for it")
    assert len(game.producer.produced) == 1


def test_an_eager_one_lets_the_next_go_and_looks_after_the_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        call = game.deliver(await game.produced())
        assert game.outcomes == []
        game.acknowledge(call)
        assert len(game.outcomes) == 1
        assert game.courier.awaits(call.exchange_id)
        await game.courier.settled()
        assert not game.courier.awaits(call.exchange_id)

    game = play(monkeypatch, main, eager=True)
    assert len(game.outcomes) == 1


def test_what_was_consumed_when_all_ends_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step())
        game.deliver(await game.produced())

    game = play(monkeypatch, main)
    assert ([each.failure for each in game.outcomes], game.kept.exchanges) == ([None], [])


def test_a_bus_that_is_not_there_and_an_end_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(game: Game) -> None:
        game.fire(step(service="other"))
        await game.ended()
        game.fire(step(origin="t-2"))
        await game.produced()
        game.fire(step(origin="t-3"))

    game = play(monkeypatch, main, within_s=5.0)
    kinds = [(each.origin, each.failure.kind.value) for each in game.kept.exchanges if each.failure]
    assert kinds == [("t-1", "connect"), ("t-2", "cancelled"), ("t-3", "cancelled")]
    assert len(game.outcomes) == 3


def test_a_stub_and_a_protocol_without_messages_are_no_bus() -> None:
    courier = Courier(Kept())
    assert courier.watch_of(DownstreamSpec("a", "http", AT), AT, None) is None
    assert courier.watch_of(DownstreamSpec("a", "redis", AT, mode="stub"), AT, None) is None
    assert courier.watch_of(DownstreamSpec("a", "nats", AT), AT, None) is not None


def test_a_scripted_producer_is_a_producer() -> None:
    producer: Producer = Scripted()
    assert producer is not None
