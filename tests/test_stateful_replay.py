"""`verify` and `replay` of a service that draws every id, token and cursor anew: each side gets its own."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from seamline.capture.keys import load_key
from seamline.capture.model import Exchange, Role
from seamline.capture.store.reader import open_capture
from seamline.diffing.report.model import Report, Severity, Verdict
from support.recordings import environment
from support.stateful import REQUESTS, desk, use, write_project
from support.verifications import a_plan, verify


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a recording; its folder."""
    return write_project(tmp_path_factory.mktemp("desk")).parent


@functools.cache
def verified(folder: Path, mode: str) -> tuple[Report, list[str], Path]:
    """The report on a candidate of the given MODE, what was said, and the runs' folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAMLINE_KEY", environment()["SEAMLINE_KEY"])
        key = load_key(folder)
    config = folder / f"{mode or 'plain'}.toml"
    overlay = f'[candidate]\nenv = {{ MODE = "{mode}" }}\n' if mode else ""
    config.write_text((folder / "seamline.toml").read_text() + overlay)
    return verify(a_plan(config, key=key))


def inbound(path: Path) -> dict[str, Exchange]:
    """The requests of a capture, by what they replay, else by their ids."""
    with open_capture(path) as capture:
        return {each.origin or each.id: each for each in capture if each.role is Role.INBOUND}


def alarms(report: Report) -> list[tuple[str, str, str | None]]:
    return [
        (f"{finding.surface}.{finding.kind}", finding.endpoint, finding.path)
        for finding in report.findings
        if finding.severity > Severity.INFO
    ]


def test_a_baseline_against_itself_is_the_same_and_answers_as_recorded(
    project: Path,
) -> None:
    report, said, folder = verified(project, "")
    assert (report.verdict, report.reason, alarms(report)) == (Verdict.SAME, None, [])
    assert report.coverage.unverified == ()
    assert [line for line in said if line.startswith("values: ")] == ["values: 34 links in 18 requests, 0 unconfirmed"]
    recorded = inbound(project / "desk.seam")
    assert len(recorded) == REQUESTS
    runs = [inbound(folder / f"{side}-1.seam") for side in ("baseline", "noise", "candidate")]
    for run in runs:
        assert {origin: each.status for origin, each in run.items()} == {
            origin: each.status for origin, each in recorded.items()
        }
    paid = [next(each for each in run.values() if each.request.target.endswith("/pay")) for run in runs]
    # Each side was sent the id that it had answered, in the path and, as a number, in the body.
    numbers = [each.request.target.split("/")[2] for each in paid]
    assert len(set(numbers)) == 3
    assert [json.loads(each.request.body) for each in paid] == [{"order": int(number)} for number in numbers]
    # Clients' own values stay: two requests with one key are two requests with one key.
    keys = [each.request.headers.get("idempotency-key") for each in runs[0].values()]
    assert keys.count("k-1") == 4


def test_a_producer_that_fails_is_one_finding_and_the_rest_is_not_sent_because_of_it(
    project: Path,
) -> None:
    report, _, folder = verified(project, "broken")
    assert alarms(report) == [("status.changed", "POST /orders", None)]
    [finding] = [each for each in report.findings if each.severity > Severity.INFO]
    because = "it was answered 500 where the recording has 201"
    assert finding.explanation[-2:] == (
        f"followed by requests to GET /orders/{{id}} that could not be sent, because {because}: 2",
        f"followed by requests to POST /orders/{{id}}/pay that could not be sent, because {because}: 2",
    )
    why = "because POST /orders was answered 500 where the recording has 201 (candidate)"
    assert [line for line in report.coverage.unverified if "not sent" in line] == [
        f"GET /orders/{{id}}: 2 not sent, {why}",
        f"POST /orders/{{id}}/pay: 2 not sent, {why}",
    ]
    # No side is sent what one cannot be: their states stay comparable.
    assert {len(inbound(folder / f"{side}-1.seam")) for side in ("baseline", "candidate")} == {REQUESTS - 4}


@pytest.mark.slow
def test_a_value_that_moved_is_the_producers_finding(project: Path) -> None:
    report, _, _ = verified(project, "renamed")
    assert report.verdict is Verdict.DIVERGED
    assert {endpoint for _, endpoint, _ in alarms(report)} == {"POST /orders"}
    assert "GET /orders/{id}: 4 not sent, because POST /orders gave no $.id (candidate)" in report.coverage.unverified


def test_what_an_answer_gave_is_cleaned_before_it_is_written(project: Path) -> None:
    _, _, folder = verified(project, "")
    run = inbound(folder / "baseline-1.seam")
    given = {
        json.loads(each.response.body)["token"]
        for each in run.values()
        if each.request.target == "/login" and each.response is not None
    }
    sent = {
        value.removeprefix("Bearer ")
        for each in run.values()
        if (value := each.request.headers.get("authorization")) is not None
    }
    # Both ends are pseudonyms of this side's tokens: the same one at both, and not the recording's.
    assert sent == given
    recorded = {each.request.headers.get("authorization") for each in inbound(project / "desk.seam").values()}
    assert not {f"Bearer {token}" for token in sent} & recorded


@pytest.mark.parametrize("pace", ["max", "recorded"])
def test_a_plain_replay_follows_values_too(project: Path, tmp_path: Path, pace: str) -> None:
    with desk(project, tmp_path / "tokens") as port:
        done = replay(project, "--target", f"http://127.0.0.1:{port}", "--allow-writes", "--pace", pace,
                      "-o", str(tmp_path / "run.seam"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "values: 34 links in 18 requests, 0 unconfirmed" in done.stderr
    recorded, run = inbound(project / "desk.seam"), inbound(tmp_path / "run.seam")
    assert {origin: each.status for origin, each in run.items()} == {
        origin: each.status for origin, each in recorded.items()
    }
    tokens = (tmp_path / "tokens").read_text().split()
    assert len(tokens) == 2
    assert not any(token in repr(each) for token in tokens for each in run.values())


def test_without_its_producers_a_request_goes_as_it_was_recorded(project: Path, tmp_path: Path) -> None:
    with desk(project) as port:
        use(port)
        done = replay(project, "--target", f"http://127.0.0.1:{port}", "--pace", "max", "-o", str(tmp_path / "r.seam"))
    assert done.returncode == 0, done.stderr
    recorded, run = inbound(project / "desk.seam"), inbound(tmp_path / "r.seam")
    shown = [each for each in run.values() if each.request.target.startswith("/orders/")]
    assert [each.status for each in shown] == [401] * 4
    assert all(each.request == recorded[each.origin or ""].request for each in shown)


def replay(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`seamline replay` of the project's recording."""
    command = [sys.executable, "-m", "seamline.cli", "replay", "desk.seam", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=90, check=False
    )
