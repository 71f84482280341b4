"""The servers behind the call taps: PostgreSQL, Redis and a gRPC service of ours, each on a free loopback port."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .processes import free_port, running, wait_for_port

USER = DATABASE = "postgres"
_AS_ROOT = "postgres"
"""The account that PostgreSQL runs as where root starts it."""


def missing() -> list[str]:
    """The programs that are not installed."""
    wanted = ("pgbench", "redis-server", "redis-benchmark")
    lacking = [name for name in wanted if shutil.which(name) is None]
    return lacking if _postgres("postgres") else [*lacking, "postgresql"]


@contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL with pgbench's tables at scale 1 (100,000 accounts), everybody let in."""
    root = Path(tempfile.mkdtemp(prefix="seamline-bench-pg-"))
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_user = {"user": _AS_ROOT, "cwd": "/"}
        shutil.chown(root, _AS_ROOT)
        root.chmod(0o755)
    port = free_port()
    said = root / "server.err"
    initdb = [_postgres("initdb"), "-D", root / "data", "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C", "-N"]
    settings = ("fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_wal_senders=0")
    command = [_postgres("postgres"), "-D", str(root / "data"), "-p", str(port)]
    try:
        subprocess.run(initdb, check=True, capture_output=True, **as_user)
        with said.open("wb") as stderr:
            options = [part for setting in settings for part in ("-c", setting)]
            process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=stderr, **as_user)
        try:
            wait_for_port(port, process, said)
            subprocess.run(
                ["pgbench", *pgbench_at(port), "-i", "-q", "-s", "1", DATABASE], check=True, capture_output=True
            )
            yield port
        finally:
            # An immediate shutdown: nothing of it is kept.
            process.send_signal(signal.SIGQUIT)
            process.wait(20)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def pgbench_at(port: int) -> list[str]:
    """How a PostgreSQL client is told where the server is."""
    return ["-h", "127.0.0.1", "-p", str(port), "-U", USER]


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """A Redis that keeps nothing on disk."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, port, folder, "redis"):
        yield port


@contextmanager
def grpc(folder: Path) -> Iterator[int]:
    """A unary gRPC method that answers with an order (`bench.grpc_loop`)."""
    port = free_port()
    root = Path(__file__).resolve().parent.parent
    with running([sys.executable, "-m", "bench.grpc_loop", "serve", str(port)], port, root, str(folder / "grpc")):
        yield port


def _postgres(program: str) -> str:
    """A program of PostgreSQL's: Debian keeps a server's outside of PATH. "" where there is none."""
    found = shutil.which(program)
    return found or next((str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))), "")
