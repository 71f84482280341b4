"""`seamline report`: a stored report rendered again."""

from pathlib import Path

import click

from ..capture.errors import UsageError
from ..diffing.report.model import Report
from ..diffing.report.stored import MAX_CHARS, parse_report
from .options import color_option, output_option, quiet_option
from .rendering import check_output, gate_option, report_format_option, severity, write_report


@click.command(name="report")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@report_format_option
@output_option
@gate_option()
@quiet_option
@color_option
def command(file: Path, format_: str, output: Path | None, fail_on: str, quiet: bool, no_color: bool) -> int:
    """Render FILE, a report that `diff` or `verify` wrote with --format json, in another format.

    FILE is `-` for standard input. Leaves with 0 once it is rendered, whatever the verdict. --fail-on says which
    findings fail a junit test case.
    """
    check_output(output)
    report = read_report(file)
    write_report(report, format_, output, no_color=no_color, gate=severity(fail_on))
    return 0


def read_report(path: Path) -> Report:
    """The report in `path`; UsageError, with the path, where it holds none."""
    with click.open_file(str(path), "rb") as file:
        raw = file.read(MAX_CHARS * 4 + 1)
    if len(raw) > MAX_CHARS * 4:
        raise UsageError(f"{path}: too long for a report", "`seamline diff … --format json` writes one")
    try:
        return parse_report(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        hint = "two captures become a report by `seamline diff BASELINE CANDIDATE --format json`"
        raise UsageError(f"{path}: not a JSON report (not UTF-8 at byte {error.start})", hint) from error
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from error
