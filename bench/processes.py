"""Programs under measurement: started, waited for, their CPU read from /proc, stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Program:
    """A running program. `output` is the file that its standard error goes to."""

    process: subprocess.Popen[bytes]
    output: Path

    def cpu_s(self) -> float:
        """CPU seconds of the program's own process and of its children that do the same work (nginx workers)."""
        return sum(cpu_of(pid) for pid in (self.process.pid, *children_of(self.process.pid)))

    def own_cpu_s(self) -> float:
        """CPU seconds of the program's own process alone."""
        return cpu_of(self.process.pid)

    def said(self) -> str:
        """What it printed on standard error."""
        return self.output.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(command: list[str], port: int, folder: Path, name: str) -> Iterator[Program]:
    """Start `command`, wait until something listens on `port`, and end it with SIGINT."""
    output = folder / f"{name}.err"
    with output.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, cwd=folder)
    try:
        wait_for_port(port, process, output)
        yield Program(process, output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def wait_for_port(port: int, process: subprocess.Popen[bytes], output: Path, seconds: float = 30) -> None:
    """Return when `port` accepts; RuntimeError with the program's last words when it does not."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)  # noqa: TID251  # a benchmark may wait; a library must not
    raise RuntimeError(f"{process.args!r} does not listen on {port}: {output.read_text(errors='replace')[-500:]}")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def cpu_of(pid: int) -> float:
    """User and system CPU seconds of one process; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
