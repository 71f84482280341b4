"""Options that several commands share, and the console they speak through."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

config_option: Decorator = click.option(
    "--config", "config_path", type=click.Path(path_type=Path), default=None, help="Configuration file (seamline.toml)."
)
output_option: Decorator = click.option(
    "-o",
    "--output",
    "output",
    type=click.Path(path_type=Path, allow_dash=True),
    default=None,
    help="Where to write; - is standard output.",
)
quiet_option: Decorator = click.option("--quiet", is_flag=True, help="No progress, no messages.")
color_option: Decorator = click.option("--no-color", is_flag=True, help="Plain text (NO_COLOR does the same).")
seed_option: Decorator = click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of every random choice."
)


def format_option(*formats: str, default: str = "text") -> Decorator:
    """`--format` with the formats that a command knows."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=default, show_default=True, help="Output format."
    )


def message_console(*, quiet: bool = False, no_color: bool = False) -> Console:
    """Progress and messages: standard error."""
    return Console(stderr=True, quiet=quiet, no_color=no_color or "NO_COLOR" in os.environ, highlight=False)


def write_output(text: str, output: Path | None) -> None:
    """Data: to `output`, or to standard output where it is None or `-`."""
    if output is None or str(output) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
