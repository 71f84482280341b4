"""The demonstration: what counts as found, and that every change still applies to the shop."""

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.cli.options import message_console
from seamline.cli.showcase import CASES, MARKER, MORE, Outcome, chosen, prepare, table
from seamline.diffing.report.model import Compared, Finding, Report, Severity, Surface, Verdict

SILENT = message_console(quiet=True)
PORTS = {"postgres": 1, "redis": 2, "nats": 3}
CALL = next(case for case in CASES if case.name == "missing-call")
TIDY = next(case for case in CASES if case.name == "tidy-json")


def finding(**changes: object) -> Finding:
    fields: dict[str, object] = {
        "id": "f-1", "surface": Surface.HTTP, "kind": "missing", "severity": Severity.BREAKING, "confidence": 0.99,
        "endpoint": "POST /api/orders/{id}/cancel", "path": None, "service": "inventory",
        "operation": "POST /releases", "transition": "present→missing", "requests": 1, "of": 1, "exchanges": ("a-1",),
        "before": 1, "after": 0, "reproduce": "x",
    }  # fmt: skip
    return Finding(**{**fields, **changes})  # type: ignore[arg-type]  # a test's shorthand


def report(verdict: Verdict, *findings: Finding) -> Report:
    return Report(verdict, None, Compared(exchanges=3), findings)


@pytest.mark.parametrize(
    ("found", "held"),
    [
        pytest.param(finding(), True, id="at its place"),
        pytest.param(finding(service="pricing"), False, id="of another service"),
        pytest.param(finding(kind="extra"), False, id="of another kind"),
        pytest.param(finding(severity=Severity.INFO), False, id="only as an info"),
    ],
)
def test_a_regression_has_to_be_found_at_its_place(found: Finding, held: bool) -> None:
    assert Outcome(CALL, report(Verdict.DIVERGED, found), Path("x.html")).as_expected is held


@pytest.mark.parametrize(
    ("given", "held"),
    [
        pytest.param(report(Verdict.SAME), True, id="nothing"),
        pytest.param(report(Verdict.SAME, finding(severity=Severity.INFO)), True, id="an info"),
        pytest.param(report(Verdict.DIVERGED, finding()), False, id="a false alarm"),
        pytest.param(report(Verdict.INCONCLUSIVE), False, id="not checked is no pass"),
    ],
)
def test_a_harmless_change_has_to_be_left_in_peace(given: Report, held: bool) -> None:
    assert Outcome(TIDY, given, Path("x.html")).as_expected is held


def test_the_table_counts_what_held() -> None:
    outcomes = [Outcome(CALL, report(Verdict.DIVERGED, finding()), Path("c.html"))]
    outcomes.append(Outcome(TIDY, report(Verdict.DIVERGED, finding()), Path("t.html")))
    shown = table(outcomes, no_color=True)
    assert "1 of 1 regressions found at their place, 0 of 1 harmless changes left in peace." in shown
    assert "Report: c.html" in shown


def test_every_change_applies_to_the_shop(tmp_path: Path) -> None:
    shop = prepare(tmp_path / "demo", SILENT, PORTS)
    patches = files("seamline.samples.shop") / "changes"
    names = {case.name for case in (*CASES, *MORE)} - {"no-change"}
    assert {item.name.removesuffix(".patch") for item in patches.iterdir()} == names
    for name in sorted(names):
        patch = (patches / f"{name}.patch").read_text(encoding="utf-8")
        subprocess.run(["git", "apply", "--check", "-"], cwd=shop.repository, input=patch, text=True, check=True)


def test_only_a_demo_of_our_own_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="not made by a demo"):
        prepare(tmp_path, SILENT, PORTS)
    (tmp_path / MARKER).touch()
    prepare(tmp_path, SILENT, PORTS)
    assert not (tmp_path / "precious.txt").exists()


def test_an_unknown_change_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no such change: n\+1 .*n-plus-one"):
        chosen(["n+1"])
    assert [case.name for case in chosen(["rounding"])] == ["rounding"]
    assert len(chosen([])) == 9
    assert len(chosen([], everything=True)) == len(CASES) + len(MORE)
