"""The limit on open files, and what it leaves for connections."""

import resource

import pytest

from seamline.cli.open_files import room_for

INFINITY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "each", "room", "raised"),
    [
        # Enough as it is: the limit stays.
        (1024, 4096, 64, 1, 64, None),
        (1024, 4096, 960, 1, 960, None),
        # Raised as far as needed, or as far as it goes.
        (1024, 4096, 1024, 1, 1024, 1088),
        (256, 1000, 1024, 1, 936, 1000),
        (256, INFINITY, 10_000, 1, 10_000, 10_064),
        # A connection that costs three files.
        (256, 364, 1024, 3, 100, 364),
        # Never none at all, never changed where there is no limit.
        (32, 32, 10, 1, 1, 32),
        (INFINITY, INFINITY, 10_000, 1, 10_000, None),
    ],
)
def test_room(
    monkeypatch: pytest.MonkeyPatch,
    soft: int,
    hard: int,
    connections: int,
    each: int,
    room: int,
    raised: int | None,
) -> None:
    limits = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert room_for(connections, each) == room
    assert limits[-1] == (soft if raised is None else raised, hard)
