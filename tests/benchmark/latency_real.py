"""The latency procedure on real processes: a small service, slowed at one of its two endpoints, verified from end to end.

`PYTHONPATH=.typing:tests python -m benchmark.latency_real [--budget SECONDS] [EFFECT …]` prints a row for each effect. By
hand, on a machine that does nothing else: here things are timed. Each request waits 10 to 14 ms, so that the machine's speed matters little.
"""

import argparse
import asyncio
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from seamline.cli.verification import Verification
from seamline.diffing.report.model import Report, Surface
from support.projects import write_requests
from support.services import write_server
from support.verifications import a_plan

SLOW, CALM = "GET /slow/{id}", "GET /calm/{id}"
REQUESTS = 60
_ANSWER = """
import random, time

SLOW, TAIL, FACTOR = (float(os.environ.get(name, "0")) for name in ("SLOW", "TAIL", "FACTOR"))

def answer(handler):
    number = int(handler.path.rpartition("/")[2])
    took = 0.010 + number % 5 / 1000
    if handler.path.startswith("/slow"):
        took *= 1 + SLOW
        if random.random() < TAIL:
            took *= FACTOR
    time.sleep(took)
    return 200, json.dumps({"id": number})
"""
# Head and body are two writes: without this one of them waits 40 ms for an acknowledgement, now and then.
_MAIN = """
Handler.disable_nagle_algorithm = True
serve(int(os.environ["PORT"])).serve_forever()
"""
_CONFIG = """
[service]
name = "sleepy"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "60s" }}

[verify]
capture = ["sleepy.seam"]
budget = "{budget}s"

[candidate]
env = {{ {env} }}
"""
EFFECTS = {
    "none": "",
    "+10 %": 'SLOW = "0.10"',
    "+25 %": 'SLOW = "0.25"',
    "tail 5 % x3": 'TAIL = "0.05", FACTOR = "3"',
    "tail 2 % x5": 'TAIL = "0.02", FACTOR = "5"',
}


def verified(folder: Path, env: str, budget_s: int, seed: int) -> Report:
    """The report on the service with `env` as the candidate's."""
    command = write_server(folder, _ANSWER, _MAIN)
    targets = [f"/{'slow' if n % 2 else 'calm'}/{100 + n}" for n in range(2 * REQUESTS)]
    write_requests(folder / "sleepy.seam", targets)
    path = folder / "seamline.toml"
    path.write_text(_CONFIG.format(command=command, budget=budget_s, env=env), encoding="utf-8")
    return asyncio.run(Verification(a_plan(path, seed=seed), Console(file=io.StringIO())).run())


def lines(names: list[str], budget_s: int, repeats: int) -> Iterator[str]:
    """The table, line by line."""
    yield "| injected | told | elsewhere | pairs | estimate | 99 % interval | smallest detectable | seconds |"
    yield "|---|---|---|--:|--:|---|--:|--:|"
    for name in names:
        for seed in range(repeats):
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                report = verified(Path(folder), EFFECTS[name], budget_s, seed)
            took = time.perf_counter() - began
            row = next(one for one in report.latency if one.endpoint == SLOW)
            found = [one for one in report.findings if one.surface is Surface.LATENCY]
            told = ", ".join(f"{one.kind} {one.transition}" for one in found if one.endpoint == SLOW) or row.verdict
            wrong = ", ".join(one.endpoint for one in found if one.endpoint != SLOW) or "nothing"
            yield (
                (
                    f"| {name} | {told} | {wrong} | {row.pairs} | {row.estimate:+.1%} | {row.low:+.1%} to {row.high:+.1%} "
                    f"| {row.mde:.1%} | {took:.0f} |"
                )
                .replace("%", " %")
                .replace("  %", " %")
            )


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("effects", nargs="*", default=list(EFFECTS), metavar="EFFECT", help=", ".join(EFFECTS))
    parser.add_argument("--budget", type=int, default=120, help="seconds a verification")
    parser.add_argument("--repeats", type=int, default=1, help="verifications an effect")
    chosen = parser.parse_args(arguments)
    for line in lines(chosen.effects, chosen.budget, chosen.repeats):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
