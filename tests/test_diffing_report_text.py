"""The terminal report: verdict first, readable at 80 columns and without colour, inert."""

import re

import pytest
from rich.text import Text

from seamline.diffing.report import text
from seamline.diffing.report.model import Compared, EndpointLatency, Report, Severity, Surface, Verdict
from support.reports import (
    HOSTILE,
    empty_report,
    finding,
    full_report,
    hostile_report,
    inconclusive_report,
    same_report,
)

SGR = re.compile("\x1b\\[[0-9;]*m")


def test_the_first_line_is_the_verdict() -> None:
    first = text.render(full_report()).splitlines()[0]
    assert first == "DIVERGED  8 breaking, 6 warning, 2 info — 1,842 exchanges, 3 endpoints not verified"


def test_a_finding_is_a_compact_block() -> None:
    report = Report(
        Verdict.DIVERGED,
        None,
        Compared(120),
        (finding(service="pricing", operation="POST /quote", explanation=("reads the same as a number",)),),
    )
    assert text.render(report).split("\n\n")[1].splitlines() == [
        "✗ BREAKING  response.type_changed  99 % sure, 118 of 120 requests",
        "  GET /orders/{id}  $.total",
        "  call to pricing: POST /quote",
        "  before  1299",
        '  after   "1299"',
        "  change  int→string",
        "  reads the same as a number",
        """  $ seamline replay captures/orders.seam --where 'id == "x-00017"' --target URL""",
    ]


def test_every_finding_is_there_worst_first() -> None:
    shown = text.render(full_report())
    heads = re.findall(r"^. (BREAKING|WARNING|INFO)  (\S+)", shown, re.MULTILINE)
    assert [word for word, _ in heads] == ["BREAKING"] * 8 + ["WARNING"] * 6 + ["INFO"] * 2
    assert {kind.split(".")[0] for _, kind in heads} == {surface.value for surface in Surface}


def test_nothing_but_commands_and_the_verdict_is_wider_than_the_terminal() -> None:
    for width in (60, 80, 120):
        lines = text.render(full_report(), width=width).splitlines()[1:]
        assert [line for line in lines if len(line) > width and not line.startswith("  $ ")] == []


def test_a_command_stays_one_line() -> None:
    command = "seamline replay " + "very/long/" * 20 + "path.seam --target URL"
    report = Report(Verdict.DIVERGED, None, Compared(), (finding(reproduce=command),))
    assert f"  $ {command}" in text.render(report, width=60).splitlines()


def test_colour_changes_nothing_but_colour() -> None:
    plain, coloured = text.render(full_report()), text.render(full_report(), color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    stripped = "\n".join(line.rstrip() for line in SGR.sub("", coloured).split("\n"))
    assert stripped == plain


@pytest.mark.parametrize("color", [False, True])
def test_hostile_text_is_visible_and_cannot_steer(color: bool) -> None:
    shown = SGR.sub("", text.render(hostile_report(), width=200, color=color))
    assert "\x1b" not in shown
    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert not set(shown) & set("\u202e\u2066\u200b\ufeff\u2028\ud800")
    assert "[bold red]rich[/] :boom:" in shown
    assert "\\x1b[31mred" in shown
    assert "<script>" in shown
    shown.encode("utf-8")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_line_starts_no_line_of_its_own(hostile: str) -> None:
    report = Report(Verdict.DIVERGED, None, Compared(), (finding(path=hostile),))
    assert len(text.render(report, width=400).splitlines()) == len(
        text.render(Report(Verdict.DIVERGED, None, Compared(), (finding(),)), width=400).splitlines()
    )


def test_tables_say_latency_noise_coverage_and_losses() -> None:
    shown = text.render(full_report())
    assert re.search(r"regressed +GET /orders/\{id\} +\+18\.2 % +\+12\.1 % to \+24\.7 % +620", shown)
    assert "Taken for noise (4,683 differences at 4 places)" in shown
    assert "  WS /live: WebSocket is not replayed yet" in shown
    assert "lost: 12 dropped, 3 withheld, 1 truncated" in shown
    assert "self-test: 40 mutants, 39 killed" in shown


def test_an_inconclusive_comparison_says_why() -> None:
    lines = text.render(inconclusive_report()).splitlines()
    assert lines[0].startswith("INCONCLUSIVE")
    assert lines[1] == "the baseline differs from itself in 31 of 40 requests: too noisy to judge"


def test_a_pass_says_so() -> None:
    assert text.render(same_report()).splitlines()[1] == "No difference was found in what was compared."
    assert "nothing lost" in text.render(empty_report())


def test_what_is_too_much_is_counted() -> None:
    many = tuple(finding(id=f"f-{n}", severity=Severity.INFO) for n in range(text.MOST_FINDINGS + 3))
    rows = tuple(EndpointLatency(f"GET /{n}", 1, 0.0, 0.0, 0.0, 0.0, "equivalent") for n in range(text.MOST_ROWS + 1))
    shown = text.render(Report(Verdict.SAME, None, Compared(9), many, latency=rows))
    assert "… and 3 findings more" in shown
    assert "… and 1 endpoint more" in shown


def test_an_unknown_latency_verdict_is_data() -> None:
    row = EndpointLatency("GET /", 1, 0.0, 0.0, 0.0, 0.0, "[red]\x1b[2J")
    shown = text.render(Report(Verdict.SAME, None, Compared(1), latency=(row,)), color=True)
    assert "[red]\\x1b[2J" in Text.from_ansi(shown).plain
