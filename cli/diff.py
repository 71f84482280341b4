"""`seamline diff`: two captures → a report."""

import shlex
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from ..capture.store.reader import open_capture
from ..capture.text import printable
from ..diffing.judge import judge
from ..diffing.rounds import JudgeOptions, Round, Run
from .options import color_option, message_console, output_option, quiet_option, seed_option
from .rendering import EXIT_CODES, check_output, gate_option, report_format_option, severity, write_report

_CAPTURE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(name="diff")
@click.argument("baseline", type=_CAPTURE)
@click.argument("candidate", type=_CAPTURE)
@click.option("--noise", "noise", type=_CAPTURE, multiple=True, help="A further capture of the baseline; repeatable.")
@report_format_option
@output_option
@gate_option()
@seed_option
@quiet_option
@color_option
def command(
    baseline: Path,
    candidate: Path,
    noise: tuple[Path, ...],
    format_: str,
    output: Path | None,
    fail_on: str,
    seed: int,
    quiet: bool,
    no_color: bool,
) -> int:
    """Compare BASELINE with CANDIDATE: two runs of one capture, or a capture and a run of it.

    Each --noise is one more run of the baseline: what differs between baselines is noise, and is suppressed with its
    reason. Leaves with 0 (no finding at or above --fail-on), 1 (diverged) or 3 (could not be checked).
    """
    check_output(output)
    console = message_console(quiet=quiet, no_color=no_color)
    before = read_run(baseline, console)
    after = read_run(candidate, console)
    further = [read_run(path, console) for path in noise]
    gate = severity(fail_on)
    options = JudgeOptions(fail_on=gate, seed=seed, reproduce=reproduce_template(before, after, baseline))
    report = judge([Round(before, after)], further, options)
    write_report(report, format_, output, no_color=no_color, gate=gate)
    return EXIT_CODES[report.verdict]


def read_run(path: Path, console: Console) -> Run:
    """The capture in `path`, whole; what it misses is said on `console` too."""
    with open_capture(path) as reader:
        exchanges = tuple(reader)
        run = Run(reader.manifest, exchanges, reader.losses, reader.complete)
    if not run.complete:
        lines = f"{printable(str(path))}: was not closed; {len(exchanges)} exchanges up to there are compared"
        console.print(Text(lines), soft_wrap=True)
    return run


def reproduce_template(baseline: Run, candidate: Run, path: Path) -> str:
    """The command that fires one exchange again, with `{id}` for its id.

    A finding's ids are those of the replayed capture. Where `candidate` is a replay of `baseline`, that is the file
    at hand; of two runs only the capture's id is known, and the user knows the file.
    """
    replayed = candidate.manifest.replayed is not None and candidate.manifest.replayed == baseline.manifest.capture_id
    is_recording = baseline.manifest.replayed is None
    capture = shlex.quote(str(path)) if replayed or is_recording else "CAPTURE"
    return f"""seamline replay {capture} --where 'id == "{{id}}"' --target URL -o again.seam"""
