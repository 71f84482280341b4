"""Stubs: an HTTP stub that answers and records every call, against nginx serving the same answer, both under wrk.

`python -m bench.stub CAPTURE PORT RUN` is the stub by itself, as `seamline replay --tap …=stub` would open it.
"""

import asyncio
import signal
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from seamline.capture.engines.listener import TapSpec
from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, Losses, Manifest, Request, Response, Role
from seamline.capture.recorder import Recorder
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.writer import CaptureWriter
from seamline.replay.stubs.answers import Answers
from seamline.replay.stubs.book import read_book
from seamline.replay.stubs.door import open_stub
from seamline.replay.stubs.playback import Playback

from . import nginx, processes, wrk

SERVICE = "pricing"
CALLS = 5_000
_KEY = b"bench-stub-key-0"


@dataclass(frozen=True, slots=True)
class Stubbed:
    """Requests/s of nginx and of the stub, and CPU µs a request in the stub's process."""

    nginx_rate: float
    rate: float
    cpu_us: float


def measure(folder: Path, rounds: int) -> list[Stubbed]:
    """nginx and the stub in turn, under the same load."""
    capture = folder / "stub.seam"
    write_capture(capture)
    results = []
    with nginx.origin(folder) as (port, _):
        for number in range(rounds):
            peer = wrk.load(port, 3).rate
            results.append(_stubbed(folder, capture, number, peer))
    return results


def _stubbed(folder: Path, capture: Path, number: int, peer: float) -> Stubbed:
    port = processes.free_port()
    command = [sys.executable, "-m", "bench.stub", str(capture), str(port), str(folder / f"stub-{number}.seam")]
    root = Path(__file__).resolve().parent.parent
    with processes.running(command, port, root, folder / f"stub-{number}") as stub:
        before = stub.own_cpu_s()
        load = wrk.load(port, 3)
        return Stubbed(peer, load.rate, (stub.own_cpu_s() - before) * 1e6 / load.requests)


def median(results: list[Stubbed], field: str) -> float:
    """The median of one field."""
    return statistics.median(getattr(result, field) for result in results)


def write_capture(path: Path) -> None:
    """A capture of CALLS calls to one downstream, that of wrk's request among them."""
    manifest = Manifest("bench", 1_700_000_000_000_000, "bench", "bench")
    headers = Headers([("Host", "127.0.0.1")])
    answer = Response(200, Headers([("Content-Type", "application/json")]), nginx.BODY.encode())
    writer = CaptureWriter(path, manifest)
    for number in range(CALLS):
        ref = "bench" if number == 0 else str(number)
        writer.write(
            Exchange(
                id=f"bench-{number:x}",
                seq=number,
                role=Role.OUTBOUND,
                protocol="http",
                service=SERVICE,
                session="s",
                started_us=manifest.created_us + number,
                latency_us=500,
                request=Request("GET", f"/products/tea-assam?ref={ref}", headers),
                response=answer,
            )
        )
    writer.close(Losses())


async def serve(capture: Path, port: int, run: Path) -> int:
    """A stub on `port`, recorded into `run`, until SIGINT; the exit code."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    manifest = Manifest("bench-run", time.time_ns() // 1000, "bench", "bench")
    recorder = await Recorder.open(run, manifest, key=_KEY, rules=Rules(), trusted=capture)
    book = read_book(capture, [(SERVICE, "http")], _KEY, Rules())
    spec = TapSpec(SERVICE, "http", ("127.0.0.1", port), ("127.0.0.1", 9), Role.OUTBOUND)
    stub = open_stub(spec, Answers(spec, Playback(book, recorder, LinkIndex())))
    await stub.start()
    await stop.wait()
    await stub.stop()
    await recorder.close()
    return 0


if __name__ == "__main__":
    from seamline.cli.loop import run_loop

    run_loop(serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
