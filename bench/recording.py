"""Recording: wrk direct, through nginx's proxy, through `seamline record` (tap), through `mitmdump -w`.

Everybody faces the same nginx, in turn, several rounds. The CPU of the forwarding process is what an SRE pays.
"""

import re
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from . import nginx, wrk
from .processes import Program, free_port, running

SECONDS = 4
SEAMLINE = [sys.executable, "-m", "seamline.cli"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One load through one proxy: rate, CPU µs a request in the forwarding process, and in all its processes."""

    rate: float
    cpu_us: float
    all_cpu_us: float
    dropped_share: float = 0
    uncounted: int = 0


def measure(folder: Path, rounds: int) -> dict[str, list[Measured]]:
    """`rounds` measurements of each way, taken in turn."""
    with nginx.origin(folder) as (upstream, server):
        ways: dict[str, Callable[[], AbstractContextManager[tuple[int, Program]]]] = {
            "wrk direct": lambda: nullcontext((upstream, server)),
            "nginx proxy": lambda: nginx.proxy(upstream, folder),
            "seamline record (tap)": lambda: seamline_record(upstream, folder),
            "mitmdump -w": lambda: mitmdump(upstream, folder),
        }
        results: dict[str, list[Measured]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, start in ways.items():
                with start() as (port, program):
                    measured = through(port, program)
                results[name].append(with_losses(measured, program) if name.startswith("seamline") else measured[0])
        return results


def through(port: int, program: Program) -> tuple[Measured, int]:
    """Load one way; what it took, and the number of requests answered, warming up included."""
    warming = wrk.load(port, 1)
    own, everything = program.own_cpu_s(), program.cpu_s()
    load = wrk.load(port, SECONDS)
    per = 1e6 / load.requests
    measured = Measured(load.rate, (program.own_cpu_s() - own) * per, (program.cpu_s() - everything) * per)
    return measured, warming.requests + load.requests


def with_losses(result: tuple[Measured, int], program: Program) -> Measured:
    """`result` with the share of requests that was dropped, and with how many are neither recorded nor counted as lost.
    Read after the recorder's end. (wrk leaves a request a connection unanswered, so the recorder counts a few more.)"""
    measured, requests = result
    closing = re.search(r"recorded (\d+), dropped (\d+), withheld \d+, truncated \d+", program.said())
    if closing is None:
        raise RuntimeError(f"no closing line:\n{program.said()[-500:]}")
    recorded, dropped = map(int, closing.groups())
    return replace(
        measured, dropped_share=dropped / (recorded + dropped), uncounted=max(0, requests - recorded - dropped)
    )


@contextmanager
def seamline_record(upstream: int, folder: Path) -> Iterator[tuple[int, Program]]:
    """`seamline record` in front of `upstream`."""
    port = free_port()
    command = [
        *SEAMLINE, "record", "--listen", f"127.0.0.1:{port}", "--upstream", f"http://127.0.0.1:{upstream}",
        "-o", str(folder / "bench.seam"),
    ]  # fmt: skip
    with running(command, port, folder, "record") as program:
        yield port, program


@contextmanager
def mitmdump(upstream: int, folder: Path) -> Iterator[tuple[int, Program]]:
    """`mitmdump -w` in front of `upstream`."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("mitmdump")), "-q", "--set", f"confdir={folder / 'mitm'}",
        "--mode", f"reverse:http://127.0.0.1:{upstream}", "--listen-host", "127.0.0.1", "-p", str(port),
        "-w", str(folder / "flows.mitm"),
    ]  # fmt: skip
    with running(command, port, folder, "mitmdump") as program:
        yield port, program


def median(results: list[Measured], field: str) -> float:
    """The median of one field."""
    values: list[float] = [getattr(measured, field) for measured in results]
    return statistics.median(values)
