"""`make bench`: every figure with its peer and its goal, in one run."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from . import differ, nginx, recording, replaying, seams, servers, stub, wrk


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not (wrk.installed() and nginx.installed()):
        print("bench: wants wrk and nginx on PATH (Debian: apt-get install wrk nginx-light)", file=sys.stderr)
        return 3
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="seamline-bench-") as folder:
        goals = [
            *show_recording(console, recording.measure(Path(folder), options.rounds)),
            *show_throughput(console, replaying.throughput(Path(folder), options.rounds)),
            *show_pace(console, replaying.kept_time(Path(folder))),
            *show_stub(console, stub.measure(Path(folder), options.rounds)),
            *_seams(console, Path(folder), options.rounds),
            *differ.show(console, options.rounds),
        ]
    for met, sentence in goals:
        console.print(f"{'met   ' if met else 'MISSED'}  {sentence}", highlight=False)
    return 0 if all(met for met, _ in goals) else 1


Goals = list[tuple[bool, str]]


def show_recording(console: Console, results: dict[str, list[recording.Measured]]) -> Goals:
    """The recording table, and its goals."""
    table = Table(title=f"Recording: {wrk.CONNECTIONS} connections, medians")
    for column in ("way", "requests/s", "CPU µs/request, forwarding process", "CPU µs/request, all its processes"):
        table.add_column(column, justify="left" if column == "way" else "right")
    medians = {
        name: {field: recording.median(measured, field) for field in ("rate", "cpu_us", "all_cpu_us")}
        for name, measured in results.items()
    }
    for name, row in medians.items():
        table.add_row(name, f"{row['rate']:,.0f}", f"{row['cpu_us']:.0f}", f"{row['all_cpu_us']:.0f}")
    console.print(table)
    dropped = recording.median(results["seamline record (tap)"], "dropped_share")
    console.print(f"At full load {dropped:.0%} of the exchanges were dropped, and counted.", highlight=False)
    tap, peer, mitm = (medians[name] for name in ("seamline record (tap)", "nginx proxy", "mitmdump -w"))
    uncounted = sum(measured.uncounted for measured in results["seamline record (tap)"])
    return [
        (
            tap["rate"] >= 20 * mitm["rate"],
            f"tap ≥ 20 × mitmdump's requests/s: {tap['rate'] / mitm['rate']:.1f} ×",
        ),
        (
            tap["cpu_us"] <= 2 * peer["cpu_us"],
            f"tap ≤ 2 × nginx-proxy's CPU in the proxy process: {tap['cpu_us'] / peer['cpu_us']:.2f} ×",
        ),
        (uncounted == 0, f"0 exchanges lost uncounted: {uncounted}"),
    ]


def show_throughput(console: Console, results: list[replaying.Throughput]) -> Goals:
    """The replay's throughput, and its goal."""
    ratio = statistics.median(result.replay_rate / result.wrk_rate for result in results)
    cpu = statistics.median(result.cpu_us for result in results)
    console.print(
        f"Replay at max pace, whole process: {ratio:.2f} × wrk, {cpu:.0f} CPU µs/request "
        f"({replaying.REQUESTS:,} requests, {replaying.SESSIONS} sessions, run written)",
        highlight=False,
    )
    lost = sum(result.lost for result in results)
    return [
        (ratio >= 0.4, f"replay ≥ 0.4 × wrk: {ratio:.2f} ×"),
        (lost == 0, f"every replayed exchange is in the run: {lost} missing"),
    ]


def show_stub(console: Console, results: list[stub.Stubbed]) -> Goals:
    """How fast a stub answers and records, and its goals."""
    ratio = statistics.median(result.rate / result.nginx_rate for result in results)
    rate, cpu = stub.median(results, "rate"), stub.median(results, "cpu_us")
    console.print(
        f"HTTP stub: {rate:,.0f} requests/s, {ratio:.3f} × nginx with the same answer, {cpu:.0f} CPU µs/request "
        f"in its process ({stub.CALLS:,} recorded calls, run written)",
        highlight=False,
    )
    return [
        (rate >= 5_000, f"stub ≥ 5,000 requests/s: {rate:,.0f}"),
        (cpu <= 200, f"stub ≤ 200 CPU µs a request (5,000/s a core): {cpu:.0f}"),
    ]


