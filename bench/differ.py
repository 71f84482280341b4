"""The differ: changed pairs against deepdiff, equal pairs, large arrays, and the memory of a long judgement.

Both explain the same pairs in the same process, in turn, and what they found is compared: a differ that misses is fast,
too. deepdiff is measured in both of its ways. In order it lays lists side by side by position; without, it finds which
elements answer to each other, as our differ always does. Times are of the CPU: the machine is shared.
"""

import json
import random
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deepdiff import DeepDiff
from rich.console import Console

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Manifest, Request, Response, Role
from seamline.diffing.canonical import forget
from seamline.diffing.compare.body import compare_bodies
from seamline.diffing.compare.json import Walk
from seamline.diffing.judge import JudgeOptions, Round, Run, judge

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

SIZES = {"2 KB": 15, "100 KB": 780}
"""Bodies by the number of their items."""
CHANGED = 3
START_US = 1_793_527_200_000_000
ELEMENTS = 10_000
JUDGED = 100_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many changed pairs a second: ours with all rules, deepdiff in order and without; and whether both found the
    same places."""

    size: str
    ours: float
    ordered: float
    unordered: float
    is_same: bool


def document(items: int, seed: int = 1) -> dict[str, Json]:
    """An order list as shops answer it."""
    draw = random.Random(seed)
    lines: list[Json] = [
        {
            "id": 1000 + number,
            "sku": f"sku-{number:05}",
            "title": f"Product {draw.randrange(10**6)}",
            "price": draw.randrange(100, 99_999),
            "tags": ["new", "sale"],
            "stock": {"count": draw.randrange(50), "where": "north"},
        }
        for number in range(items)
    ]
    return {"total": items, "next": None, "items": lines}


def changed(value: dict[str, Json], seed: int = 2) -> dict[str, Json]:
    """The same with `CHANGED` members of its items changed."""
    draw = random.Random(seed)
    copy: dict[str, Json] = json.loads(json.dumps(value))
    lines = copy["items"]
    assert isinstance(lines, list)
    for place in draw.sample(range(len(lines)), CHANGED):
        line = lines[place]
        assert isinstance(line, dict)
        line["price"] = -1
    return copy


def answered(body: bytes, number: int = 0, name: str = "a") -> Exchange:
    """An exchange of a run that was answered with `body`."""
    return Exchange(
        id=f"{name}-{number}",
        seq=number,
        role=Role.INBOUND,
        protocol="http",
        service="shop",
        session=f"s{number % 50}",
        started_us=START_US + number * 1_000,
        latency_us=2_000,
        request=Request("GET", f"/orders/{number}", Headers(())),
        response=Response(200, Headers((("content-type", "application/json"),)), body),
        failure=None,
        origin=f"c-{number}",
    )


def seconds(work: Callable[[], object], least: float = 0.3) -> float:
    """CPU seconds of one call of `work`: the best of a few rows that last `least` seconds together."""
    best, spent = float("inf"), 0.0
    work()
    while spent < least:
        began = time.process_time()
        work()
        took = time.process_time() - began
        best, spent = min(best, took), spent + max(took, 1e-6)
    return best


def pairs(rounds: int = 3) -> list[Pairs]:
    """Changed pairs of each size. Ours begins with the bytes and parses afresh; deepdiff is given the values."""
    results = []
    for size, items in SIZES.items():
        before = document(items)
        after = changed(before)
        first, second = (answered(json.dumps(one).encode(), 0, name) for one, name in ((before, "a"), (after, "b")))

        def ours(first: Exchange = first, second: Exchange = second) -> object:
            return _afresh(first, second)

        def theirs(before: Json = before, after: Json = after) -> object:
            return DeepDiff(before, after)

        def theirs_in_any_order(before: Json = before, after: Json = after) -> object:
            return DeepDiff(before, after, ignore_order=True)

        rows = [[seconds(work) for work in (ours, theirs, theirs_in_any_order)] for _ in range(rounds)]
        rates = [1 / statistics.median(column) for column in zip(*rows, strict=True)]
        results.append(Pairs(size, *rates, is_same=our_places(before, after) == their_places(before, after)))
    return results


def _afresh(before: Exchange, after: Exchange) -> int:
    """Both bodies parsed and compared, with nothing remembered of an earlier look."""
    forget()
    return len(compare_bodies(before, after).differences)


def our_places(before: Json, after: Json) -> set[tuple[str, str]]:
    """What the walk finds, as (changed | removed | added, path)."""
    found: set[tuple[str, str]] = set()
    for one in Walk().run(before, after):
        path = one.path or ""
        parent = path.rpartition(".")[0]
        if one.kind == "field_renamed":
            old, _, new = one.transition.partition("→")
            found |= {("removed", f"{parent}.{old}"), ("added", f"{parent}.{new}")}
        elif one.transition.endswith("→missing"):
            found.add(("removed", path))
        elif one.transition.startswith("missing→"):
            found.add(("added", path))
        else:
            found.add(("changed", path))
    return found


_INDEX = re.compile(r"\[\d+\]")
_MEMBER = re.compile(r"\['([A-Za-z_][A-Za-z0-9_-]*)'\]")
_THEIRS = {
    "values_changed": "changed",
    "type_changes": "changed",
    "dictionary_item_removed": "removed",
    "dictionary_item_added": "added",
}


def their_places(before: Json, after: Json) -> set[tuple[str, str]]:
    """What deepdiff finds, in the same words; a kind that has none here goes by its own name."""
    tree = DeepDiff(before, after, view="tree")
    return {
        (_THEIRS.get(kind, kind), _INDEX.sub("[*]", _MEMBER.sub(r".\1", level.path().replace("root", "$", 1))))
        for kind, levels in tree.items()
        for level in levels
    }


def equal_rate() -> dict[str, float]:
    """Equal pairs a second: the same bytes, and the same contents in other bytes (2 KB, parsed afresh)."""
    value = document(SIZES["2 KB"])
    bodies = (json.dumps(value).encode(), json.dumps(value, indent=1, sort_keys=True).encode())
    one, same, other = (answered(body, 0, name) for body, name in zip((bodies[0], *bodies), "abc", strict=True))

    def rate(second: Exchange) -> float:
        def many() -> None:
            for _ in range(100):
                _afresh(one, second)

        return 100 / seconds(many)

    return {"same bytes": rate(same), "other spelling": rate(other)}


def arrays() -> dict[str, float]:
    """CPU seconds for two arrays of 10,000 elements, by what was done to one of them."""
    draw = random.Random(5)
    base: list[Json] = [{"id": number, "value": 3 * number, "name": f"n{number}"} for number in range(ELEMENTS)]
    rows: list[dict[str, Json]] = [dict(one) for one in base if isinstance(one, dict)]
    shuffled: list[Json] = [dict(one) for one in draw.sample(rows, ELEMENTS)]
    edited: list[Json] = [{**one, "name": "x"} for one in rows]
    fresh: list[Json] = [{**one, "id": f"{draw.getrandbits(128):032x}"} for one in draw.sample(rows, ELEMENTS)]
    keyless: list[Json] = [[number % 97, number, f"n{number}"] for number in range(ELEMENTS)]
    moved: list[Json] = [[first, second, "x"] for first, second, _ in draw.sample(keyless, ELEMENTS)]  # type: ignore[misc, str-unpack]  # rows of three
    cases: dict[str, tuple[list[Json], list[Json]]] = {
        "shuffled": (base, shuffled),
        "one more at the front": (base, [{"id": -1, "value": 0, "name": "new"}, *base]),
        "a field changed in each": (base, edited),
        "fresh ids, shuffled": ([{**one, "id": f"{draw.getrandbits(128):032x}"} for one in rows], fresh),
        "no key, shuffled and changed": (keyless, moved),
    }
    return {name: seconds(lambda pair=pair: Walk().run(*pair), 0.05) for name, pair in cases.items()}  # type: ignore[misc]  # bound here


def memory(count: int = JUDGED) -> tuple[float, float]:
    """MB that two runs of `count` exchanges take, and MB that judging them adds at its most; in a process of its own,
    half of whose answers differ."""
    command = [sys.executable, "-m", "bench.differ", str(count)]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
    runs, peak = map(float, done.stdout.split())
    return runs, peak - runs


def _judged(count: int) -> tuple[float, float]:
    def run(name: str) -> Run:
        exchanges = []
        for number in range(count):
            value = {"id": number, "total": number * 7, "by": name if number % 2 else "x", "tags": ["a", "b"]}
            exchanges.append(answered(json.dumps(value).encode(), number, name))
        return Run(Manifest(f"run-{name}", START_US, "seamline", "verify", replayed="cap"), exchanges)

    runs = (run("a"), run("b"))
    before = _peak_mb()
    judge([Round(*runs)], options=JudgeOptions(explain=False))
    return before, _peak_mb()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(console: Console, rounds: int) -> list[tuple[bool, str]]:
    """Measure all of it; a line for each figure, and the goals."""
    goals: list[tuple[bool, str]] = []
    for one in pairs(rounds):
        ratios = (one.ours / one.ordered, one.ours / one.unordered)
        console.print(
            f"Changed pairs of {one.size}: {one.ours:,.0f}/s, {ratios[0]:.0f} × deepdiff in order, "
            f"{ratios[1]:.0f} × without order",
            highlight=False,
        )
        # In any order, as ours: lists side by side by position is another, easier question.
        goals.append((ratios[1] >= 50, f"differ ≥ 50 × deepdiff without order, {one.size}: {ratios[1]:.0f} ×"))
        goals.append((one.is_same, f"the same differences found as deepdiff, {one.size}"))
    for name, rate in equal_rate().items():
        console.print(f"Equal pairs of 2 KB, {name}: {rate:,.0f}/s", highlight=False)
        goals.append((rate >= 20_000, f"equal pairs, {name} ≥ 20,000/s a core: {rate:,.0f}"))
    for name, took in arrays().items():
        console.print(f"Arrays of {ELEMENTS:,} elements, {name}: {took:.2f} s", highlight=False)
        goals.append((took <= 1, f"{ELEMENTS:,} elements, {name} ≤ 1 s: {took:.2f}"))
    held, added = memory()
    console.print(f"Judging {JUDGED:,} exchanges: {added:.0f} MB beside the runs' {held:.0f} MB", highlight=False)
    goals.append((added <= held, f"judging takes no more memory than the runs: {added:.0f} of {held:.0f} MB"))
    return goals


if __name__ == "__main__":
    print(*_judged(int(sys.argv[1])))
