"""A PostgreSQL server for tests, and what a tap in front of it recorded."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seamline.capture.engines.call_tap import CallTap
from seamline.capture.engines.listener import TapSpec
from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, Role
from support.taps import MemorySink


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs, the newest version's; skips the test without it."""
    found = shutil.which(name)
    candidates = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found is None and not candidates:
        pytest.skip("PostgreSQL is not installed")
    return found or str(candidates[-1])


@dataclass(frozen=True)
class Server:
    """A running server; `app` is its superuser, with the password `app` where `auth` asks for one."""

    port: int

    @property
    def dsn(self) -> str:
        return self.dsn_at(self.port)

    @staticmethod
    def dsn_at(port: int) -> str:
        return f"postgresql://app:app@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def postgres(auth: str = "scram-sha-256") -> Iterator[Server]:
    """A server with an empty database, in a temporary folder."""
    initdb, server = binary("initdb"), binary("postgres")
    root = Path(tempfile.mkdtemp(prefix="seamline-pg-"))
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_user = {"user": "postgres", "cwd": "/"}
        shutil.chown(root, "postgres")
        root.chmod(0o755)
    password = root / "password"
    password.write_text("app")
    password.chmod(0o644)
    data = root / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "app", f"--auth={auth}", f"--pwfile={password}", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        **as_user,
    )
    port = _free_port()
    options = {"fsync": "off", "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_wal_senders": "2"}
    command = [server, "-D", data, "-p", str(port)]
    for key, value in options.items():
        command += ["-c", f"{key}={value}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)
    try:
        _wait_until_it_answers(port, process)
        yield Server(port)
    finally:
        # An immediate shutdown: nothing of it is kept.
        process.send_signal(3)
        process.wait(20)
        shutil.rmtree(root, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(Server.dsn_at(port), connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL has ended"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            threading.Event().wait(0.05)


class Recording:
    """A tap in front of a server, and what it recorded."""

    def __init__(self, tap: CallTap, sink: MemorySink, port: int) -> None:
        self.tap = tap
        self.sink = sink
        self.port = port

    @property
    def dsn(self) -> str:
        return Server.dsn_at(self.port)

    @property
    def exchanges(self) -> list[Exchange]:
        return self.sink.exchanges


@contextlib.asynccontextmanager
async def recorded(server: Server) -> Any:
    """A `Recording`; once it is left, everything is recorded."""
    sink = MemorySink()
    spec = TapSpec("db", "postgres", ("127.0.0.1", 0), ("127.0.0.1", server.port), Role.OUTBOUND)
    tap = CallTap(spec, sink, LinkIndex())
    _, port = await tap.start()
    try:
        yield Recording(tap, sink, port)
    finally:
        await tap.stop(grace_s=10)


def record(server: Server, talk: Callable[[str], None]) -> MemorySink:
    """What is recorded while `talk`, a client without asyncio, talks to the server by the DSN that it is given."""

    async def main() -> MemorySink:
        async with recorded(server) as recording:
            await asyncio.to_thread(talk, recording.dsn)
        return recording.sink

    return asyncio.run(main())
