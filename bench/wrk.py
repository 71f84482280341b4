"""wrk: the load, and the limit that a replayer is measured against."""

import re
import shutil
import subprocess
from dataclasses import dataclass

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk reports: finished requests, the rate, and its own CPU seconds."""

    requests: int
    rate: float


def installed() -> bool:
    """Whether there is a wrk."""
    return shutil.which("wrk") is not None


def load(port: int, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Keep `connections` busy for `seconds`; RuntimeError where requests failed."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        f"http://127.0.0.1:{port}/products/tea-assam?ref=bench",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = re.search(r"(\d+) requests in", shown)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", shown)
    if requests is None or rate is None or "Non-2xx" in shown:
        raise RuntimeError(f"wrk failed:\n{shown}")
    return Load(int(requests.group(1)), float(rate.group(1)))