def _seams(console: Console, folder: Path, rounds: int) -> Goals:
    """The call taps, where their servers and loads are installed."""
    lacking = servers.missing()
    if lacking:
        console.print(f"Call taps: left out, {', '.join(lacking)} is not installed", highlight=False)
        return []
    return show_seams(console, seams.measure(folder, rounds))


def show_seams(console: Console, results: dict[str, list[seams.Tapped]]) -> Goals:
    """The call taps' table, and their goals."""
    table = Table(title="Call taps: medians; CPU µs a call of relay, tap, sanitizer process: the best round")
    for column in ("load", "direct/s", "relay", "tap", "tap/s", "a call", "relay µs", "tap µs", "scribe µs"):
        table.add_column(column, justify="left" if column == "load" else "right", no_wrap=True)
    for name, rounds in results.items():
        direct, relayed, ratio, rate, added = (
            seams.median(rounds, field) for field in ("direct_rate", "relay_ratio", "ratio", "rate", "added_us")
        )
        # Where many are under way, what a call takes is how long the queues are.
        longer = f"+{added:,.0f} µs" if rounds[0].direct.clients == 1 else ""
        cpu = [f"{seams.best(rounds, field):.0f}" for field in ("relay_us", "tap_us", "sanitizer_us")]
        table.add_row(name, f"{direct:,.0f}", f"{relayed:.2f} ×", f"{ratio:.2f} ×", f"{rate:,.0f}", longer, *cpu)
    console.print(table)
    dropped = max(seams.median(rounds, "dropped_share") for rounds in results.values())
    console.print(f"Of the load with the most, {dropped:.0%} of the calls were dropped, and counted.", highlight=False)
    goals = [goal for name, rounds in results.items() for goal in _seam_goals(name, rounds)]
    uncounted = sum(measured.uncounted for rounds in results.values() for measured in rounds)
    return [*goals, (uncounted == 0, f"0 calls lost uncounted: {uncounted}")]


def _seam_goals(name: str, rounds: list[seams.Tapped]) -> Goals:
    goal = seams.GOALS.get(name)
    if goal is None:
        return []
    cpu = seams.best(rounds, "tap_us")
    goals = [(cpu <= goal.tap_us, f"{name}: ≤ {goal.tap_us:.0f} CPU µs a call in the tap: {cpu:.0f}")]
    if goal.added_us is not None:
        added = seams.median(rounds, "added_us")
        goals.append((added <= goal.added_us, f"{name}: a call takes ≤ {goal.added_us:.0f} µs longer: {added:.0f}"))
    if goal.rate is not None:
        rate = seams.median(rounds, "rate")
        goals.append((rate >= goal.rate, f"{name}: ≥ {goal.rate:,.0f} calls/s through the tap: {rate:,.0f}"))
    return goals


def show_pace(console: Console, kept: replaying.Kept) -> Goals:
    """How well time is kept, and its goals."""
    console.print(
        f"Recorded pace at {replaying.RATE}/s for {replaying.PACED_SECONDS} s: drift {kept.drift_percent:.3f} %, "
        f"send error p50 {kept.error_p50_ms:.3f} ms, p99 {kept.error_p99_ms:.2f} ms",
        highlight=False,
    )
    return [
        (kept.drift_percent <= 0.1, f"total drift ≤ 0.1 %: {kept.drift_percent:.3f} %"),
        (kept.error_p50_ms <= 0.3, f"send error ≤ 0.3 ms at p50: {kept.error_p50_ms:.3f} ms"),
        (kept.lost == 0, f"every paced exchange is in the run: {kept.lost} missing"),
    ]


if __name__ == "__main__":
    sys.exit(main())
