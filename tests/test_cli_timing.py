"""The plan of a timing round: what is wanted, and everything that it depends on."""

from dataclasses import replace

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.cli.timing import focused
from seamline.diffing.latency.stages import Wanted
from seamline.replay.plan import MessageStep, Plan, Step
from seamline.replay.values.needs import NONE, Needs, needs_of
from support.traffic import Turn, exchange


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
