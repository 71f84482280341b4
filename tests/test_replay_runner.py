"""Conversations with the runner: what is due, what is sent, what is written down."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import NOT_SENT, Exchange, Failure, FailureKind, LinkKind, Request, Response, Role
from seamline.capture.wire.replayed import Replayed, ReplayedDecoder
from seamline.replay.pace import AT_ONCE, RECORDED, Pace
from seamline.replay.plan import MessageStep, Plan, Step, make_plan
from seamline.replay.runner import LEAD_US, STOPPED, Runner
from seamline.replay.tally import GONE_US
from seamline.replay.transport.base import Done, Outcome
from seamline.replay.transport.scripted import Answer, ScriptedTransport
from seamline.replay.values.links import ValueLinks
from seamline.replay.values.needs import restricted
from seamline.replay.values.session import SideValues
from support.linked_values import JSON, an_order, asked, link, order_exchanges

OK = Response(200, Headers())
REFUSED = Failure(FailureKind.CONNECT, "refused")


class FakeClock:
    def __init__(self) -> None:
        self.us = 1_000_000

    def now_us(self) -> int:
        return self.us


class FakeTimer:
    """Rings when the test says so."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.due_us: int | None = None
        self.wake: Callable[[], None] = lambda: None

    def make(self, wake: Callable[[], None]) -> "FakeTimer":
        self.wake = wake
        return self

    def set(self, delay_us: int) -> None:
        self.due_us = self._clock.us + delay_us

    def close(self) -> None:
        self.due_us = None


class FakeRecorder:
    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.congested = False
        self.exchanges: list[Exchange] = []
        self.unclean: list[Exchange] = []
        self.losses: dict[tuple[str, str], int] = {}
        self._seq = 0

    def next_id(self) -> tuple[str, int]:
        self._seq += 1
        return f"run-{self._seq}", self._seq

    def offer_replayed(self, values: Replayed) -> None:
        self.exchanges += ReplayedDecoder().exchanges([values])

    def offer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.unclean.append(exchange)

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        self.losses[kind, reason] = self.losses.get((kind, reason), 0) + count


class Talk:
    """A runner with everything around it faked; `at` and `answer` move the conversation on."""

    def __init__(
        self,
        steps: list[Step],
        *,
        pace: Pace = RECORDED,
        concurrency: int = 10,
        script: Callable[[Request], Answer] | None = None,
        skipped: dict[str, int] | None = None,
        **options: Any,
    ) -> None:
        self.clock = FakeClock()
        self.recorder = FakeRecorder(self.clock)
        self.transport = ScriptedTransport(script, clock=self.clock, took_us=0)
        self.timer = FakeTimer(self.clock)
        self.runner = Runner(
            Plan(tuple(steps), skipped or {}),
            self.transport,
            self.recorder,
            pace=pace,
            concurrency=concurrency,
            timer=self.timer.make,
            **options,
        )
        self.start_us = self.clock.us + LEAD_US

    def at(self, us: int) -> None:
        """Let time pass to `us` after the first intended instant, ringing the timer on its way."""
        while self.timer.due_us is not None and self.timer.due_us <= self.start_us + us:
            self.clock.us = max(self.clock.us, self.timer.due_us)
            self.timer.due_us = None
            self.timer.wake()
        self.clock.us = self.start_us + us

    def answer(self, target: str, answer: Answer = OK) -> None:
        next(shot for shot in self.transport.open if shot.request.target == target).answer(answer)

    @property
    def waiting(self) -> list[str]:
        return [shot.request.target for shot in self.transport.open]

    @property
    def times(self) -> list[tuple[str | None, int, int, int]]:
        """Of each exchange: origin, start after the first instant, lateness, latency."""
        return [
            (each.origin, each.started_us - self.start_us, each.lateness_us, each.latency_us)
            for each in self.recorder.exchanges
        ]


def step(name: str, session: str = "s", at_us: int = 0, position: int = 0) -> Step:
    return Step(name, session, at_us, Request("GET", f"/{name}", Headers([("Host", "h")])), position, "shop")


def play(conversation: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(conversation(), 20))


async def started(talk: Talk) -> "asyncio.Task[Any]":
    task = asyncio.ensure_future(talk.runner.run())
    await asyncio.sleep(0)
    return task


def test_each_request_goes_at_its_instant() -> None:
    async def conversation() -> None:
        talk = Talk([step("a", "s", 0), step("b", "t", 500), step("c", "u", 500)])
        run = await started(talk)
        assert talk.waiting == []
        talk.at(0)
        assert talk.waiting == ["/a"]
        talk.at(499)
        assert talk.waiting == ["/a"]
        talk.at(500)
        assert talk.waiting == ["/a", "/b", "/c"]
        talk.at(800)
        for name in "abc":
            talk.answer(f"/{name}")
        played = await run
        assert talk.times == [("a", 0, 0, 800), ("b", 500, 0, 300), ("c", 500, 0, 300)]
        assert (played.answered, played.failed, played.drift) == (3, 0, 0.0)

    play(conversation)


def test_a_late_answer_delays_its_session_and_nobody_else() -> None:
    async def conversation() -> None:
        talk = Talk([step("a1", "a", 0), step("a2", "a", 100), step("b", "b", 100)])
        run = await started(talk)
        talk.at(100)
        assert talk.waiting == ["/a1", "/b"]
        talk.at(1000)
        talk.answer("/b")
        talk.answer("/a1")
        assert talk.waiting == ["/a2"]
        talk.at(1250)
        talk.answer("/a2")
        await run
        # Latency runs from the intended instant: the wait is in it, and lateness says how much it was.
        assert talk.times == [("b", 100, 0, 900), ("a1", 0, 0, 1000), ("a2", 100, 900, 1150)]
        assert talk.recorder.exchanges[-1].service_us == 250

    play(conversation)


def test_without_a_free_slot_a_send_is_late() -> None:
    async def conversation() -> None:
        talk = Talk([step("a", "a", 0), step("b", "b", 10)], concurrency=1)
        run = await started(talk)
        talk.at(50)
        assert talk.waiting == ["/a"]
        talk.answer("/a")
        assert talk.waiting == ["/b"]
        talk.answer("/b")
        played = await run
        assert list(played.late_us) == [0, 40]

    play(conversation)


def test_a_rate_goes_by_position() -> None:
    async def conversation() -> None:
        talk = Talk([step("a", "a", 0, 2), step("b", "b", 0, 3)], pace=Pace(rate=1000))
        run = await started(talk)
        talk.at(1999)
        assert talk.waiting == []
        talk.at(2000)
        assert talk.waiting == ["/a"]
        talk.at(3000)
        assert talk.waiting == ["/a", "/b"]
        talk.answer("/a")
        talk.answer("/b")
        await run

    play(conversation)


def test_at_once_sessions_run_side_by_side_and_in_order() -> None:
    async def conversation() -> None:
        steps = [step("a1", "a"), step("a2", "a"), step("b1", "b"), step("c1", "c"), step("b2", "b")]
        talk = Talk(steps, pace=AT_ONCE, concurrency=2)
        run = await started(talk)
        assert talk.waiting == ["/a1", "/b1"]
        talk.answer("/a1")
        assert talk.waiting == ["/b1", "/c1"]
        talk.answer("/b1")
        talk.answer("/c1")
        assert talk.waiting == ["/a2", "/b2"]
        talk.answer("/b2")
        talk.answer("/a2")
        await run
        assert [each.lateness_us for each in talk.recorder.exchanges] == [0] * 5

    play(conversation)


def test_what_is_written_down() -> None:
    async def conversation() -> None:
        talk = Talk([step("a", "s")], pace=AT_ONCE, script=lambda _: OK, skipped={"write not allowed": 3})
        await talk.runner.run()
        (exchange,) = talk.recorder.exchanges
        assert (exchange.id, exchange.seq, exchange.origin, exchange.session) == ("run-1", 1, "a", "s")
        assert (exchange.role, exchange.protocol, exchange.service) == (Role.INBOUND, "http", "shop")
        assert (exchange.request.target, exchange.response, exchange.failure) == ("/a", OK, None)
        assert talk.recorder.losses == {("skipped", "write not allowed"): 3}

    play(conversation)


def test_the_service_may_be_renamed() -> None:
    async def conversation() -> None:
        talk = Talk([step("a")], pace=AT_ONCE, script=lambda _: OK, service="orders")
        await talk.runner.run()
        assert talk.recorder.exchanges[0].service == "orders"

    play(conversation)


def test_with_links_a_downstream_call_is_tied_to_its_request() -> None:
    async def conversation() -> None:
        links = LinkIndex()
        talk = Talk([step("a", "a"), step("b", "b")], pace=AT_ONCE, links=links, seed=7)
        run = await started(talk)
        second = talk.transport.sent[1]
        (link,) = links.links_for(Headers([("traceparent", second.headers.get("traceparent") or "")]), talk.clock.us)
        assert (link.parent, link.how) == ("run-2", LinkKind.PROPAGATED)
        talk.answer("/a")
        talk.answer("/b")
        await run
        assert [each.request for each in talk.recorder.exchanges] == talk.transport.sent

    play(conversation)


def test_with_links_a_requests_values_tie_a_call_that_brings_no_trace() -> None:
    async def conversation() -> None:
        links = LinkIndex()
        talk = Talk([step("alpha-00071", "a"), step("beta-00072", "b")], pace=AT_ONCE, links=links)
        run = await started(talk)
        (best, *_) = links.begin("call", talk.clock.us, Headers(), "db/c-1", values=("beta-00072",))
        assert (best.parent, best.how) == ("run-2", LinkKind.VALUE)
        links.end("call", talk.clock.us)
        told: list[object] = []
        links.settle("call", told.append)
        for sent in talk.transport.sent:
            talk.answer(sent.target)
        await run
        assert len(told) == 1

    play(conversation)


def test_without_links_a_request_is_not_touched() -> None:
    async def conversation() -> None:
        talk = Talk([step("a")], pace=AT_ONCE, script=lambda _: OK)
        await talk.runner.run()
        assert talk.transport.sent == [step("a").request]

    play(conversation)


@pytest.mark.parametrize("pace", [AT_ONCE, RECORDED])
def test_a_target_that_goes_away_fails_the_rest_at_once(pace: Pace) -> None:
    async def conversation() -> None:
        talk = Talk([step(f"n{n}", f"s{n % 3}", n * 100_000) for n in range(100)], pace=pace, concurrency=1)
        run = await started(talk)
        talk.at(0)
        talk.transport.open[0].answer(OK)
        for _ in range(24):
            talk.at(talk.clock.us - talk.start_us + GONE_US // 10)
            for shot in list(talk.transport.open):
                shot.answer(REFUSED)
        played = await run
        assert (played.answered, played.failed) == (1, 99)
        assert 0 < played.untried < 99
        assert played.gone
        assert played.died
        assert sorted(each.origin or "" for each in talk.recorder.exchanges) == sorted(f"n{n}" for n in range(100))
        assert all(each.failure for each in talk.recorder.exchanges[1:])

    play(conversation)


@pytest.mark.parametrize("pace", [AT_ONCE, RECORDED])
def test_stopping_waits_for_what_is_under_way_and_counts_the_rest(pace: Pace) -> None:
    async def conversation() -> None:
        talk = Talk([step(f"n{n}", f"s{n % 2}", n) for n in range(10)], pace=pace, concurrency=2)
        run = await started(talk)
        talk.at(3)
        assert talk.waiting == ["/n0", "/n1"]
        talk.runner.stop()
        await asyncio.sleep(0)
        assert not run.done()
        talk.answer("/n0")
        talk.answer("/n1")
        talk.at(100)
        played = await run
        assert (played.answered, played.stopped, talk.waiting) == (2, 8, [])
        assert talk.recorder.losses == {("skipped", STOPPED): 8}

    play(conversation)


def test_without_a_pace_a_congested_recorder_is_waited_for() -> None:
    async def conversation() -> None:
        talk = Talk([step("a", "a"), step("b", "b")], pace=AT_ONCE, concurrency=1)
        run = await started(talk)
        talk.recorder.congested = True
        talk.answer("/a")
        await asyncio.sleep(0.02)
        assert talk.waiting == []
        talk.recorder.congested = False
        while not talk.waiting:
            await asyncio.sleep(0.001)
        talk.answer("/b")
        assert (await run).answered == 2

    play(conversation)


def test_an_empty_plan_is_over_at_once() -> None:
    async def conversation() -> None:
        talk = Talk([], skipped={"x": 1})
        assert (await talk.runner.run()).fired == 0
        assert talk.recorder.losses == {("skipped", "x"): 1}

    play(conversation)


def test_step_by_step() -> None:
    async def conversation() -> None:
        steps = [step("a"), step("b")]
        talk = Talk(steps, pace=AT_ONCE, script=lambda request: OK if request.target == "/a" else REFUSED)
        talk.runner.begin()
        for each in steps:
            await talk.runner.fire(each)
        assert [each.origin for each in talk.recorder.exchanges] == ["a", "b"]
        assert (talk.runner.played.answered, talk.runner.played.failed) == (1, 1)

    play(conversation)


STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 500)), max_size=25).map(
    lambda drawn: [
        step(f"n{n}", f"s{session}", at_us, n) for n, (session, at_us) in enumerate(sorted(drawn, key=lambda x: x[1]))
    ]
)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(1, 4), st.sampled_from([AT_ONCE, RECORDED, Pace(speed=3), Pace(rate=5000)]), st.randoms())
def test_whatever_the_target_does_each_step_ends_once_and_sessions_keep_their_order(
    steps: list[Step], concurrency: int, pace: Pace, random: Any
) -> None:
    async def conversation() -> None:
        talk = Talk(steps, pace=pace, concurrency=concurrency)
        run = await started(talk)
        while not run.done():
            if talk.transport.open and random.random() < 0.6:
                random.choice(talk.transport.open).answer(random.choice([OK, Failure(FailureKind.RESET)]))
            else:
                talk.at(talk.clock.us - talk.start_us + random.randrange(300))
            await asyncio.sleep(0)
        assert sorted(each.origin or "" for each in talk.recorder.exchanges) == sorted(each.origin for each in steps)
        assert talk.transport.most_open <= concurrency
        for session in {each.session for each in steps}:
            sent = [
                int(each.target[2:]) for each in talk.transport.sent if steps[int(each.target[2:])].session == session
            ]
            assert sent == sorted(sent)
        assert all(each.lateness_us >= 0 and each.latency_us >= each.lateness_us for each in talk.recorder.exchanges)

    play(conversation)


