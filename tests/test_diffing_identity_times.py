"""Times that are new in each run, and how far they lie from their requests."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from seamline.diffing.comparison import Comparison, Side, compare_runs
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.identity.times import GOES_WITH, Offsets, instant_of, leaves, relate_times
from seamline.diffing.report.model import Json
from support.traffic import JSON, START_US, Turn, a_run

Made = Callable[[int, int], Any]
"""A time, made of the request's number and of its start."""
SIDES = {"a": 0, "n": 40_000, "b": 90_000}
"""Each side is asked a little later than the one before, microseconds."""


def iso(when_us: int, digits: str = "milliseconds") -> str:
    return datetime.fromtimestamp(when_us / 1e6, UTC).isoformat(timespec=digits)


def run(side: str, made: Made, count: int = 10, takes_us: int = 2_000) -> Side:
    turns = []
    for number in range(count):
        start = START_US + 700_000 * number + SIDES[side]
        body = {"at": made(number, start)}
        turns.append(Turn(target="/x", body=body, takes_us=takes_us, changes={"started_us": start}))
    return Side.of(a_run(turns, side))


def related(before: Made, after: Made, count: int = 10, takes_us: int = 2_000) -> tuple[list[str], list[str]]:
    """What a candidate's times come to: the kinds and transitions of what changed, and why the rest did not."""
    first, again = run("a", before, count), run("n", before, count)
    comparison = compare_runs(first, run("b", after, count, takes_us), Templates())
    changed, kept = relate_times(comparison, Offsets([compare_runs(first, again, Templates())], comparison))
    return [f"{one.difference.kind} {one.difference.transition}" for one in changed], [why for _, why in kept]


def later(seconds: float, digits: str = "milliseconds") -> Made:
    return lambda _number, start: iso(start + int(seconds * 1e6) + 1_500, digits)


def stored(number: int, _start: int) -> str:
    return iso(START_US - 86_400_000_000 * number)


MOVED: list[tuple[str, Made, Made, str]] = [
    ("a quarter of an hour for an hour", later(3600), later(900), "relation_changed -45 min against the request"),
    ("eight seconds", later(3600), later(3608), "relation_changed +8 s against the request"),
    ("in whole seconds", later(3600, "seconds"), later(3605, "seconds"), "relation_changed +5 s against the request"),
    ("as a number", lambda n, s: s // 10**6 + 60, lambda n, s: s // 10**6 + 600, "relation_changed +9 min against the request"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "told"), [row[1:] for row in MOVED], ids=[row[0] for row in MOVED])
def test_a_time_that_lies_elsewhere_changed_its_relation(before: Made, after: Made, told: str) -> None:
    changed, _ = related(before, after)
    assert set(changed) == {told}
    assert len(changed) == 10


def test_a_rule_for_some_requests_only_is_seen_at_them() -> None:
    changed, kept = related(later(3600), lambda n, s: iso(s + (900 if n % 3 == 0 else 3600) * 10**6))
    assert (len(changed), len(kept)) == (4, 6)


STILL: list[tuple[str, Made, Made]] = [
    ("now", later(0), later(0)),
    ("now, in whole seconds: baselines may have met in one", later(0, "seconds"), later(0, "seconds")),
    ("an expiry in whole seconds", later(3600, "seconds"), later(3600, "seconds")),
    ("one slow answer", later(0), lambda n, s: iso(s + (30_000_000 if n == 3 else 0))),
    ("a jitter of the baseline's own size", later(0), lambda n, s: iso(s + 900_000 * (n % 2))),
]


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in STILL], ids=[row[0] for row in STILL])
def test_a_time_that_goes_with_its_request_is_no_difference(before: Made, after: Made) -> None:
    changed, kept = related(before, after)
    assert changed == []
    assert set(kept) <= {GOES_WITH}


def test_who_takes_longer_may_name_a_later_time() -> None:
    slow: Made = lambda _number, start: iso(start + 9_000_000)  # noqa: E731  # one line is clearest
    assert related(later(0), slow, takes_us=10_000_000)[0] == []
    assert len(related(later(0), slow)[0]) == 10


def test_a_stored_time_that_moved_is_a_value_and_not_excused() -> None:
    changed, kept = related(stored, lambda n, s: iso(START_US - 86_400_000_000 * n + 1_000_000))
    assert (changed, kept) == ([], [])


@pytest.mark.parametrize(("pace", "off", "found"), [(700_000, 7_000_000, 6), (3_000_000, 0, 0)])
def test_what_was_stored_earlier_is_older_on_the_side_that_takes_longer(pace: int, off: int, found: int) -> None:
    """Each request reads the time of the first one; the candidate's is another, or its requests come later."""

    def side(name: str, step: int) -> Side:
        first = START_US + SIDES[name] - (off if name == "b" else 0)
        turns = [
            Turn(target="/x", body={"at": iso(first)}, changes={"started_us": START_US + step * n + SIDES[name]})
            for n in range(6)
        ]
        return Side.of(a_run(turns, name))

    comparison = compare_runs(side("a", 700_000), side("b", pace), Templates())
    itself = compare_runs(side("a", 700_000), side("n", 700_000), Templates())
    assert len(relate_times(comparison, Offsets([itself], comparison))[0]) == found


def test_one_request_tells_now_from_a_stored_time() -> None:
    assert related(later(0, "seconds"), later(1, "seconds"), count=1)[1] == [GOES_WITH]
    assert related(lambda n, s: iso(START_US - 10**12), lambda n, s: iso(START_US - 10**12 + 10**6), count=1)[1] == []


def cookies(minutes: int) -> Callable[[str], Side]:
    def side(name: str) -> Side:
        turns = []
        for number in range(6):
            start = START_US + 700_000 * number + SIDES[name]
            expires = datetime.fromtimestamp(start // 10**6 + 60 * minutes, UTC)
            cookie = f"sid=a; Expires={expires:%a, %d-%b-%Y %H:%M:%S} GMT"
            turns.append(Turn(target="/x", headers=(JSON, ("set-cookie", cookie)), changes={"started_us": start}))
        return Side.of(a_run(turns, name))

    return side


@pytest.mark.parametrize(("minutes", "found"), [(60, 0), (10, 6)])
def test_a_cookie_s_lifetime(minutes: int, found: int) -> None:
    first, again = cookies(60)("a"), cookies(60)("n")
    comparison = compare_runs(first, cookies(minutes)("b"), Templates())
    changed, _ = relate_times(comparison, Offsets([compare_runs(first, again, Templates())], comparison))
    told = {(one.difference.kind, one.difference.transition) for one in changed}
    assert len(changed) == found
    assert told <= {("attribute_changed", "cookie sid: lifetime")}


def test_without_a_request_nothing_is_said() -> None:
    empty = Comparison()
    assert relate_times(empty, Offsets([], empty)) == ([], [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-01T10:00:00Z", START_US),
        (START_US // 10**6, START_US),
        (START_US // 1000, START_US),
        ("soon", None),
        (True, None),
        (None, None),
        (7, None),
    ],
)
def test_the_instant_of_a_value(value: Json, expected: int | None) -> None:
    assert instant_of(value, START_US) == expected


def test_leaves_at_wanted_paths() -> None:
    held: Json = {"a": {"b": 1}, "l": [{"c": 2}, {"c": 3}], "x": [4]}
    assert sorted(leaves(held, {"$.a.b": 0, "$.l[*].c": 0, "$.x": 0})) == [
        ("$.a.b", 1),
        ("$.l[*].c", 2),
        ("$.l[*].c", 3),
    ]
