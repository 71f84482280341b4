"""What differs although nothing changed: `NOISE=1` for all of it, `NOISE=N01,N16` for some, on both sides alike.

An id may stand in MUT too: N05, N06 are habits of one side. Every draw here is unseeded on purpose: that is noise.
N02 (fresh ids) and N03 (the time of day in bodies, rows, events) need no flag: the shop is never without them.
"""

import asyncio
import os
import random
import socket
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .variants import ACTIVE, names

NOISE = names("NOISE")
_DAY_S = 7  # N23: a day is short here, so that a verification sees midnights
_WARM = Path(tempfile.gettempdir()) / f"benchmark-warm-{os.getuid()}"


def noisy(identity: str) -> bool:
    """Whether this process makes the noise `identity`."""
    return "1" in NOISE or identity in NOISE or identity in ACTIVE


def unordered(values: Iterable[str]) -> list[str]:
    """N01: a set in whatever order it comes; without noise in one order."""
    ordered = sorted(values)
    return random.sample(ordered, len(ordered)) if noisy("N01") else ordered


def interleaved(logs: Sequence[Sequence[str]]) -> list[str]:
    """N13: what several workers wrote at the same time. Each one's lines keep their order."""
    rest = [list(log) for log in logs]
    merged: list[str] = []
    while any(rest):
        log = random.choice([each for each in rest if each]) if noisy("N13") else next(each for each in rest if each)
        merged.append(log.pop(0))
    return merged


def mean(values: Sequence[float]) -> float:
    """N12: an average whose last digits depend on the order of summation."""
    total = 0.0
    for value in random.sample(values, len(values)) if noisy("N12") else values:
        total += value
    return total / len(values)


def sample(values: Sequence[str], count: int) -> list[str]:
    """N16: some of `values`, drawn anew at each call."""
    return random.sample(values, count) if noisy("N16") else list(values[:count])


def layout() -> str:
    """N17: one visitor in a hundred is part of an experiment."""
    return "wide" if noisy("N17") and random.random() < 0.01 else "classic"


def today() -> str:
    """N23: the date, which changes in the middle of a run."""
    number = int(time.time()) // _DAY_S % 28 if noisy("N23") else 0
    return f"2026-01-{number + 1:02d}"


def since_midnight() -> int:
    """N23: the time at which today began, as a Unix time in seconds; without noise long ago."""
    return int(time.time()) // _DAY_S * _DAY_S if noisy("N23") else 0


def identity(thing: object) -> str:
    """N14: an object as an error text names it."""
    return f"<{type(thing).__name__} object at {id(object()):#014x}>" if noisy("N14") else type(thing).__name__


def hop_headers(name: str) -> dict[str, str]:
    """N09, N10: what a hop says about itself and the time it took."""
    told: dict[str, str] = {}
    if noisy("N09"):
        told |= {"server-timing": f"app;dur={random.uniform(0.5, 9):.3f}", "via": f"1.1 {name}-{random.randrange(9)}"}
        told["age"] = str(random.randrange(3))
    if noisy("N10"):
        told["x-served-by"] = f"{name}-{socket.gethostname()}-{os.getpid()}"
    return told


def shaken(value: Any) -> Any:
    """N05: the same JSON value with its members in another order."""
    if isinstance(value, dict):
        members = list(value.items())
        return {key: shaken(member) for key, member in random.sample(members, len(members))}
    return [shaken(item) for item in value] if isinstance(value, list) else value


_PACE = random.uniform(0, 0.03)  # N22: this process happens to be a little slower


async def weather() -> None:
    """N20, N21, N22: pauses that the machine makes, not the code."""
    pause = 0.0
    if noisy("N20") and random.random() < 0.004:
        pause += 0.025
    if noisy("N21"):
        pause += 0.0 if _touched_lately() else 0.0004
    if noisy("N22"):
        pause += 0.005 * _PACE
    if pause:
        await asyncio.sleep(pause)


async def vacuum() -> None:
    """N24: now and then the database is busy with itself."""
    if noisy("N24") and random.random() < 0.005:
        await asyncio.sleep(0.015)


def _touched_lately() -> bool:
    """Whether any side was here within 20 ms: who comes second finds the machine warm."""
    now, before = time.time(), 0.0
    with suppress(FileNotFoundError):
        before = _WARM.stat().st_mtime
    _WARM.touch()
    return now - before < 0.02
