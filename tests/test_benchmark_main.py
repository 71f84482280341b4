"""The benchmark's command: stored reports judged again, and a short gate of real verifications."""

import json
from pathlib import Path

import pytest

from benchmark.__main__ import main
from benchmark.cases import all_cases
from benchmark.results import Results
from support.benchmarking import finding, report


def stored(root: Path, **reports: dict[str, object]) -> None:
    results = Results(root, noise=False)
    for name, told in reports.items():
        results.path(all_cases()[name], 1).write_text(json.dumps(told))


def test_stored_reports_are_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored(tmp_path, R04=report(finding()), F16=report())
    document = tmp_path / "detection.md"
    document.write_text("# Detection\n")
    options = ["--judge", "--seeds", "1", "--results", str(tmp_path)]
    assert main([*options, "--only", "R04,F16", "--write", str(document)]) == 0
    assert "| easy | 1 of 1 |" in capsys.readouterr().out
    assert document.read_text().startswith("# Detection\n\n## Detection benchmark")
    assert main([*options, "--only", "R0*"]) == 1, "what was not run is not found"


def test_mixtures_are_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = report(
        finding("response.field_removed", path="$.customer.phone"),
        finding("bus.extra", service="bus", path=None),
        finding("status.changed", "warning", endpoint="POST /orders", transition="201→200", path=None),
    )
    stored(tmp_path, X01=mixed)
    assert main(["--judge", "--seeds", "1", "--results", str(tmp_path), "--only", "X01"]) == 0
    out = capsys.readouterr().out
    assert "| all | 3 of 3 |" in out
    assert "(medians) | 1.00, 1.00 |" in out


@pytest.mark.slow
def test_a_short_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A regression inside a noisy field, one downstream, a refactoring, and the baseline against itself."""
    code = main(["--only", "R18,D05,F12,A01", "--seeds", "1", "--results", str(tmp_path)])
    assert code == 0, capsys.readouterr().out
