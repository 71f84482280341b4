"""A verification: rounds until it is sure, within its budget."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Losses, Request
from seamline.capture.store.writer import CaptureWriter
from seamline.cli.verification import Verification
from seamline.diffing.report.model import Report, Severity, Verdict
from seamline.diffing.report.stored import parse_report
from support.captures import MANIFEST, an_exchange, write_capture
from support.projects import write_project, write_requests
from support.verifications import a_plan, verify


def kinds(report: Report) -> set[str]:
    return {f"{finding.surface}.{finding.kind}" for finding in report.findings if finding.severity > Severity.INFO}


def test_no_change_is_the_same_after_one_round(tmp_path: Path) -> None:
    report, said, folder = verify(a_plan(write_project(tmp_path)))
    assert (report.verdict, report.reason, kinds(report)) == (Verdict.SAME, None, set())
    assert report.capture.exchanges == 12
    assert report.coverage.unverified == ()
    assert any(each.path == "$.at" for each in report.suppressed)
    assert said[0].startswith("round 1: 12 of 12 requests to baseline, noise, candidate in ")
    assert said[1:] == [f"report: {folder / 'report.html'}"]
    assert folder.parent == tmp_path / ".seamline" / "runs"
    assert {path.name for path in folder.iterdir()} == {
        *(f"{side}-1.seam" for side in ("baseline", "noise", "candidate")),
        "report.json",
        "report.html",
        "noise.toml",
    }
    assert parse_report((folder / "report.json").read_text()) == report
    assert folder.stat().st_mode & 0o77 == 0


def test_a_changed_type_is_found_and_confirmed_at_fresh_processes(tmp_path: Path) -> None:
    report, said, folder = verify(a_plan(write_project(tmp_path, '[candidate]\nenv = { MODE = "type" }\n')))
    assert report.verdict is Verdict.DIVERGED
    [finding] = [each for each in report.findings if each.severity > Severity.INFO]
    assert (finding.surface, finding.kind, finding.path) == ("response", "type_changed", "$.price")
    assert (finding.endpoint, finding.requests, finding.of) == ("GET /quote/{id}", 12, 12)
    assert said[1].startswith("round 2: 12 of 12 requests to baseline, candidate in ")
    assert (folder / "candidate-2.seam").exists()
    assert not (folder / "noise-2.seam").exists()
    assert finding.reproduce.endswith(f"verify --config {tmp_path / 'seamline.toml'} --only {finding.exchanges[0]}")


def test_a_call_made_twice_is_found_at_its_hop(tmp_path: Path) -> None:
    report, _, _ = verify(a_plan(write_project(tmp_path, '[candidate]\nenv = { MODE = "calls" }\n')))
    assert report.verdict is Verdict.DIVERGED
    assert {finding.service for finding in report.findings if finding.severity > Severity.INFO} == {"prices"}


def test_what_differs_between_baselines_is_no_finding(tmp_path: Path) -> None:
    both = '[baseline]\nenv = { MODE = "flaky" }\n[candidate]\nenv = { MODE = "flaky" }\n'
    report, _, _ = verify(a_plan(write_project(tmp_path, both)))
    assert (report.verdict, kinds(report)) == (Verdict.SAME, set())
    assert any(each.path == "$.price" for each in report.suppressed)


def test_only_one_exchange_and_what_its_session_did_before(tmp_path: Path) -> None:
    config = write_project(tmp_path, '[candidate]\nenv = { MODE = "type" }\n')
    report, said, _ = verify(a_plan(config, only="t-4"))
    assert said[0].startswith("round 1: 2 of 2 requests")
    [finding] = [each for each in report.findings if each.severity > Severity.INFO]
    assert set(finding.exchanges) == {"t-3", "t-4"}


def test_an_id_that_is_not_in_the_capture_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--only nope: the capture has no such inbound exchange"):
        verify(a_plan(write_project(tmp_path), only="nope"))


@pytest.mark.slow
def test_a_budget_that_ends_leaves_the_rest_unverified_and_never_passes(tmp_path: Path) -> None:
    both = '[baseline]\nenv = { MODE = "slow" }\n[candidate]\nenv = { MODE = "slow" }\n'
    config = write_project(tmp_path, both)
    write_requests(tmp_path / "quotes.seam", ["/stock"] * 200)
    report, _, _ = verify(a_plan(config, budget_s=6.0))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert report.reason.startswith("the budget ended after ")
    assert any(line.startswith("GET /stock: ") and "not replayed" in line for line in report.coverage.unverified)


def test_no_budget_is_said_to_be_the_reason(tmp_path: Path) -> None:
    report, _, folder = verify(a_plan(write_project(tmp_path), budget_s=0.001))
    assert (report.verdict, report.reason) == (Verdict.INCONCLUSIVE, "the budget ended after 0 of 12 requests")
    assert (folder / "report.json").exists()


def test_without_time_to_confirm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verification, "_time_for_another", lambda _: False)
    report, said, _ = verify(a_plan(write_project(tmp_path, '[candidate]\nenv = { MODE = "type" }\n')))
    assert report.verdict is Verdict.DIVERGED
    assert "round 2, to confirm: the budget of 50 s was used up" in report.coverage.unverified
    assert not any(line.startswith("round 2") for line in said)


def test_several_captures_make_one_report_and_keep_their_runs_apart(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    other = write_requests(tmp_path / "other.seam", ["/stock", "/stock"])
    report, _, folder = verify(a_plan(config, captures=(tmp_path / "quotes.seam", other)))
    assert report.verdict is Verdict.SAME
    assert report.capture.exchanges == 14
    assert report.coverage.endpoints == ("GET /quote/{id}", "GET /stock")
    assert (folder / "capture-1" / "noise-1.seam").exists()
    assert (folder / "capture-2" / "noise-1.seam").exists()


def test_several_captures_are_named_in_the_command_that_reproduces(tmp_path: Path) -> None:
    config = write_project(tmp_path, '[candidate]\nenv = { MODE = "type" }\n')
    other = write_requests(tmp_path / "other.seam", ["/stock"])
    report, _, _ = verify(a_plan(config, captures=(tmp_path / "quotes.seam", other)))
    [finding] = [each for each in report.findings if each.severity > Severity.INFO]
    assert f"--capture {tmp_path / 'quotes.seam'} --only " in finding.reproduce


def test_a_capture_whose_recorder_was_killed_does_not_pass(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    writer = CaptureWriter(tmp_path / "quotes.seam", MANIFEST)
    for number in range(3):
        writer.write(an_exchange(number, request=Request("GET", "/stock", Headers())))
    writer.flush()
    killed = (tmp_path / "quotes.seam").read_bytes()
    writer.close(Losses())
    (tmp_path / "quotes.seam").write_bytes(killed)
    report, _, _ = verify(a_plan(config))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert "not finished by its recorder" in report.reason


def test_a_captures_losses_are_in_the_report(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    write_capture(
        tmp_path / "quotes.seam",
        [an_exchange(1, request=Request("GET", "/stock", Headers()))],
        Losses(dropped=5, truncated=2),
    )
    report, _, _ = verify(a_plan(config))
    assert (report.capture.dropped, report.capture.truncated) == (5, 2)


def test_nothing_to_replay_is_no_pass(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    write_capture(tmp_path / "quotes.seam", [])
    with pytest.raises(CouldNotCheck, match=r"quotes\.seam: nothing to replay"):
        verify(a_plan(config))


def test_writes_are_sent_to_started_sides_only(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    write_requests(tmp_path / "quotes.seam", ["/stock"], method="POST")
    report, _, _ = verify(a_plan(config))
    assert report.capture.exchanges == 1
    assert report.coverage.unverified == ()
    config.write_text(config.read_text() + '[candidate]\nurl = "http://127.0.0.1:1"\n')
    with pytest.raises(CouldNotCheck, match=r"nothing to replay; 1 write not allowed .*--allow-writes"):
        verify(a_plan(config))


def test_a_downstream_that_is_not_there_ends_it_before_it_begins(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    config.write_text(config.read_text().replace('{ env = "PRICES_PORT" }', '"127.0.0.1:1"'))
    with pytest.raises(CouldNotCheck, match='downstream "prices" was not ready'):
        verify(a_plan(config))


def test_a_side_that_cannot_be_started_is_a_mistake(tmp_path: Path) -> None:
    config = tmp_path / "seamline.toml"
    config.write_text('[service]\nname = "x"\n')
    write_requests(tmp_path / "a.seam", ["/"])
    with pytest.raises(UsageError, match="neither command nor url"):
        verify(a_plan(config, captures=(tmp_path / "a.seam",)))


def test_each_verification_has_a_folder_of_its_own(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    folders = {Verification(a_plan(config), Console(file=io.StringIO())).folder for _ in range(3)}
    assert len(folders) == 3
