"""Readings of a process tree's memory: from a made-up /proc, and from this very process."""

import os
import sys
from pathlib import Path

import orjson
import pytest

from seamline.replay.environments.memory import MOST_READINGS, MemoryReadings, resident_kib

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def a_process(proc: Path, pid: int, pages: str, children: str = "") -> None:
    """A process with one thread."""
    task = proc / str(pid) / "task" / str(pid)
    task.mkdir(parents=True)
    (task / "children").write_text(children)
    (proc / str(pid) / "statm").write_text(f"900 {pages} 3 1 0 9 0\n")


def test_the_whole_tree_is_added_up(tmp_path: Path) -> None:
    a_process(tmp_path, 10, "100", "11 12 ")
    a_process(tmp_path, 11, "20", "13")
    a_process(tmp_path, 12, "3")
    a_process(tmp_path, 13, "4", "10")
    assert resident_kib(10, tmp_path) == 127 * PAGE_KIB


def test_what_ends_meanwhile_or_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    a_process(tmp_path, 10, "100", "11 12")
    a_process(tmp_path, 12, "much")
    assert resident_kib(10, tmp_path) == 100 * PAGE_KIB
    assert resident_kib(99, tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_this_process_holds_some_mebibytes() -> None:
    assert 5_000 < (resident_kib(os.getpid()) or 0) < 50_000_000


def test_readings_are_taken_now_and_then_and_recorded(tmp_path: Path) -> None:
    a_process(tmp_path, 10, "100")
    readings = MemoryReadings(10, 640, tmp_path)
    for requests in range(1, 641):
        readings.after(requests)
    assert len(readings.taken) == MOST_READINGS
    assert readings.taken[-1] == (640, 100 * PAGE_KIB)
    exchange = readings.exchange("a-1", 1, 5)
    assert exchange is not None
    assert exchange.response is not None
    assert (exchange.protocol, exchange.request.method, exchange.request.target) == ("process", "STATE", "memory")
    assert orjson.loads(exchange.response.body)["resident_kib"][-1] == [640, 100 * PAGE_KIB]


def test_a_process_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    readings = MemoryReadings(10, 3, tmp_path)
    readings.after(1)
    assert readings.exchange("a-1", 1, 5) is None
