"""Faults as users write them, and which calls they hit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.replay.faults.spec import NOTHING, Fault, Faults, check_faults, parse_fault, parse_faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("latency:+200ms", Fault("latency", latency_us=200_000)),
        ("latency:1.5s", Fault("latency", latency_us=1_500_000)),
        ("latency:250us every 2", Fault("latency", latency_us=250, every=2)),
        ("status:503", Fault("status", status=503)),
        ("429 after 10", Fault("status", status=429, after=10)),
        ("status:500 after 2 every 3", Fault("status", status=500, after=2, every=3)),
        ("reset", Fault("reset")),
        ("timeout every 5", Fault("timeout", every=5)),
        ("truncate", Fault("truncate")),
    ],
)
def test_what_is_understood(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    ["", "slow", "latency", "latency:fast", "latency:200", "status", "status:99", "status:1000", "status:199", "reset:1",
     "503 after", "503 after x", "503 every 0", "503 before 3", "٥٠٣", "latency:+2h", "reset after -1"],
)  # fmt: skip
def test_what_is_not_comes_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r'is not a fault.*"latency:\+200ms"'):
        parse_fault(text)


def test_an_hour_is_the_longest_wait() -> None:
    with pytest.raises(UsageError, match="longer than an hour"):
        parse_fault("latency:3601s")


def test_several_faults_of_one_downstream_come_together() -> None:
    found = parse_faults(["pricing=reset after 3", "db=latency:+5ms", "pricing=503"])
    assert found == {
        "pricing": (Fault("reset", after=3), Fault("status", status=503)),
        "db": (Fault("latency", latency_us=5000),),
    }
    for text in ("reset", "=reset"):
        with pytest.raises(UsageError, match="names no downstream"):
            parse_faults([text])


def test_some_faults_are_https_own() -> None:
    check_faults([Fault("latency"), Fault("reset"), Fault("timeout")], "postgres", "here")
    check_faults([Fault("status"), Fault("truncate")], "http", "here")
    with pytest.raises(UsageError, match="here: status is a fault of HTTP, not of postgres"):
        check_faults([Fault("status")], "postgres", "here")


def test_calls_are_hit_by_their_number() -> None:
    faults = Faults([parse_fault("503 after 2"), parse_fault("latency:1ms every 2"), parse_fault("reset")])
    blows = [faults.next() for _ in range(4)]
    assert [(blow.delay_us, blow.fault.kind if blow.fault else None) for blow in blows] == [
        (0, "reset"), (1000, "reset"), (0, "status"), (1000, "status"),
    ]  # fmt: skip
    assert faults.hits == 4


def test_without_faults_nothing_is_hit() -> None:
    faults = Faults()
    assert not faults
    assert faults.next() is NOTHING
    assert Faults([parse_fault("reset after 1")]).next() is NOTHING
    assert faults.hits == 0


@given(st.text(max_size=30))
def test_any_text_is_a_fault_or_a_usage_error(text: str) -> None:
    try:
        fault = parse_fault(text)
    except UsageError:
        return
    assert fault.every >= 1
