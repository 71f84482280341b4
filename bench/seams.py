"""Call taps: each protocol's own load generator, directly at the server and through `seamline record`, in turn.

What a service pays for a tap is the time that one call takes more (one client, one call at a time), and the CPU of the
tap's process. What a busy one can still get through it is the rate of many clients.
"""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import servers
from .processes import Program, free_port, running

SECONDS = 2
_ROOT = Path(__file__).resolve().parent.parent
_SEAMLINE = [sys.executable, "-m", "seamline.cli"]


@dataclass(frozen=True, slots=True)
class Load:
    """One load: calls made, the seconds that they took, and how many were under way at a time."""

    calls: int
    seconds: float
    clients: int

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    @property
    def latency_us(self) -> float:
        """Microseconds that one call takes: what each client waits."""
        return self.seconds * self.clients * 1e6 / self.calls


@dataclass(frozen=True, slots=True)
class Way:
    """A load with a name: what is called, and how the load is made on a port."""

    name: str
    protocol: str
    load: Callable[[int], Load]


@dataclass(frozen=True, slots=True)
class Tapped:
    """One load directly, through the relay alone, and through the tap: the loads; CPU µs a call in the relay's, the
    tap's and the sanitizer's process; and what came of the tap's calls: dropped (counted), and neither recorded nor
    counted."""

    direct: Load
    relayed: Load
    tapped: Load
    relay_us: float
    tap_us: float
    sanitizer_us: float
    dropped_share: float
    uncounted: int

    @property
    def direct_rate(self) -> float:
        """Calls a second without the tap."""
        return self.direct.rate

    @property
    def rate(self) -> float:
        """Calls a second through the tap."""
        return self.tapped.rate

    @property
    def ratio(self) -> float:
        """The rate through the tap by the direct one."""
        return self.tapped.rate / self.direct.rate

    @property
    def relay_ratio(self) -> float:
        """The rate through the relay alone by the direct one."""
        return self.relayed.rate / self.direct.rate

    @property
    def added_us(self) -> float:
        """Microseconds that a call takes more through the tap."""
        return self.tapped.latency_us - self.direct.latency_us


def pgbench(mode: str, clients: int, script: str = "") -> Callable[[int], Load]:
    """pgbench's built-in SELECT by primary key, or a `script` of its own; `mode` is simple, extended or prepared."""

    def load(port: int) -> Load:
        what = ["-f", "/dev/stdin"] if script else ["-S"]
        options = [*what, "-n", "-M", mode, "-c", str(clients), "-j", "1", "-T", str(SECONDS)]
        said = _run(["pgbench", *servers.pgbench_at(port), *options, servers.DATABASE], script)
        calls = int(_found(r"transactions actually processed: (\d+)", said))
        return Load(calls, calls / float(_found(r"tps = ([\d.]+)", said)), clients)

    return load


def redis_benchmark(command: str, clients: int, pipeline: int) -> Callable[[int], Load]:
    """redis-benchmark's GET or SET on 10,000 keys; the rate of its own pace decides how many calls it makes."""
    calls = 40_000 * pipeline if clients == 1 else 100_000 * min(pipeline, 4)

    def load(port: int) -> Load:
        options = ["-t", command, "-c", str(clients), "-P", str(pipeline), "-n", str(calls), "-r", "10000", "--csv"]
        said = _run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), *options])
        rate = float(_found(rf'"{command.upper()}","([\d.]+)"', said))
        return Load(calls, calls / rate, clients * pipeline)

    return load


def grpc_loop(concurrent: int) -> Callable[[int], Load]:
    """A loop of unary calls on one connection of grpcio's."""

    def load(port: int) -> Load:
        command = [sys.executable, "-m", "bench.grpc_loop", "load", str(port), str(SECONDS), str(concurrent)]
        calls, seconds = _run(command).split()
        return Load(int(calls), float(seconds), concurrent)

    return load


TWENTY_ROWS = "\\set aid random(1, 99000)\nSELECT * FROM pgbench_accounts WHERE aid BETWEEN :aid AND :aid + 19;\n"

WAYS = (
    Way("PostgreSQL simple", "postgres", pgbench("simple", 1)),
    Way("PostgreSQL extended", "postgres", pgbench("extended", 1)),
    Way("PostgreSQL prepared", "postgres", pgbench("prepared", 1)),
    Way("PostgreSQL simple, 20 rows", "postgres", pgbench("simple", 1, TWENTY_ROWS)),
    Way("PostgreSQL simple, 8 clients", "postgres", pgbench("simple", 8)),
    Way("PostgreSQL prepared, 8 clients", "postgres", pgbench("prepared", 8)),
    Way("Redis GET", "redis", redis_benchmark("get", 1, 1)),
    Way("Redis SET", "redis", redis_benchmark("set", 1, 1)),
    Way("Redis GET, 50 clients", "redis", redis_benchmark("get", 50, 1)),
    Way("Redis GET, 50 clients × 16", "redis", redis_benchmark("get", 50, 16)),
    Way("Redis SET, 50 clients × 16", "redis", redis_benchmark("set", 50, 16)),
    Way("gRPC unary", "grpc", grpc_loop(1)),
    Way("gRPC, 16 at a time", "grpc", grpc_loop(16)),
)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a way has to reach: CPU µs a call in the tap's process at most; what a call may take longer; calls a second
    through the tap at least."""

    tap_us: float
    added_us: float | None = None
    rate: float | None = None


GOALS = {
    "PostgreSQL simple": Goal(120, added_us=250),
    "PostgreSQL prepared": Goal(120, added_us=250),
    "PostgreSQL simple, 8 clients": Goal(80, rate=5_000),
    "Redis GET": Goal(80, added_us=250),
    "Redis GET, 50 clients × 16": Goal(30, rate=25_000),
    "gRPC unary": Goal(240, added_us=600),
    "gRPC, 16 at a time": Goal(120, rate=2_000),
}
"""On two cores that the load, the server, the tap and the sanitizer share."""


def measure(folder: Path, rounds: int, ways: tuple[Way, ...] = WAYS) -> dict[str, list[Tapped]]:
    """`rounds` measurements of each way, taken in turn."""
    results: dict[str, list[Tapped]] = {way.name: [] for way in ways}
    with ExitStack() as up:
        open_server: dict[str, Callable[[], int]] = {
            "postgres": lambda: up.enter_context(servers.postgres()),
            "redis": lambda: up.enter_context(servers.redis(folder)),
            "grpc": lambda: up.enter_context(servers.grpc(folder)),
        }
        ports = {protocol: open_server[protocol]() for protocol in {way.protocol for way in ways}}
        for _ in range(rounds):
            for way in ways:
                results[way.name].append(_measured(way, ports[way.protocol], folder))
    return results


def best(results: list[Tapped], field: str) -> float:
    """The least of a field in CPU time: what other work on the machine adds is not the tap's."""
    return min(getattr(result, field) for result in results)


def median(results: list[Tapped], field: str) -> float:
    """The median of one field."""
    return statistics.median(getattr(result, field) for result in results)


def _measured(way: Way, server: int, folder: Path) -> Tapped:
    direct = way.load(server)
    with _relay(server, folder) as (port, program):
        before = program.own_cpu_s()
        relayed = way.load(port)
        relay_s = program.own_cpu_s() - before
    with _tap(way.protocol, server, folder) as (port, program):
        before, everything = program.own_cpu_s(), program.cpu_s()
        tapped = way.load(port)
        tap_s, all_s = program.own_cpu_s() - before, _cpu_in_the_end(program) - everything
    recorded, dropped = _closing(program)
    per = 1e6 / tapped.calls
    return Tapped(
        direct,
        relayed,
        tapped,
        relay_s * 1e6 / relayed.calls,
        tap_s * per,
        max(all_s - tap_s, 0.0) * per,
        dropped / max(recorded + dropped, 1),
        max(0, tapped.calls - recorded - dropped),
    )


def _cpu_in_the_end(program: Program, seconds: float = 60) -> float:
    """CPU seconds of all its processes once the sanitizer has done what is queued: when they have stood still."""
    give_up = time.monotonic() + seconds
    said, used = -1.0, program.cpu_s()
    while used - said > 0.01 and time.monotonic() < give_up:
        time.sleep(0.5)  # noqa: TID251  # a benchmark may wait; a library must not
        said, used = used, program.cpu_s()
    return used


@contextmanager
def _relay(server: int, folder: Path) -> Iterator[tuple[int, Program]]:
    """The tap's relay without the tap."""
    port = free_port()
    with running(
        [sys.executable, "-m", "bench.relay", str(port), str(server)], port, _ROOT, str(folder / "relay")
    ) as up:
        yield port, up


@contextmanager
def _tap(protocol: str, server: int, folder: Path) -> Iterator[tuple[int, Program]]:
    """`seamline record` with one downstream tap."""
    port = free_port()
    command = [
        *_SEAMLINE, "record", "--tap", f"peer={protocol}:127.0.0.1:{port}=127.0.0.1:{server}",
        "-o", str(folder / "seams.seam"),
    ]  # fmt: skip
    with running(command, port, folder, "record") as program:
        yield port, program


def _closing(program: Program) -> tuple[int, int]:
    """Exchanges recorded and dropped, from the recorder's last line."""
    said = program.said()
    return int(_found(r"recorded (\d+),", said)), int(_found(r"dropped (\d+),", said))


def _run(command: list[str], given: str = "") -> str:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, cwd=_ROOT).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"{pattern!r} is not in:\n{text[-500:]}")
    return match.group(1)
