"""The plan of a timing round: what is wanted, and everything that it depends on."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.cli import verification
from seamline.cli.rounds import RoundPlan, RoundResult
from seamline.cli.timing import focused, unfinished
from seamline.diffing.latency.stages import Wanted
from seamline.diffing.report.model import Report
from seamline.diffing.rounds import Run
from seamline.replay.plan import MessageStep, Plan, Step
from seamline.replay.values.needs import NONE, Needs, needs_of
from seamline.replay.values.session import SideValues
from support.projects import write_project, write_requests
from support.traffic import Turn, a_run, exchange
from support.verifications import a_plan, verify


def step(name: str, session: str, method: str = "GET") -> Step:
    return Step(name, session, 0, Request(method, f"/{name}", Headers()))


PLAN = Plan(
    (
        step("login", "s1", "POST"),
        step("list", "s1"),
        step("other", "s2"),
        step("wanted", "s1"),
        step("later", "s1"),
        step("write", "s2", "POST"),
        step("again", "s3"),
        step("end", "s2", "POST"),
    ),
    skipped={"no": 1},
)


def names(plan: Plan) -> list[str]:
    return [one.origin for one in plan.steps]


def focus(*origins: str, needs: Needs = NONE) -> list[str]:
    return names(focused(PLAN, Wanted(("GET /x",), frozenset(origins), 5), needs))


def test_what_the_session_did_before_and_every_write_before_stay() -> None:
    assert focus("wanted") == ["login", "list", "wanted"]
    assert focus("again") == ["login", "write", "again"]
    assert focus("wanted", "again") == ["login", "list", "wanted", "write", "again"]
    assert focus() == []


def test_whoever_a_value_comes_from_stays() -> None:
    """Another session's answer, and what that session did before it."""
    turns = [
        Turn(target="/other", body={"key": "kEy-9f8e7d6c5b4a39281706"}),
        Turn(target="/again?key=kEy-9f8e7d6c5b4a39281706", body={}),
    ]
    held = [
        replace(exchange(turn, n, "a"), id=name)
        for n, (turn, name) in enumerate(zip(turns, ("other", "again"), strict=True))
    ]
    needs = needs_of(PLAN, held)
    assert needs.producers("again") == {"other"}
    assert focus("again", needs=needs) == ["login", "other", "write", "again"]


def test_a_plan_with_messages_stays_whole() -> None:
    message = MessageStep("m", "s1", 0, Request("PUBLISH", "t", Headers()), 0, "bus", "nats")
    plan = replace(PLAN, steps=(*PLAN.steps, message))
    assert focused(plan, Wanted(("GET /x",), frozenset({"wanted"}), 5), NONE) is plan


def test_what_was_not_played_is_said() -> None:
    wanted = Wanted(tuple(f"GET /{n}" for n in range(7)), frozenset(), 9)
    assert unfinished(wanted, 2, "the budget of 5 s was used up") == (
        "latency of GET /0, GET /1, GET /2, GET /3, GET /4 and 2 more may have changed: "
        "2 of 9 more rounds were played, the budget of 5 s was used up"
    )


class Clockwork:
    """Stands for `play_round`: the candidate takes longer at even numbers, and nothing has to be started."""

    def __init__(self, extra_us: int, dies_in: int = 0) -> None:
        self.played: list[tuple[int, tuple[str, ...], int]] = []
        self._extra_us = extra_us
        self._dies_in = dies_in

    async def __call__(self, what: RoundPlan) -> RoundResult:
        self.played.append((what.number, tuple(side.name for side in what.sides), len(what.plan.steps)))
        if what.number == self._dies_in:
            raise CouldNotCheck("candidate exited with code 9 during the replay")
        runs = {side.name: self._run(side.name, what) for side in what.sides}
        return RoundResult(len(what.plan.steps), runs, {name: SideValues(what.needs, name) for name in runs})

    def _run(self, name: str, what: RoundPlan) -> Run:
        turns = []
        for each in what.plan.steps:
            even = each.request.target.startswith("/even")
            slow = self._extra_us if name == "candidate" and even else 0
            wobble = random.Random(f"{name}{what.number}{each.origin}").randrange(1_500)
            turns.append(
                Turn(
                    target=each.request.target,
                    body={},
                    takes_us=20_000 + wobble + slow,
                    changes={"origin": each.origin},
                )
            )
        return a_run(turns, f"{name}-{what.number}")


def verified(folder: Path, rounds: Clockwork, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The report on 60 requests to two endpoints."""
    config = write_project(folder)
    write_requests(folder / "quotes.seam", [f"/{'odd' if n % 2 else 'even'}/{n + 100}" for n in range(60)])
    monkeypatch.setattr(verification, "play_round", rounds)
    return verify(a_plan(config))[0]


def test_what_may_have_got_slower_is_replayed_until_it_is_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Clockwork(2_500)
    report = verified(tmp_path, rounds, monkeypatch)
    (one,) = report.findings
    assert (one.surface.value, one.kind, one.endpoint) == ("latency", "location", "GET /even/{id}")
    assert rounds.played[0] == (1, ("baseline", "noise", "candidate"), 60)
    # One session has three requests: what came before an even one goes out with it.
    assert {sides for _, sides, _ in rounds.played[1:]} == {("baseline", "candidate")}
    assert len({number for number, _, _ in rounds.played}) == len(rounds.played) >= 4


def test_without_a_suspicion_one_round_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = Clockwork(0)
    assert verified(tmp_path, rounds, monkeypatch).findings == ()
    assert len(rounds.played) == 1


def test_a_side_that_dies_in_between_leaves_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = verified(tmp_path, Clockwork(2_500, dies_in=2), monkeypatch)
    assert any(line.endswith("candidate exited with code 9 during the replay") for line in report.coverage.unverified)
