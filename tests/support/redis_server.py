"""A redis-server of the test's own, on a free loopback port."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

import pytest

from seamline.replay.environments.ports import free_ports


@contextlib.contextmanager
def redis_server(*options: str) -> Iterator[tuple[str, int]]:
    """A server's address; it keeps nothing on disk and ends with the block. Skips where Redis is not installed."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, *options]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port, server)
            yield "127.0.0.1", port
        finally:
            server.terminate()
            server.wait(10)


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.poll() is None, "redis-server ended at once"
        try:
            # A raw one: a client library would try again and again where it lacks the password.
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(1) in (b"+", b"-"):
                    return
        except OSError:
            time.sleep(0.02)  # noqa: TID251 - no event loop runs while a fixture waits
    pytest.fail("redis-server does not answer")
