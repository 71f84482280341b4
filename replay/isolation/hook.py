"""Commands of the user's that prepare a side before its service starts: migrations and resets."""

from collections.abc import Mapping
from pathlib import Path

from ..environments.process import split_command
from ..environments.run import check_ended, run_command

WITHIN_S = 600.0
"""A migration of a clone as large as production's takes its minutes; a command that hangs must end some time."""


async def run_hook(command: str, what: str, *, cwd: Path, env: Mapping[str, str], within_s: float = WITHIN_S) -> None:
    """Run `command` without a shell. CouldNotCheck, with its last words, where it fails or takes too long."""
    ended = await run_command(split_command(command, what), what, cwd=cwd, env=env, within_s=within_s)
    check_ended(ended, what, within_s)
