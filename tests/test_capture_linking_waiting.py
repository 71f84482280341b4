"""Calls that wait to know their cause."""

import pytest

from seamline.capture.linking import waiting
from seamline.capture.linking.asked import Asked
from seamline.capture.linking.causes import Cause
from seamline.capture.linking.waiting import LONGEST_US, Waiting
from seamline.capture.model import Link, LinkKind

A, B = Cause("a", 0, (), None, ""), Cause("b", 0, (), None, "")


class Room:
    """A waiting room, and what is told."""

    def __init__(self) -> None:
        self.weighed: list[str] = []
        self.finished: list[str] = []
        self.told: list[str] = []
        self.sure: set[str] = set()
        self.waiting = Waiting(
            lambda asked: self.weighed.append(asked.id),
            lambda asked: self.finished.append(asked.id),
            lambda asked: asked.id in self.sure,
        )

    def add(self, name: str, *shares: tuple[Cause, float], ended_us: int = 0, size: int = 1) -> None:
        asked = Asked(name, 0, "db", "op")
        asked.ended_us = ended_us
        asked.shares = dict(shares)
        asked.links = (Link("a", LinkKind.TIME, 0.5),)
        self.waiting.add(asked, lambda links: self.told.append(name) if links else None, size)


def test_it_is_told_when_all_its_candidates_have_ended() -> None:
    room = Room()
    room.add("x", (A, 0.6), (B, 0.4))
    assert room.waiting.are_for(A)
    room.waiting.ended(B)
    assert room.told == []
    room.waiting.ended(A)
    assert (room.told, room.finished) == (["x"], ["x"])
    assert not room.waiting.are_for(A)


def test_it_is_told_as_soon_as_its_best_candidates_end_makes_it_sure() -> None:
    room = Room()
    room.add("x", (A, 0.6), (B, 0.4))
    room.sure.add("x")
    room.waiting.ended(A)
    assert room.told == ["x"]
    room.waiting.ended(B)
    room.waiting.release_all()
    assert room.told == ["x"], "once"


def test_nobody_waits_for_an_unlikely_candidate_or_one_that_has_ended() -> None:
    room = Room()
    ended = Cause("e", 0, (), None, "")
    ended.ended_us = 1
    room.add("x", (ended, 0.9), (B, 0.001))
    assert room.told == ["x"]


def test_nobody_waits_for_ever() -> None:
    room = Room()
    room.add("x", (A, 0.6), (B, 0.4), ended_us=10)
    room.add("y", (A, 0.6), (B, 0.4), ended_us=1_000_000)
    room.waiting.passed(9 + LONGEST_US)
    assert room.told == []
    room.waiting.passed(11 + LONGEST_US)
    assert room.told == ["x"]
    room.waiting.release_all()
    assert room.told == ["x", "y"]


def test_number_and_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST", 3)
    room = Room()
    for number in range(5):
        room.add(str(number), (A, 0.6), (B, 0.4))
    assert room.told == ["0", "1"]
    room.add("large", (A, 0.6), (B, 0.4), size=waiting.MOST_BYTES)
    assert room.told == ["0", "1", "2", "3", "4"]
    room.waiting.release_all()
    assert room.told[-1] == "large"
