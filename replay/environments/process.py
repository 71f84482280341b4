"""A service started by a command, for one side: its own process group, a free port, the end of its output.

Two rules. Whatever was started is gone after `down()`, children included. A process that dies is noticed at once,
not when a time-out is over.
"""

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path

from ...capture.errors import CouldNotCheck, UsageError
from .namespace import Namespace
from .ports import free_ports
from .ready import accepts, await_ready
from .spec import ServiceSpec
from .tail import Tail

_SHOWN_LINES = 12
_PIPE_DRAIN_S = 0.2


class ProcessEnvironment:
    """`service.command`, run in `cwd` without a shell, with `env` added to this process's own variables.

    `what` names it in errors ("candidate"), `grace_s` is the time between SIGTERM and SIGKILL. With a `namespace` it
    runs in there, and is reached there.
    """

    def __init__(
        self,
        service: ServiceSpec,
        *,
        cwd: Path,
        env: Mapping[str, str],
        what: str,
        grace_s: float = 1.0,
        namespace: Namespace | None = None,
    ) -> None:
        self._service = service
        self._cwd = cwd
        self._env = dict(env)
        self._what = what
        self._grace_s = grace_s
        self._namespace = namespace
        self._tail = Tail()
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._output = _Output(self._tail)
        self._code: int | None = None

    async def up(self) -> str:
        """Start it; the base URL once it is ready."""
        port = await self._choose_port()
        await self._start()
        try:
            dial = self._namespace.dialled if self._namespace is not None else None
            await await_ready(("127.0.0.1", port), self._service.ready, self.ended, self._what, dial)
        except CouldNotCheck as error:
            await self.down()
            raise CouldNotCheck(f"{error.message}; {self._last_words()}") from error
        except BaseException:
            await self.down()
            raise
        return f"http://127.0.0.1:{port}"

    async def down(self) -> None:
        """SIGTERM to the group, SIGKILL to what is left after the grace."""
        process = self._process
        if process is None:
            return
        try:
            if self._code is None:
                _signal_group(process.pid, signal.SIGTERM)
                await self._exited(self._grace_s)
        finally:
            # Also when the wait was cut short by a second interrupt.
            if self._code is None:
                _signal_group(process.pid, signal.SIGKILL)
        await self._exited(self._grace_s)
        # A grandchild that left the group may hold the pipe open for ever: the rest is not waited for long.
        await self._output.closed(_PIPE_DRAIN_S)

    @property
    def pid(self) -> int | None:
        """The process that the command started, while there is one."""
        return self._process.pid if self._process is not None and self._code is None else None

    def ended(self) -> str | None:
        """How it ended ("exited with code 1"), None while it runs."""
        if self._code is None:
            return None
        if self._code < 0:
            with contextlib.suppress(ValueError):
                return f"was killed by {signal.Signals(-self._code).name}"
        return f"exited with code {self._code}"

    def tail(self) -> str:
        """The last lines of its output, safe to show."""
        return "\n".join(self._tail.lines(_SHOWN_LINES, {**os.environ, **self._env}))

    async def _choose_port(self) -> int:
        listen = self._service.listen
        if listen is None:
            raise UsageError(f"{self._what}: [service] listen is missing", 'listen = { env = "PORT" }')
        if listen.port is not None:
            # Another service there would answer the ready probe, and be measured in place of this one.
            if self._namespace is None and await accepts(("127.0.0.1", listen.port)):
                raise CouldNotCheck(f"{self._what}: port {listen.port} is taken by another process", "end it first")
            return listen.port
        [port] = free_ports(1)
        self._env[listen.env or "PORT"] = str(port)
        return port

    async def _start(self) -> None:
        argv = split_command(self._service.command or "", self._what)
        spaces: tuple[int, ...] = ()
        if self._namespace is not None:
            argv, spaces = self._namespace.inside(argv)
        if not self._cwd.is_dir():
            raise UsageError(f"{self._what}: cwd {self._cwd} is no folder", "relative to the config file's folder")
        # A pipe of our own: with asyncio's, `wait()` ends only when the last grandchild has closed it.
        reading, writing = os.pipe()
        self._output = _Output(self._tail)
        await asyncio.get_running_loop().connect_read_pipe(lambda: self._output, os.fdopen(reading, "rb", 0))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self._cwd,
                env={**os.environ, **self._env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
                pass_fds=spaces,
            )
        except OSError as error:
            raise CouldNotCheck(f"{self._what}: {argv[0]}: {error.strerror or error}", f"in {self._cwd}") from error
        finally:
            os.close(writing)
        self._watch = asyncio.create_task(self._reap(self._process))

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        # Children that outlive their parent are swept at the moment it is gone, while the group's number is its own.
        code = await process.wait()
        _signal_group(process.pid, signal.SIGKILL)
        self._code = code

    async def _exited(self, seconds: float) -> None:
        if self._watch is not None:
            await asyncio.wait({self._watch}, timeout=seconds)

    def _last_words(self) -> str:
        return last_words(self.tail())


class _Output(asyncio.Protocol):
    """The reading end of a service's output."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._done = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._tail.feed(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._done.set()

    async def closed(self, seconds: float) -> None:
        """Take in what is left, for at most `seconds`, then close."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._done.wait()
        if self._transport is not None:
            self._transport.close()


def last_words(tail: str) -> str:
    """How an error quotes the end of a service's output."""
    return (
        "its last output:\n" + "\n".join(f"  | {line}" for line in tail.splitlines()) if tail else "it printed nothing"
    )


def split_command(command: str, what: str) -> list[str]:
    """The words of a command, as a shell would split them; UsageError where its quotes do not close."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{what}: command: {error}", command) from error
    if not argv:
        raise UsageError(f"{what}: command is empty", "what starts the service?")
    return argv


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
