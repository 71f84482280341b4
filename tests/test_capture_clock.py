"""The recording's clock."""

import time

from seamline.capture.clock import Clock


def test_it_tells_the_wall_time_in_microseconds() -> None:
    before = time.time_ns() // 1000
    assert abs(Clock().now_us() - before) < 60_000_000


def test_it_never_runs_backwards() -> None:
    clock = Clock()
    seen = [clock.now_us() for _ in range(1000)]
    assert seen == sorted(seen)
