"""A real RabbitMQ for tests: node, data and ports of its own, all on loopback."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest

from seamline.replay.environments.ports import free_ports


@contextlib.contextmanager
def rabbitmq_server() -> Iterator[tuple[str, int]]:
    """The broker's address; "guest" is let in. It takes some 20 s to start."""
    binary = _binary()
    port, distribution, mapper = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="seamline-rmq-") as name:
        folder = Path(name)
        env = {
            "PATH": os.environ.get("PATH", ""), "HOME": name, "LANG": "C.UTF-8", "HOSTNAME": "localhost",
            "RABBITMQ_NODENAME": f"seamline{port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_DIST_PORT": str(distribution), "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_MNESIA_BASE": f"{name}/data", "RABBITMQ_LOG_BASE": f"{name}/log",
            "RABBITMQ_PID_FILE": f"{name}/pid", "RABBITMQ_ENABLED_PLUGINS_FILE": f"{name}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{name}/none", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }  # fmt: skip
        (folder / "plugins").write_text("[].\n")
        # A port mapper that the node starts by itself would outlive it.
        mapping = subprocess.Popen(
            [_mapper(), "-address", "127.0.0.1", "-port", str(mapper)], stderr=subprocess.DEVNULL
        )
        with (folder / "out").open("wb") as log:
            process = subprocess.Popen([binary], env=env, stdout=log, stderr=log, cwd=folder, start_new_session=True)
        try:
            _wait(process, port, folder / "out")
            yield "127.0.0.1", port
        finally:
            # The node is a child of a shell script.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
            mapping.terminate()
            mapping.wait(20)


def _binary() -> str:
    # Debian's /usr/sbin script would change to another user; the one beside the libraries does not.
    for place in sorted(Path("/usr/lib/rabbitmq").glob("lib/rabbitmq_server-*/sbin/rabbitmq-server"), reverse=True):
        return str(place)
    found = shutil.which("rabbitmq-server")
    if found is None:
        pytest.skip("rabbitmq-server is not installed")
    return found


def _mapper() -> str:
    found = shutil.which("epmd")
    if found is None:
        pytest.skip("epmd is not installed")
    return found


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    parameters = pika.ConnectionParameters("127.0.0.1", port, socket_timeout=5)
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            pika.BlockingConnection(parameters).close()
            return
        except (pika.exceptions.AMQPError, OSError):
            time.sleep(0.3)  # noqa: TID251 - no event loop runs while a fixture waits
    pytest.fail("RabbitMQ does not answer")
