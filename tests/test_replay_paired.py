"""One plan, several sides, request by request."""

import asyncio
from collections.abc import Callable

from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import NOT_SENT, Failure, FailureKind, Request, Response
from seamline.replay.pace import AT_ONCE
from seamline.replay.paired import replay_paired
from seamline.replay.plan import Plan, make_plan
from seamline.replay.runner import Runner
from seamline.replay.transport.scripted import ScriptedTransport
from seamline.replay.values.session import SideValues
from support.captures import an_exchange
from support.kept import Kept
from support.linked_values import JSON, an_order, order_exchanges

PLAN = make_plan([an_exchange(number) for number in range(40)], allow_writes=False)
OK = Response(200, Headers(), b"ok", "OK")


class Game:
    """Three sides that write down who was asked for what, in order."""

    def __init__(self, plan: Plan = PLAN, answer: Callable[[Request], Response | Failure] = lambda _: OK) -> None:
        self.plan = plan
        self.asked: list[tuple[int, str]] = []
        self.kept = [Kept(), Kept(), Kept()]
        self.answer = answer

    def play(self, seed: int = 1, in_time: Callable[[], bool] = lambda: True) -> int:
        async def main() -> int:
            runners = [self._runner(side) for side in range(3)]
            return await replay_paired(self.plan, runners, seed=seed, in_time=in_time)

        return asyncio.run(main())

    def _runner(self, side: int) -> Runner:
        def answer(request: Request) -> Response | Failure:
            self.asked.append((side, request.target))
            return self.answer(request)

        return Runner(
            self.plan,
            ScriptedTransport(answer),
            self.kept[side],
            pace=AT_ONCE,
            concurrency=1,
            links=LinkIndex(),
            seed=7,
        )


def test_every_request_goes_to_every_side_before_the_next() -> None:
    game = Game()
    assert game.play() == 40
    for number, step in enumerate(PLAN.steps):
        three = game.asked[number * 3 : number * 3 + 3]
        assert {side for side, _ in three} == {0, 1, 2}
        assert {target for _, target in three} == {step.request.target}
    for kept in game.kept:
        assert [exchange.origin for exchange in kept.exchanges] == [step.origin for step in PLAN.steps]


def test_the_order_of_the_sides_is_drawn_anew_and_repeats_with_the_seed() -> None:
    first, again, other = Game(), Game(), Game()
    first.play(seed=1)
    again.play(seed=1)
    other.play(seed=2)
    assert first.asked == again.asked != other.asked
    leaders = [side for side, _ in first.asked[::3]]
    assert all(leaders.count(side) > 4 for side in range(3))


def test_a_request_has_the_same_trace_at_every_side_and_one_of_its_own() -> None:
    game = Game()
    game.play()
    traces = [[exchange.request.headers.get("traceparent") for exchange in kept.exchanges] for kept in game.kept]
    assert traces[0] == traces[1] == traces[2]
    assert len(set(traces[0])) == 40


def test_it_stops_between_requests_when_the_time_is_over() -> None:
    left = iter([True] * 5)
    game = Game()
    assert game.play(in_time=lambda: next(left, False)) == 5
    assert [len(kept.exchanges) for kept in game.kept] == [5, 5, 5]


def test_a_failure_on_one_side_is_recorded_and_the_replay_goes_on() -> None:
    failure = Failure(FailureKind.RESET, "connection reset")
    game = Game(answer=lambda request: failure if "/orders/3?" in request.target else OK)
    assert game.play() == 40
    assert [exchange.failure for exchange in game.kept[0].exchanges if exchange.failure] == [failure]


def test_what_the_plan_leaves_out_is_counted_in_every_run() -> None:
    plan = make_plan([an_exchange(1), an_exchange(2, request=Request("POST", "/", Headers()))], allow_writes=False)
    game = Game(plan)
    assert game.play() == 1
    assert [kept.losses for kept in game.kept] == [{"skipped: write not allowed": 1}] * 3


def test_an_empty_plan_is_over_at_once() -> None:
    assert Game(Plan(())).play() == 0


def test_what_one_side_cannot_be_sent_is_sent_to_none() -> None:
    plan = make_plan(order_exchanges(), allow_writes=True)
    sent: list[list[str]] = [[], []]
    kept = [Kept(), Kept()]

    def a_runner(side: int, gives: bytes) -> Runner:
        def answer(request: Request) -> Response:
            sent[side].append(request.target)
            return Response(201, JSON, gives)

        values = SideValues(an_order(), ("baseline", "candidate")[side])
        return Runner(plan, ScriptedTransport(answer), kept[side], pace=AT_ONCE, concurrency=1, values=values)

    async def main(*gives: bytes) -> int:
        runners = [a_runner(side, each) for side, each in enumerate(gives)]
        return await replay_paired(plan, runners, seed=1, in_time=lambda: True)

    assert asyncio.run(main(b'{"id":4}', b'{"number":5}')) == 3
    assert sent == [["/orders"], ["/orders"]]
    why = "because POST /orders gave no $.id (candidate)"
    lost = {
        f"skipped: {NOT_SENT}POST /orders/{{id}}/pay, {why}": 1,
        f"skipped: {NOT_SENT}GET /orders/{{id}}, {why}": 1,
    }
    assert [each.losses for each in kept] == [lost, lost]
    for each in sent:
        each.clear()
    assert asyncio.run(main(b'{"id":4}', b'{"id":5}')) == 3
    assert sent == [["/orders", "/orders/4/pay", "/orders/4"], ["/orders", "/orders/5/pay", "/orders/5"]]
