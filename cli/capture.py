"""`seamline capture`: look into a capture, or mend it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..capture.describe import describe, instant
from ..capture.errors import UsageError
from ..capture.model import Exchange, Losses
from ..capture.store.reader import CaptureReader, open_capture
from ..capture.store.repair import repair
from ..capture.text import printable
from ..capture.tree import Branch, by_cause, tree_of
from ..capture.where import Predicate, compile_where
from .exchange_text import write_out
from .options import color_option, format_option, message_console, quiet_option
from .tree_text import rich_tree

PIPE_WIDTH = 160
"""Columns where standard output is no terminal."""

file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def command() -> None:
    """Look into a capture, or mend it."""


@command.command()
@file_argument
@format_option("text", "json")
@click.option("--where", "expression", default=None, help="Only these, e.g. 'status >= 500 and path ~ \"^/orders\"'.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=None,
    help="Show at most so many; 0 is all. Text shows 1000 unless told, JSON all.",
)
@color_option
def inspect(file: Path, format_: str, expression: str | None, limit: int | None, no_color: bool) -> None:
    """List the exchanges of a capture."""
    wanted = compile_where(expression) if expression else None
    with open_capture(file) as capture:
        if format_ == "json":
            _print_json(capture, wanted, limit or 0)
        else:
            _print_table(capture, wanted, 1000 if limit is None else limit, no_color=no_color)


@command.command()
@file_argument
@click.argument("which", metavar="ID|SEQ")
@format_option("text", "json")
@click.option("--tree", "only_tree", is_flag=True, help="Only the tree of what it caused, without headers and bodies.")
@color_option
def show(file: Path, which: str, format_: str, only_tree: bool, no_color: bool) -> None:
    """Show one exchange whole: request, answer, headers and bodies, and as a tree all that it caused.

    JSON is the exchange's object as `inspect` prints it; the tree adds `caused`, the same objects nested.
    """
    with open_capture(file) as capture:
        exchange = _find(capture, which)
        branch = tree_of(exchange, by_cause(capture, exchange.id))
    if format_ == "json":
        click.echo(json.dumps(_described(branch, exchange_only=not only_tree), indent=2))
        return
    if not only_tree:
        click.echo(write_out(exchange), nl=False)
    if only_tree or branch.children:
        console = Console(no_color=no_color or None, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
        if not only_tree:
            console.print()
        console.print(rich_tree(branch))


def _described(branch: Branch, *, exchange_only: bool) -> dict[str, object]:
    if exchange_only:
        return describe(branch.exchange)
    caused = [_described(child, exchange_only=False) for child in branch.children]
    return {**describe(branch.exchange), "caused": caused}


@command.command("repair")
@file_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The capture to write.")
@quiet_option
def repair_command(file: Path, output: Path, quiet: bool) -> None:
    """Keep what is whole in a damaged or unfinished capture."""
    done = repair(file, output)
    messages = message_console(quiet=quiet)
    found = f"kept {done.kept} exchanges, lost {done.lost} known ones, {done.gaps} damaged stretches"
    messages.print(Text(f"{found} ({done.lost_bytes} bytes)"))
    if not done.finished:
        messages.print(Text("the capture had never been closed: what came after its last block is not known"))
    if done.manifest_lost:
        messages.print(Text("its manifest is lost: the recorded hosts are not known, so a replay cannot refuse them"))


def _matching(capture: CaptureReader, wanted: Predicate | None) -> Iterator[Exchange]:
    return (exchange for exchange in capture if wanted is None or wanted(exchange))


def _print_json(capture: CaptureReader, wanted: Predicate | None, limit: int) -> None:
    """One object a line. ASCII only, so that no recorded text can steer a terminal."""
    for shown, exchange in enumerate(_matching(capture, wanted)):
        if limit and shown >= limit:
            break
        sys.stdout.write(json.dumps(describe(exchange), separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _print_table(capture: CaptureReader, wanted: Predicate | None, limit: int, *, no_color: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("seq", "role", "request", "status", "ms", "service", "session/parent", "flags"):
        right = name in ("seq", "status", "ms")
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=right)
    matched = 0
    try:
        for exchange in _matching(capture, wanted):
            matched += 1
            if not limit or matched <= limit:
                table.add_row(*map(_cell, _row(exchange)))
    finally:
        # Damage ends the reading; what came before it is shown all the same.
        console = Console(no_color=no_color or None, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
        if matched:
            console.print(table)
        if limit and matched > limit:
            console.print(Text(f"… {matched - limit} more (--limit 0 shows all)"))
        for line in _summary(capture, matched):
            console.print(_cell(line, limit=None), soft_wrap=True)


def _cell(text: str, limit: int | None = 200) -> Text:
    return Text(printable(text, limit).replace("\n", "\\x0a"))


def _row(e: Exchange) -> tuple[str, ...]:
    status = str(e.response.status) if e.response else e.failure.kind.value if e.failure else "-"
    cause = e.parent if e.parent is not None else e.session
    return (
        str(e.seq),
        e.role.value,
        f"{e.request.method} {e.request.target}",
        status,
        f"{e.latency_us / 1000:.1f}",
        e.service,
        cause,
        ",".join(_flags(e)),
    )


def _flags(e: Exchange) -> Iterator[str]:
    if len(e.links) > 1 or (e.links and e.links[0].confidence < 1):
        yield f"link {e.links[0].confidence:.2f}"
    if e.truncated:
        yield "truncated"
    for part in e.withheld:
        yield f"withheld {part.part}"
    if e.origin is not None:
        yield f"origin {e.origin}"


def _summary(capture: CaptureReader, matched: int) -> Iterator[str]:
    m = capture.manifest
    total = matched if capture.count is None else capture.count
    kind = "run" if m.replayed is not None else "capture"
    of = f" of {m.replayed}" if m.replayed is not None else ""
    yield (
        f"{matched} of {total} exchanges; {kind} {m.capture_id}{of}, {m.service or 'no service named'}, "
        f"{m.engine}, {m.tool}, {instant(m.created_us)}"
    )
    yield losses_line(capture.losses)
    if not capture.complete:
        yield "incomplete: the recorder never closed it"


def losses_line(losses: Losses) -> str:
    """What a capture lacks, in one line."""
    counts = {
        "dropped": losses.dropped,
        "withheld": losses.withheld,
        "truncated": losses.truncated,
        "gaps": losses.gaps,
        "skipped": losses.skipped,
        "expired": losses.expired,
    }
    lost = ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing lost"
    reasons = "; ".join(f"{reason}: {count}" for reason, count in sorted(losses.reasons.items()))
    return f"{lost} ({reasons})" if reasons else lost


def _find(capture: CaptureReader, which: str) -> Exchange:
    """The exchange of that id, else of that seq."""
    by_seq: Exchange | None = None
    nearest: list[str] = []
    for exchange in capture:
        if exchange.id == which:
            return exchange
        if by_seq is None and which.isdecimal() and str(exchange.seq) == which.lstrip("0").rjust(1, "0"):
            by_seq = exchange
        if len(nearest) < 3 and which and which in exchange.id:
            nearest.append(exchange.id)
    if by_seq is None:
        hint = (
            f"did you mean {', '.join(nearest)}?"
            if nearest
            else f"`seamline capture inspect {capture.path}` lists them"
        )
        raise UsageError(f"{capture.path}: no exchange {which}", hint)
    return by_seq
