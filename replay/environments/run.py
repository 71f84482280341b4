"""A command that is run to its end: a tool of an environment, a migration, a seed."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...capture.errors import CouldNotCheck
from .process import last_words
from .tail import Tail

_SHOWN_LINES = 12
_END = 32 << 10
_MOST_OUTPUT = 8 << 20
"""Bytes of standard output that are kept of a command whose output is read."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code (None: it did not end in time), and what it wrote to standard output."""

    code: int | None
    output: bytes
    tail: str


def check_ended(ended: Ended, what: str, within_s: float) -> None:
    """CouldNotCheck where the command did not end well."""
    if ended.code == 0:
        return
    how = f"took longer than {within_s:g} s" if ended.code is None else _how(ended.code)
    raise CouldNotCheck(f"{what} {how}; {last_words(ended.tail)}")


async def run_command(
    argv: Sequence[str], what: str, *, cwd: Path, env: Mapping[str, str], within_s: float, separate: bool = False
) -> Ended:
    """Run `argv` with `env` added to this process's variables, in a process group of its own that does not outlive
    the call. Where `separate`, standard output is kept for its reader and the tail is standard error's alone."""
    # Files, not pipes: what a command starts and leaves behind may hold a pipe open for ever.
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as written:
        code = await _ran(argv, what, cwd, {**os.environ, **env}, within_s, written if separate else said, said)
        tail = Tail()
        tail.feed(_end_of(said))
        written.seek(0)
        output = written.read(_MOST_OUTPUT)
    return Ended(code, output, "\n".join(tail.lines(_SHOWN_LINES, {**os.environ, **env})))


async def _ran(
    argv: Sequence[str],
    what: str,
    cwd: Path,
    env: Mapping[str, str],
    within_s: float,
    stdout: IO[bytes],
    stderr: IO[bytes],
) -> int | None:
    """The exit code, or None where the command had to be ended."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        raise CouldNotCheck(f"{what}: {argv[0]}: {error.strerror or error}", f"in {cwd}") from error
    try:
        async with asyncio.timeout(within_s):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _end_of(file: IO[bytes]) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END))
    return file.read()


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"exited with code {code}"
