"""A report from a command to the user: format, colour and width, the output's path, and the exit code."""

import os
import shutil
import sys
from pathlib import Path

import click

from ..capture.errors import UsageError
from ..diffing.report.formats import FORMATS, render
from ..diffing.report.model import Report, Severity, Verdict
from .options import Decorator, format_option, write_output

EXIT_CODES = {Verdict.SAME: 0, Verdict.DIVERGED: 1, Verdict.INCONCLUSIVE: 3}

report_format_option: Decorator = format_option(*FORMATS)


def gate_option(default: str | None = "warning") -> Decorator:
    """`--fail-on`: the least severity that counts as diverged."""
    return click.option(
        "--fail-on",
        "fail_on",
        type=click.Choice([severity.word for severity in Severity]),
        default=default,
        show_default=default is not None,
        help="The least severity that fails the comparison.",
    )


def severity(word: str) -> Severity:
    """The severity of that name."""
    return Severity[word.upper()]


def check_output(output: Path | None) -> None:
    """UsageError where `output` cannot be written: said before the work, not after it."""
    if output is None or str(output) == "-":
        return
    if output.is_dir():
        raise UsageError(f"{output}: is a directory", "name a file after -o")
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    target = output if output.exists() else folder
    if not folder.is_dir() or not os.access(target, os.W_OK):
        raise UsageError(f"{output}: cannot be written", "choose another path for -o")


def write_report(
    report: Report,
    format_: str,
    output: Path | None,
    *,
    no_color: bool = False,
    gate: Severity = Severity.WARNING,
) -> None:
    """Render `report` and write it; colour and the terminal's width only where a terminal reads it."""
    terminal = (output is None or str(output) == "-") and sys.stdout.isatty()
    color = terminal and not no_color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = min(shutil.get_terminal_size((80, 24)).columns, 120) if terminal else 80
    write_output(render(format_, report, width=width, color=color, gate=gate), output)
