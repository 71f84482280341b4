"""The door: a word to its command file, an error to one line and its exit code."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click

from ..capture.errors import SeamlineError
from ..capture.text import printable

TRACEBACK = "SEAMLINE_TRACEBACK"

# A command's module is imported only when it runs, so `seamline --help` stays fast.
COMMANDS = {
    "demo": "The sample system recorded, changed, replayed and diffed, in under a minute.",
    "record": "Record live traffic into a capture.",
    "capture": "Look into a capture, or mend it.",
    "replay": "Fire a capture at a target and write a run.",
    "diff": "Compare two captures and report what diverged.",
    "verify": "Start both sides, replay, diff, judge: the loop's one command.",
    "report": "Render a stored report again.",
}


class LazyGroup(click.Group):
    """A group whose commands live in `cli/<name>.py` as `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"..{cmd_name}", __name__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("seamline"), prog_name="seamline")
def root() -> None:
    """Record sanitized traffic, replay it at a change, read what the change did at the seams."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with the contract's exit code."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. A mistake of the user's is one line on standard error."""
    try:
        code = root.main(args=list(argv) if argv is not None else None, prog_name="seamline", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "seamline"
        return _fail(f"{_line(error)} (`{command} --help` lists the options)", 2)
    except click.ClickException as error:
        return _fail(_line(error), 2)
    except click.Abort:
        return _fail("interrupted", 3)
    except SeamlineError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing to say, and nothing to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}", 2)
    except Exception as error:
        # A mistake of ours must not pass for a verdict: an uncaught exception would end with exit code 1, "diverged".
        # Its text may quote traffic, so only its kind and place are shown.
        if TRACEBACK in os.environ:
            raise
        return _fail(f"internal error: {type(error).__name__} at {_place(error)} ({TRACEBACK}=1 shows more)", 3)
    return code if isinstance(code, int) else 0


def _line(error: click.ClickException) -> str:
    """The message of a mistake of usage: click lists choices on lines of their own."""
    return " ".join(error.format_message().split())


def _place(error: Exception) -> str:
    """The innermost line of ours on the way to `error`."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    last = frames[-1] if frames else None
    return f"{Path(last.filename).name}:{last.lineno}" if last is not None else "an unknown place"


def _fail(message: str, code: int) -> int:
    click.echo(f"seamline: {printable(message)}", err=True)
    return code


if __name__ == "__main__":
    main()
