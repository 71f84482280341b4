"""`seamline verify`: both sides up, replay, diff, judge."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import click

from ..capture.errors import CouldNotCheck, UsageError
from ..capture.keys import load_key
from ..replay.faults.spec import parse_faults
from ..replay.standins import with_faults
from .config import load_config
from .loop import run_loop
from .options import color_option, config_option, message_console, output_option, quiet_option, seed_option
from .rendering import EXIT_CODES, check_output, gate_option, report_format_option, severity, write_report
from .rules import read_rules
from .tables import duration_s
from .verification import Verification, VerifyPlan


@click.command(name="verify")
@config_option
@click.option(
    "--capture", "captures", multiple=True, type=click.Path(path_type=Path), help="Instead of [verify] capture."
)
@report_format_option
@output_option
@click.option("--budget", default=None, metavar="TIME", help="How long it may take: 60s, 5m.")
@click.option("--repeats", type=click.IntRange(2, 20), default=None, help="Baseline replays wanted in all.")
@gate_option(default=None)
@click.option("--only", default=None, metavar="ID", help="Only this exchange, its session's past, earlier writes.")
@click.option("--self-test", is_flag=True, help="Plant changes into a baseline run, and count what is seen of them.")
@click.option("--fault", "faults", multiple=True, metavar="NAME=FAULT", help="Goes wrong at a downstream; repeatable.")
@click.option("--allow-writes", is_flag=True, help="Fire requests with side effects at a side given by url, too.")
@click.option(
    "--allow-target", "allowed", multiple=True, metavar="HOST", help="A recorded host that url may name; repeatable."
)
@quiet_option
@color_option
@seed_option
def command(
    *,
    config_path: Path | None,
    captures: tuple[Path, ...],
    format_: str,
    output: Path | None,
    budget: str | None,
    repeats: int | None,
    fail_on: str | None,
    only: str | None,
    self_test: bool,
    faults: tuple[str, ...],
    allow_writes: bool,
    allowed: tuple[str, ...],
    quiet: bool,
    no_color: bool,
    seed: int,
) -> int:
    """Replay the captures at a baseline and a candidate side by side, and report what the change did.

    Noise is learnt from a second baseline; what was found has to show again at freshly started sides. Exit code 0:
    nothing at or above the gate; 1: diverged; 3: could not check.
    """
    check_output(output)
    config = load_config(config_path)
    config = replace(config, downstreams=with_faults(config.downstreams, parse_faults(faults)))
    chosen = captures or config.verify.capture
    if not chosen:
        raise UsageError(f"{config.path}: no capture to verify with", "[verify] capture, or --capture FILE")
    gate = severity(fail_on) if fail_on is not None else config.fail_on
    plan = VerifyPlan(
        config=config,
        captures=tuple(dict.fromkeys(chosen)),
        budget_s=_seconds(budget) if budget is not None else config.verify.budget_s,
        repeats=repeats or config.verify.repeats,
        fail_on=gate,
        only=only,
        allow_writes=allow_writes,
        allowed=allowed,
        rules=read_rules(config.rules),
        key=load_key(config.folder),
        seed=seed,
        self_test=self_test,
    )
    verification = Verification(plan, message_console(quiet=quiet, no_color=no_color))

    async def verify() -> int:
        _end_on_signals()
        report = await verification.run()
        write_report(report, format_, output, no_color=no_color, gate=gate)
        return EXIT_CODES[report.verdict]

    try:
        return run_loop(verify())
    except asyncio.CancelledError as error:
        raise CouldNotCheck("interrupted: nothing was judged") from error


def _end_on_signals() -> None:
    """A signal ends the work the orderly way: services, taps and checkouts go with it."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _seconds(text: str) -> float:
    seconds = duration_s(text)
    if seconds is None:
        raise UsageError(f'--budget: "{text}" is not a time', "write 60s or 5m")
    return seconds
