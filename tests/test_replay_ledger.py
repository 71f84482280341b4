"""What was fired, on disk before the bytes go out."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Failure, FailureKind, Request, Response
from seamline.replay.ledger import IN_DOUBT, SENT_BEFORE, Ledger, is_ledgered, path_of, without
from seamline.replay.plan import Plan, Step
from seamline.replay.transport.base import Outcome

OK = Outcome(Response(500, Headers()), None, 0, 1)


def failing(kind: FailureKind) -> Outcome:
    return Outcome(None, Failure(kind), 0, 1)


def step(origin: str, method: str = "POST") -> Step:
    return Step(origin, "s", 0, Request(method, "/orders", Headers()))


def opened(path: Path, *, resume: bool = False, capture: str = "cap", target: str = "127.0.0.1:1") -> Ledger:
    return Ledger.open(path, capture, target, resume=resume)


def test_a_ledger_stands_beside_its_run() -> None:
    assert path_of(Path("runs/a.seam")) == Path("runs/a.seam.ledger")


def test_intents_are_on_disk_before_anything_else_happens(tmp_path: Path) -> None:
    path = tmp_path / "run.seam.ledger"
    ledger = opened(path)
    assert ledger.intend(step("a"))
    assert path.read_text().splitlines()[1:] == ['["i", "a"]']
    assert path.stat().st_mode & 0o77 == 0
    ledger.ended(step("a"), OK)
    assert path.read_text().splitlines()[1:] == ['["i", "a"]', '["d", "a"]']


def test_reads_cost_no_line(tmp_path: Path) -> None:
    path = tmp_path / "l"
    ledger = opened(path)
    assert ledger.intend(step("a", "GET"))
    ledger.ended(step("a", "GET"), OK)
    assert len(path.read_text().splitlines()) == 1
    assert (is_ledgered(step("a")), is_ledgered(step("a", "GET"))) == (True, False)


def test_what_was_left_is_known_to_the_next_replay(tmp_path: Path) -> None:
    path = tmp_path / "l"
    ledger = opened(path)
    outcomes = {
        "answered": OK,
        "refused": failing(FailureKind.CONNECT),
        "slow": failing(FailureKind.TIMEOUT),
        "cut": failing(FailureKind.RESET),
        "killed": None,
    }
    for origin, outcome in outcomes.items():
        ledger.intend(step(origin))
        if outcome is not None:
            ledger.ended(step(origin), outcome)
    ledger.close(whole=False)
    again = opened(path, resume=True)
    assert (again.sent, again.doubtful) == ({"answered"}, {"slow", "cut", "killed"})
    plan = Plan(tuple(map(step, (*outcomes, "new"))), {"write not allowed": 1})
    left = without(plan, again)
    assert [each.origin for each in left.steps] == ["refused", "new"]
    assert left.skipped == {"write not allowed": 1, SENT_BEFORE: 1, IN_DOUBT: 3}
    again.intend(step("new"))
    again.ended(step("new"), OK)
    again.close(whole=True)
    assert not path.exists()


def test_an_unfinished_ledger_is_refused_unless_it_is_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "l"
    ledger = opened(path)
    ledger.intend(step("a"))
    ledger.intend(step("b"))
    ledger.ended(step("a"), OK)
    ledger.close(whole=False)
    with pytest.raises(UsageError, match="did not end: 1 writes were sent, 1 may have been"):
        opened(path)
    for other in ({"capture": "other"}, {"target": "127.0.0.1:2"}):
        with pytest.raises(UsageError, match="is of another replay"):
            opened(path, resume=True, **other)  # type: ignore[arg-type]  # either is text
    assert path.exists()


def test_where_nothing_was_fired_nothing_stays(tmp_path: Path) -> None:
    path = tmp_path / "l"
    opened(path).close(whole=False)
    assert not path.exists()
    opened(path, resume=True).close(whole=False)
    assert not path.exists()


def test_a_line_that_was_cut_was_never_carried_out_and_swallows_none(tmp_path: Path) -> None:
    path = tmp_path / "l"
    ledger = opened(path)
    ledger.intend(step("a"))
    ledger.close(whole=False)
    with path.open("ab") as file:
        file.write(b'["i", "b')
    again = opened(path, resume=True)
    assert (again.sent, again.doubtful) == (frozenset(), {"a"})
    again.intend(step("c"))
    again.close(whole=False)
    assert opened(path, resume=True).doubtful == {"a", "c"}


def test_without_a_ledger_nothing_is_fired(tmp_path: Path) -> None:
    path = tmp_path / "l"
    ledger = opened(path)
    os.close(ledger._file)
    assert not ledger.intend(step("a"))
    assert ledger.intend(step("b", "GET"))
    assert not ledger.intend(step("c"))


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the ledger"):
        opened(tmp_path / "missing" / "l")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        opened(tmp_path / "link", resume=True)


@given(st.lists(st.sampled_from(["a", "b", '"\n', "\ud800"]), max_size=12), st.integers(0, 12), st.binary(max_size=20))
def test_whatever_happens_to_the_file_no_answered_write_is_fired_again(
    origins: list[str], ended: int, junk: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l"
        ledger = opened(path)
        for at, origin in enumerate(origins):
            ledger.intend(step(origin))
            if at < ended:
                ledger.ended(step(origin), OK)
        ledger.close(whole=False)
        if not origins:
            return
        with path.open("ab") as file:
            file.write(junk.replace(b"\n", b""))
        again = opened(path, resume=True)
        assert again.sent | again.doubtful >= set(origins)
        again.close(whole=False)
