"""Latency from runs: what is judged beside what, whose time it was."""

import random

import pytest

from seamline.diffing.judge import judge
from seamline.diffing.rounds import JudgeOptions, Round
from support.traffic import Call, Play, Turn, play, told, verdict_on


def side(own_us: int = 0, pricing_us: int = 0, extra_calls: int = 0) -> Play:
    """Requests of 10 ms, half of which are spent at pricing; the candidate ("b…") takes longer."""

    def turn(number: int, name: str) -> Turn:
        own, pricing = (own_us, pricing_us) if name[0] == "b" else (0, 0)
        rng = random.Random(f"{number}{name}")
        calls = [
            Call("pricing", "GET", "/price", answer={}, at_us=1_000, takes_us=5_000 + rng.randrange(200) + pricing)
        ]
        if name[0] == "b":
            calls += [Call("stock", "GET", "/stock", answer={}, at_us=800, takes_us=10)] * extra_calls
        return Turn(
            target=f"/orders/{number}", body={}, calls=calls, takes_us=10_000 + rng.randrange(400) + own + pricing
        )

    return turn


@pytest.mark.parametrize(("change", "service"), [({"own_us": 4_000}, None), ({"pricing_us": 4_000}, "pricing")])
def test_the_one_who_got_slower_is_named(change: dict[str, int], service: str | None) -> None:
    (one,) = verdict_on(side(), side(**change), count=40, rounds=2).findings
    assert (one.surface.value, one.kind, one.severity.word, one.service) == ("latency", "location", "warning", service)
    assert one.transition in {"+38 %", "+39 %", "+40 %"}
    assert any(line.startswith("where the time goes: ") for line in one.explanation)


def test_a_shifted_cost_is_information() -> None:
    report = verdict_on(side(), side(own_us=-3_000, pricing_us=3_000), count=60, rounds=3)
    assert told(report) == [("latency.location", None, "info")]
    assert report.findings[0].service == "pricing"


def test_slowness_that_new_calls_cause_is_told_at_their_finding() -> None:
    report = verdict_on(side(), side(own_us=4_000, extra_calls=1), count=40, rounds=2)
    (one,) = report.findings
    assert (one.surface.value, one.kind) == ("http", "extra")
    assert any("the endpoint's time changes with it: +" in line for line in one.explanation)
    assert report.latency[0].verdict == "regressed"


def test_rounds_for_times_alone_confirm_and_refute() -> None:
    """They hold some endpoints only, and nothing but their times counts."""

    def rounds(extra_us: int, count: int, body: str = "") -> list[Round]:
        def turn(number: int, name: str) -> Turn:
            rng = random.Random(f"{number}{name}{extra_us}{body}")
            slow = extra_us if name[0] == "b" else 0
            return Turn(
                target="/x",
                body={"said": body if name[0] == "b" else ""},
                takes_us=20_000 + slow + rng.randrange(4_000),
            )

        return [Round(play(turn, f"a{body}{n}", 30), play(turn, f"b{body}{n}", 30)) for n in range(count)]

    options = JudgeOptions(explain=False)
    hint = rounds(2_000, 1)
    assert judge(hint, [], options).latency[0].verdict == "inconclusive"
    (one,) = judge(hint, [], options, rounds(2_000, 12, "later")).findings
    assert (one.surface.value, one.kind) == ("latency", "location")
    refuted = judge(hint, [], options, rounds(0, 12, "later"))
    assert not refuted.findings
    assert refuted.latency[0].verdict == "equivalent"


def test_a_late_failure_counts_for_no_latency() -> None:
    def failing(number: int, name: str) -> Turn:
        late = name[0] == "b" and number >= 30
        return Turn(target="/x", body={}, status=503 if late else 200, takes_us=90_000 if late else 5_000)

    report = verdict_on(failing, failing, count=60, rounds=2)
    assert [one.surface.value for one in report.findings] == ["status"]
    assert report.latency[0].pairs == 2 * 24
