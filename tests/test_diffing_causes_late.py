"""A failure that begins late in the run says so."""

import pytest

from support.traffic import Turn, verdict_on


def side(broken: set[int], count: int = 60):  # type: ignore[no-untyped-def]  # a play
    """Requests to one endpoint, of which the candidate fails some."""

    def turn(number: int, name: str) -> Turn:
        fails = name[0] == "b" and number in broken
        return Turn(target="/x", body={}, status=503 if fails else 200)

    return turn


@pytest.mark.parametrize(
    ("broken", "note"),
    [
        (set(range(40, 60)), "late in the run: from request 41 of 60 on"),
        (set(range(40, 60)) - {50, 51}, "late in the run: from request 41 of 60 on"),
        (set(range(60)), None),
        (set(range(40, 50)), None),
        ({58, 59}, None),
        (set(range(0, 60, 3)), None),
    ],
)
def test_from_some_point_on(broken: set[int], note: str | None) -> None:
    (one,) = verdict_on(side(set()), side(broken), count=60, rounds=2).findings
    assert one.surface.value == "status"
    late = [line for line in one.explanation if line.startswith("late")]
    assert late == ([note] if note else [])
