"""How much memory a started service holds, read from Linux's /proc: EDGE.

Two rules. A reading is taken where no request is under way, and costs well under a millisecond. Where it cannot be
taken (another system, a process that has ended), there is none: nobody's replay fails for it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from ...capture.headers import Headers
from ...capture.model import Exchange, Request, Response, Role

MOST_READINGS = 64
"""So many in a run: enough for a slope."""
MOST_PROCESSES = 256
PROTOCOL, METHOD, TARGET = "process", "STATE", "memory"
"""What the exchange that holds the readings is called (docs/isolation.md)."""
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class MemoryReadings:
    """Readings of the process tree below `pid`, taken every so many of `requests` requests: (requests answered so far,
    resident KiB)."""

    def __init__(self, pid: int, requests: int, proc: Path = Path("/proc")) -> None:
        self._pid = pid
        self._every = max(1, requests // MOST_READINGS)
        self._proc = proc
        self.taken: list[tuple[int, int]] = []

    def after(self, requests: int) -> None:
        """Take a reading if one is due after so many requests."""
        if requests % self._every == 0:
            found = resident_kib(self._pid, self._proc)
            if found is not None:
                self.taken.append((requests, found))

    def exchange(self, exchange_id: str, seq: int, now_us: int) -> Exchange | None:
        """The readings as an exchange of the run; None where there are none."""
        if not self.taken:
            return None
        return Exchange(
            id=exchange_id,
            seq=seq,
            role=Role.OUTBOUND,
            protocol=PROTOCOL,
            service="",
            session="state",
            started_us=now_us,
            latency_us=0,
            request=Request(METHOD, TARGET, Headers(), b"", "", METHOD.lower()),
            response=Response(
                0, Headers([("content-type", "application/json")]), orjson.dumps({"resident_kib": self.taken}), "", ""
            ),
        )


def resident_kib(pid: int, proc: Path = Path("/proc")) -> int | None:
    """Resident memory of `pid` and all below it, in KiB; None where nothing can be read."""
    found = [pages for each in _tree(pid, proc) if (pages := _pages(each, proc)) is not None]
    return sum(found) * _PAGE_KIB if found else None


def _tree(pid: int, proc: Path) -> Iterator[int]:
    """`pid` and its descendants."""
    waiting, seen = [pid], {pid}
    while waiting:
        each = waiting.pop()
        yield each
        for child in _children(each, proc):
            if child not in seen and len(seen) < MOST_PROCESSES:
                seen.add(child)
                waiting.append(child)


def _children(pid: int, proc: Path) -> list[int]:
    """Each thread has children of its own. What ends meanwhile has none."""
    try:
        tasks = list((proc / str(pid) / "task").iterdir())
    except OSError:
        return []
    found: list[int] = []
    for task in tasks:
        try:
            found += map(int, (task / "children").read_text("ascii").split())
        except OSError:
            continue
    return found


def _pages(pid: int, proc: Path) -> int | None:
    try:
        return int((proc / str(pid) / "statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