def test_an_instant_centuries_away_is_slept_towards_in_steps_a_timer_takes() -> None:
    async def conversation() -> None:
        day_us = 86_400_000_000
        talk = Talk([step("a", "s", 0), step("b", "t", day_us, position=1)], pace=Pace(speed=0.000001))
        run = await started(talk)
        talk.at(0)
        talk.answer("/a")
        for _ in range(3):
            assert talk.timer.due_us is not None
            sleep_us = talk.timer.due_us - talk.clock.us
            assert 0 < sleep_us * 1000 < 2**62, "nanoseconds, in 64 bits"
            talk.at(talk.timer.due_us - talk.start_us)
            assert talk.waiting == [], "an early ring sends nothing"
        talk.runner.stop()
        assert (await run).stopped == 1

    play(conversation)


class Follower:
    """An onlooker that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    def sent(self, exchange_id: str, origin: str) -> None:
        self.seen.append(("sent", exchange_id, origin))

    def answered(self, origin: str, body: bytes) -> None:
        self.seen.append(("answered", origin, body.decode()))


def test_an_onlooker_knows_which_request_replays_which_before_it_goes_out() -> None:
    async def conversation() -> None:
        follower = Follower()
        talk = Talk([step("a"), step("b", "t")], pace=AT_ONCE, onlooker=follower)
        run = await started(talk)
        assert follower.seen == [("sent", "run-1", "a"), ("sent", "run-2", "b")]
        talk.answer("/a", Response(200, Headers(), b"told"))
        talk.answer("/b", REFUSED)
        await run
        assert follower.seen[2:] == [("answered", "a", "told")]

    play(conversation)


class Postman:
    """A messenger whose messages end when the test says so."""

    def __init__(self) -> None:
        self.fired: list[str] = []
        self.done: dict[str, Done] = {}

    def fire(self, step: MessageStep, done: Done) -> None:
        self.fired.append(step.origin)
        self.done[step.origin] = done


def message(name: str, session: str = "m", at_us: int = 0) -> MessageStep:
    return MessageStep(name, session, at_us, Request("CONSUME", "orders", Headers()), 0, "events", "nats")


def test_messages_go_to_the_messenger_in_their_place_in_the_plan() -> None:
    async def main() -> None:
        postman = Postman()
        steps = [message("m1"), message("m2"), step("a", at_us=1000), message("m3", "other", at_us=2000)]
        talk = Talk(steps, messenger=postman)
        running = asyncio.ensure_future(talk.runner.run())
        await asyncio.sleep(0)
        talk.at(2000)
        assert (postman.fired, talk.waiting) == (["m1", "m3"], ["/a"])
        consumed = Outcome(OK, None, talk.start_us + 500, talk.start_us + 900)
        postman.done["m1"](consumed)
        assert postman.fired == ["m1", "m3", "m2"]
        postman.done["m2"](consumed)
        failure = Failure(FailureKind.TIMEOUT, "not consumed")
        postman.done["m3"](Outcome(None, failure, talk.start_us + 2000, talk.start_us + 9000))
        talk.answer("/a")
        await running
        played = talk.runner.played
        assert (played.answered, played.failed, played.unconsumed, played.died) == (3, 1, 1, False)
        # What became of a message is the messenger's to record.
        assert [each.origin for each in talk.recorder.exchanges] == ["a"]
        assert list(played.late_us)[:1] == [500]

    play(main)


def order_steps(*, one_session: bool) -> list[Step]:
    plan = make_plan(order_exchanges(), allow_writes=True)
    return [replace(each, at_us=0, session="s" if one_session else each.origin) for each in plan.steps]


def test_values_go_from_answers_into_later_requests_and_only_those_are_cleaned_again() -> None:
    async def conversation() -> None:
        values = SideValues(an_order())
        talk = Talk(order_steps(one_session=True), pace=AT_ONCE, values=values)
        task = await started(talk)
        talk.answer("/orders", Response(201, JSON, b'{"id":400}'))
        talk.answer("/orders/400/pay")
        talk.answer("/orders/400")
        await task
        assert [each.request.target for each in talk.recorder.exchanges] == [
            "/orders",
            "/orders/400/pay",
            "/orders/400",
        ]
        assert [each.origin for each in talk.recorder.exchanges] == ["place", "pay", "show"]
        assert [each.origin for each in talk.recorder.unclean] == ["pay", "show"]
        assert (values.replaced, talk.runner.played.answered) == (2, 3)

    play(conversation)


def test_a_session_waits_for_another_ones_value() -> None:
    async def conversation() -> None:
        talk = Talk(order_steps(one_session=False), pace=AT_ONCE, values=SideValues(an_order()), concurrency=1)
        task = await started(talk)
        assert talk.waiting == ["/orders"]
        talk.answer("/orders", Response(201, JSON, b'{"id":17}'))
        assert talk.waiting == ["/orders/17/pay"]
        talk.answer("/orders/17/pay")
        talk.answer("/orders/17")
        await task
        assert talk.recorder.unclean == []

    play(conversation)


def test_a_request_without_its_value_is_counted_and_not_sent() -> None:
    async def conversation() -> None:
        for one_session in (True, False):
            talk = Talk(order_steps(one_session=one_session), pace=AT_ONCE, values=SideValues(an_order()))
            task = await started(talk)
            talk.answer("/orders", Response(500, JSON))
            played = await task
            because = "because POST /orders was answered 500 where the recording has 201"
            assert talk.recorder.losses == {
                ("skipped", f"{NOT_SENT}POST /orders/{{id}}/pay, {because}"): 1,
                ("skipped", f"{NOT_SENT}GET /orders/{{id}}, {because}"): 1,
            }
            assert (played.answered, played.failed, played.unsent) == (1, 0, 2)

    play(conversation)


def test_thousands_without_a_value_in_a_row_are_skipped_one_after_the_other() -> None:
    exchanges = [asked("place", "POST", "/orders", 0)] + [
        asked(f"x{at}", "GET", "/orders/17", at) for at in range(1, 3000)
    ]
    links = ValueLinks({each.id: (link("place", each.id),) for each in exchanges[1:]})
    plan = make_plan(exchanges, allow_writes=True)

    async def conversation() -> None:
        values = SideValues(restricted(plan, exchanges, links))
        talk = Talk(list(plan.steps), pace=AT_ONCE, values=values, script=lambda _: REFUSED)
        assert (await talk.runner.run()).unsent == 2999

    play(conversation)


def test_a_stop_ends_those_who_wait_for_a_value_too() -> None:
    async def conversation() -> None:
        talk = Talk(order_steps(one_session=False), pace=AT_ONCE, values=SideValues(an_order()))
        task = await started(talk)
        talk.runner.stop()
        talk.answer("/orders", Response(201, JSON, b'{"id":17}'))
        played = await task
        assert (played.answered, played.stopped, talk.recorder.losses) == (1, 2, {("skipped", STOPPED): 2})

    play(conversation)
