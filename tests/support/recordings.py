"""`seamline record` as a user runs it: a process of its own, stopped by a signal."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        told = b'{"path":"%s","size":%d}' % (self.path.encode(), len(body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    do_POST = do_HEAD = do_GET  # noqa: N815  (the names that http.server calls)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def echo_server() -> Iterator[int]:
    """A keep-alive server of the standard library; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Recording:
    """A running `seamline record`."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    port: int = 0

    def stop(self, number: int = signal.SIGINT) -> tuple[int, list[str]]:
        """Send a signal; the exit code and every line of standard error."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, list[str]]:
        """Wait for the end."""
        assert self.process.stderr is not None
        self.lines += self.process.stderr.read().splitlines()
        return self.process.wait(30), self.lines


def command(*args: str) -> list[str]:
    """The command line of `seamline record ARGS`."""
    return [sys.executable, "-m", "seamline.cli", "record", *args]


def environment() -> dict[str, str]:
    """The child finds the package where this process has found it, and has a key of its own."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "SEAMLINE_KEY": "0123456789abcdef"}


@contextmanager
def recording(*args: str, cwd: Path, ready: bool = True) -> Iterator[Recording]:
    """Start `seamline record ARGS` and wait until it says where it listens."""
    process = subprocess.Popen(
        command(*args), cwd=cwd, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    running = Recording(process)
    try:
        assert process.stderr is not None
        while ready:
            line = process.stderr.readline()
            assert line, f"it ended: {running.lines}"
            running.lines.append(line.rstrip("\n"))
            if line.startswith("recording "):
                found = re.search(r"recording http://127\.0\.0\.1:(\d+)", line)
                running.port = int(found[1]) if found else 0
                break
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def refused(*args: str, cwd: Path) -> tuple[int, str]:
    """Run `seamline record ARGS` that ends by itself; its exit code and standard error."""
    done = subprocess.run(
        command(*args), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr
