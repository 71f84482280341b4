"""Replaying: `seamline replay --pace max`, the whole process with its run written, against wrk; and kept time."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Losses, Manifest, Request, Response, Role
from seamline.capture.store.reader import open_capture
from seamline.capture.store.writer import CaptureWriter

from . import nginx, wrk

SESSIONS = 32
REQUESTS = 120_000
RATE = 500
PACED_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests/s of wrk and of the whole replay process, the replay's CPU µs a request, and what its run lacks."""

    wrk_rate: float
    replay_rate: float
    cpu_us: float
    lost: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How well recorded time is kept: drift of the whole in percent, send error in ms."""

    drift_percent: float
    error_p50_ms: float
    error_p99_ms: float
    lost: int


def throughput(folder: Path, rounds: int) -> list[Throughput]:
    """wrk and the replayer in turn, at the same nginx with the same number of connections."""
    capture = folder / "max.seam"
    write_capture(capture, REQUESTS, gap_us=0)
    results = []
    with nginx.origin(folder) as (port, _):
        for _ in range(rounds):
            rate = wrk.load(port, 3, SESSIONS).rate
            wall, cpu = replay(capture, port, "max", folder / "max-run.seam")
            kept = sum(1 for exchange in exchanges_of(folder / "max-run.seam") if exchange.response is not None)
            results.append(Throughput(rate, REQUESTS / wall, cpu * 1e6 / REQUESTS, REQUESTS - kept))
    return results


def kept_time(folder: Path) -> Kept:
    """500 requests a second at the recorded pace, from the run's own times."""
    capture = folder / "paced.seam"
    count = RATE * PACED_SECONDS
    write_capture(capture, count, gap_us=1_000_000 // RATE)
    with nginx.origin(folder) as (port, _):
        replay(capture, port, "recorded", folder / "paced-run.seam")
    exchanges = list(exchanges_of(folder / "paced-run.seam"))
    sent = sorted(exchange.started_us + exchange.lateness_us for exchange in exchanges)
    intended = (count - 1) * 1_000_000 // RATE
    errors = sorted(exchange.lateness_us / 1000 for exchange in exchanges)
    return Kept(
        abs(sent[-1] - sent[0] - intended) / intended * 100,
        statistics.median(errors),
        errors[int(len(errors) * 0.99)],
        count - len(exchanges),
    )


def replay(capture: Path, port: int, pace: str, run: Path) -> tuple[float, float]:
    """One `seamline replay` as its user would start it: wall and CPU seconds from start to exit."""
    command = [
        sys.executable, "-m", "seamline.cli", "replay", str(capture), "--target", f"http://127.0.0.1:{port}",
        "--pace", pace, "--concurrency", str(SESSIONS), "-o", str(run), "--quiet",
    ]  # fmt: skip
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def exchanges_of(path: Path) -> Iterator[Exchange]:
    """Every exchange of a capture."""
    with open_capture(path) as capture:
        yield from capture


def write_capture(path: Path, count: int, gap_us: int) -> None:
    """A capture of `count` small GETs over SESSIONS sessions, `gap_us` apart."""
    manifest = Manifest("bench", 1_700_000_000_000_000, "bench", "bench")
    headers = Headers([("Host", "127.0.0.1"), ("Accept", "application/json"), ("User-Agent", "bench/1")])
    answer = Response(200, Headers([("Content-Type", "application/json")]), nginx.BODY.encode())
    writer = CaptureWriter(path, manifest)
    for number in range(count):
        request = Request("GET", f"/products/tea-assam?ref={number}", headers)
        writer.write(
            Exchange(
                id=f"bench-{number:x}",
                seq=number,
                role=Role.INBOUND,
                protocol="http",
                service="bench",
                session=f"s{number % SESSIONS}",
                started_us=manifest.created_us + number * gap_us,
                latency_us=500,
                request=request,
                response=answer,
            )
        )
    writer.close(Losses())
