"""The system under test as the driver needs it: its servers, its seamline.toml, its traffic. Edge: starts processes.

Every side is `[service]` of shop/seamline.toml; which variants it runs is said by the variables MUT and NOISE.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .toml_text import toml_text

HERE = Path(__file__).parent
CONFIG = HERE / "shop" / "seamline.toml"
PACKAGE = f"{__package__}.shop".removeprefix("tests.")
SEAMLINE = (sys.executable, "-m", "seamline.cli")
# Invented traffic needs no secret key: one for all folders, so that captures and runs share their pseudonyms.
KEY = "the detection benchmark's traffic is invented"
ENDS_WITHIN_S = 30
Tables = dict[str, Any]


class SystemFailed(Exception):
    """Something that the benchmark has started did not do what it is there for."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is recorded: so many requests, `clients` of them at a time, `focus`: nearly all to one endpoint."""

    name: str
    requests: int
    clients: int = 1
    focus: bool = False


def environment() -> dict[str, str]:
    """The environment of everything that the benchmark starts: this Python first on PATH, the system importable."""
    path = joined(str(Path(sys.executable).parent), os.environ.get("PATH"))
    return os.environ | {"PATH": path, "PYTHONPATH": python_path(), "SEAMLINE_KEY": KEY, "NO_COLOR": "1"}


def python_path() -> str:
    """Where Python finds the system, before everything that it was told to look at."""
    return joined(str(HERE.parent), os.environ.get("PYTHONPATH"))


def joined(first: str, rest: str | None) -> str:
    """A search path."""
    return f"{first}{os.pathsep}{rest}" if rest else first


@contextmanager
def servers() -> Iterator[Mapping[str, int]]:
    """The database, the cache and the bus, as a process of their own; their ports by name."""
    with started([sys.executable, "-m", f"{PACKAGE}.servers"], HERE, stdout=True) as process:
        assert process.stdout is not None
        ports = process.stdout.readline()
        if not ports:
            raise SystemFailed("the servers did not start")
        yield json.loads(ports)


def configured(ports: Mapping[str, int], *, flags: Sequence[str], noise: str, capture: Path) -> str:
    """The seamline.toml of one verification or recording: servers at `ports`, the candidate with `flags`, every
    side with `noise` ("1" for all of it)."""
    tables: Tables = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    for downstream in tables["downstream"]:
        if downstream["protocol"] in ports:
            downstream["address"] = f"127.0.0.1:{ports[downstream['protocol']]}"
    service = tables["service"]
    service["cwd"] = str(HERE.parent)
    service["env"] = service.get("env", {}) | {"NOISE": noise, "PYTHONPATH": python_path()}
    tables["record"] = {"listen": "127.0.0.1:0", "output": str(capture)}
    tables["verify"] = tables.get("verify", {}) | {"capture": [str(capture)]}
    tables["baseline"] = {}
    tables["candidate"] = {"env": {"MUT": ",".join(flags)}} if flags else {}
    return toml_text(tables)


def record(config: Path, load: Load, seed: int) -> str:
    """Record seeded traffic through `seamline record`, as a user would; its last line."""
    with started([*SEAMLINE, "record", "--config", str(config)], config.parent, stderr=True) as recorder:
        assert recorder.stderr is not None
        first = recorder.stderr.readline()
        address = re.search(r"http://[\d.:]+", first)
        if address is None:
            raise SystemFailed(f"the recorder did not start: {(first + recorder.stderr.read()).strip()}")
        traffic = [sys.executable, "-m", f"{PACKAGE}.traffic", address.group(), "--seed", str(seed)]
        shape = ["--clients", str(load.clients), *(["--focus"] if load.focus else [])]
        done = subprocess.run(
            [*traffic, "--count", str(load.requests), *shape],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        recorder.send_signal(signal.SIGINT)
        said = recorder.stderr.read().strip().splitlines()
    if done.returncode or recorder.returncode:
        raise SystemFailed(f"recording failed: {done.stderr.strip()[-600:]} {' '.join(said)[-600:]}")
    return said[-1]


@contextmanager
def started(
    command: Sequence[str], folder: Path, *, stdout: bool = False, stderr: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own (Ctrl-C is for us), ended the orderly way when the block is left."""
    with subprocess.Popen(
        list(command),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
        stderr=subprocess.PIPE if stderr else None,
        text=True,
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Have it take down what it has started, and wait for that."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
