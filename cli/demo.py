"""`seamline demo`: the sample system recorded, changed, replayed and diffed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from . import options, showcase


@click.command("demo")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".seamline/demo"),
    show_default=True,
    help="Where the sample's repository, captures and reports go.",
)
@click.option("--requests", type=click.IntRange(min=60), default=100, show_default=True, help="Requests to record.")
@click.option("--only", multiple=True, metavar="CHANGE", help="Only this change (repeatable).")
@click.option("--all", "everything", is_flag=True, help="Also the changes that do not fit into a minute.")
@options.seed_option
@options.quiet_option
@options.color_option
def command(
    folder: Path, requests: int, only: tuple[str, ...], everything: bool, seed: int, quiet: bool, no_color: bool
) -> int:
    """Record a small shop under seeded traffic, make eight changes to it one after the other, verify each.

    Six of the changes are regressions, two are harmless refactorings; the shop against itself is the ninth row.
    The shop's PostgreSQL, Redis and NATS are started for it.
    Exit code 0 when each regression was found at its place and nothing was found elsewhere, else 1.
    """
    console = options.message_console(quiet=quiet, no_color=no_color)
    cases = showcase.chosen(only, everything=everything)
    with _interruptible(), showcase.servers(console) as ports:
        shop = showcase.prepare(folder, console, ports)
        showcase.record(shop, seed, requests)
        outcomes = [showcase.verify(shop, case, seed) for case in cases]
    options.write_output(showcase.table(outcomes, no_color=no_color), None)
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end a demo as Ctrl-C does: by default they would leave its servers running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
