"""A nats-server of the test's own, on a free loopback port."""

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seamline.replay.environments.ports import free_ports


@contextlib.contextmanager
def nats_server(*options: str) -> Iterator[tuple[str, int]]:
    """A server's address, with JetStream; it ends with the block. Skips where NATS is not installed."""
    beside = Path(sys.executable).with_name("nats-server")
    binary = str(beside) if beside.exists() else shutil.which("nats-server")
    if binary is None:
        pytest.skip("nats-server is not installed")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder, *options]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port, server)
            yield "127.0.0.1", port
        finally:
            server.terminate()
            server.wait(10)


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, "nats-server ended at once"
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                if connection.recv(5) == b"INFO ":
                    return
        except OSError:
            time.sleep(0.02)  # noqa: TID251 - no event loop runs while a fixture waits
    pytest.fail("nats-server does not answer")
