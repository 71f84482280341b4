"""Sampling by session."""

from seamline.capture.sample import Sampler


def test_about_the_rate_is_kept_and_always_the_same() -> None:
    sampler, again = Sampler(0.25, "salt"), Sampler(0.25, "salt")
    kept = [sampler.inbound(f"e-{n}", f"s-{n}") for n in range(4000)]
    assert 800 < sum(kept) < 1200
    assert kept == [again.inbound(f"x-{n}", f"s-{n}") for n in range(4000)]
    other = Sampler(0.25, "other")
    assert kept != [other.inbound(f"e-{n}", f"s-{n}") for n in range(4000)]


def test_all_and_none() -> None:
    everything, nothing = Sampler(1.0, "salt"), Sampler(0.0, "salt")
    assert all(everything.inbound(f"e-{n}", f"s-{n}") for n in range(100))
    assert not any(nothing.inbound(f"e-{n}", f"s-{n}") for n in range(100))


def test_a_session_is_kept_whole_with_its_calls() -> None:
    sampler = Sampler(0.5, "salt")
    for number in range(100):
        verdicts = {sampler.inbound(f"e-{number}-{step}", f"s-{number}") for step in range(5)}
        assert len(verdicts) == 1
        assert {sampler.keeps(f"e-{number}-{step}") for step in range(5)} == verdicts


def test_memory_is_bounded_and_an_unknown_cause_is_judged_by_itself() -> None:
    sampler = Sampler(0.5, "salt")
    for number in range(100_010):
        sampler.inbound(f"e-{number}", "s")
    assert len({sampler.keeps(f"unknown-{number}") for number in range(100)}) == 2
