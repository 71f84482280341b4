"""A stored JSON report read again. The file is untrusted input.

Rules: every size, depth and count is bounded before anything is built from it; a wrong type is a mistake of the user's
that names its JSON path; unknown keys are passed over, so that reports of a later minor version still render.
"""

import json
import math
from collections.abc import Callable
from typing import NoReturn

from ...capture.errors import UsageError
from ...capture.text import printable
from .json import FORMAT
from .model import (
    CallLine,
    CallMark,
    CallTree,
    Compared,
    Coverage,
    EndpointLatency,
    Finding,
    Json,
    Report,
    Severity,
    Suppressed,
    Surface,
    Verdict,
)

MAX_CHARS = 64 << 20
"""Largest report, in characters: far above what `diff` writes, far below what hurts."""
MAX_DEPTH = 64
MAX_ITEMS = 100_000
"""Most entries of any one list."""
MAX_NODES = 2_000_000
"""Most values in a whole report."""
MAX_COUNT = 1 << 63
MAX_TREE_DEPTH = 60

_HINT = "`seamline diff BASELINE CANDIDATE --format json` writes one"


def parse_report(text: str) -> Report:
    """The report in `text` (the JSON of `report.json.render`); UsageError where it is none."""
    root = _Node(_load(text), "$").object()
    version = root.get("format")
    if version.what != FORMAT or isinstance(version.what, bool):
        found = printable(json.dumps(version.what), 40)
        raise UsageError(f"report: $.format is {found}, this Seamline reads {FORMAT}", _HINT)
    return Report(
        verdict=root.get("verdict").choice(Verdict),
        reason=root.get("reason").optional_text(),
        capture=_compared(root.get("capture").object()),
        findings=root.get("findings").each(_finding),
        suppressed=root.get("suppressed").each(_suppressed),
        latency=root.get("latency").each(_latency),
        coverage=_coverage(root.get("coverage").object()),
        self_test=_self_test(root.get("self_test")),
        trees=root.get_or("trees", []).each(_tree),
    )


def _load(text: str) -> Json:
    if len(text) > MAX_CHARS:
        raise UsageError(f"report: longer than {MAX_CHARS:,} characters", _HINT)
    try:
        loaded: Json = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise UsageError(f"report: nested deeper than {MAX_DEPTH}", _HINT) from error
    except ValueError as error:
        raise UsageError(f"report: not JSON: {printable(str(error), 200)}", _HINT) from error
    _check_bounds(loaded)
    return loaded


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check_bounds(loaded: Json) -> None:
    """Depth and number of values, level by level, so that the check itself cannot recurse."""
    level: list[Json] = [loaded]
    nodes = 0
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise UsageError(f"report: more than {MAX_NODES:,} values", _HINT)
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise UsageError(f"report: nested deeper than {MAX_DEPTH}", _HINT)


def _children(value: Json) -> list[Json]:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


class _Node:
    """A value of the document and its JSON path; each method is one expectation."""

    __slots__ = ("path", "what")

    def __init__(self, what: Json, path: str) -> None:
        self.what = what
        self.path = path

    def fail(self, expected: str) -> NoReturn:
        raise UsageError(f"report: {self.path}: expected {expected}, found {_type_name(self.what)}", _HINT)

    def object(self) -> "_Object":
        if not isinstance(self.what, dict):
            self.fail("an object")
        return _Object(self.what, self.path)

    def list(self) -> "list[_Node]":
        if not isinstance(self.what, list):
            self.fail("a list")
        if len(self.what) > MAX_ITEMS:
            raise UsageError(f"report: {self.path}: more than {MAX_ITEMS:,} entries", _HINT)
        return [_Node(item, f"{self.path}[{index}]") for index, item in enumerate(self.what)]

    def each[T](self, build: "Callable[[_Object], T]") -> tuple[T, ...]:
        return tuple(build(node.object()) for node in self.list())

    def text(self) -> str:
        if not isinstance(self.what, str):
            self.fail("a string")
        return self.what

    def optional_text(self) -> str | None:
        return None if self.what is None else self.text()

    def texts(self) -> tuple[str, ...]:
        return tuple(node.text() for node in self.list())

    def count(self) -> int:
        if not isinstance(self.what, int) or isinstance(self.what, bool) or not 0 <= self.what < MAX_COUNT:
            self.fail("a whole number from 0")
        return self.what

    def number(self) -> float:
        """A finite number; null is the figure that does not exist (NaN)."""
        if self.what is None:
            return math.nan
        if isinstance(self.what, bool) or not isinstance(self.what, int | float) or abs(self.what) > 1e300:
            self.fail("a number or null")
        return float(self.what)

    def flag(self) -> bool:
        if not isinstance(self.what, bool):
            self.fail("true or false")
        return self.what

    def share(self) -> float:
        number = self.number()
        if not 0 <= number <= 1:
            self.fail("a number from 0 to 1")
        return number

    def choice[E: (Verdict, Surface, CallMark)](self, values: type[E]) -> E:
        text = self.text()
        known = [member.value for member in values]
        if text not in known:
            raise UsageError(f"report: {self.path}: {printable(text, 40)!r} is none of {', '.join(known)}", _HINT)
        return values(text)

    def severity(self) -> Severity:
        text = self.text()
        for severity in Severity:
            if severity.word == text:
                return severity
        known = ", ".join(severity.word for severity in Severity)
        raise UsageError(f"report: {self.path}: {printable(text, 40)!r} is none of {known}", _HINT)


class _Object:
    """An object of the document; `get` names the path of what it hands out, and fails where it is missing."""

    __slots__ = ("fields", "path")

    def __init__(self, fields: dict[str, Json], path: str) -> None:
        self.fields = fields
        self.path = path

    def get(self, name: str) -> _Node:
        if name not in self.fields:
            raise UsageError(f"report: {self.path}.{name} is missing", _HINT)
        return _Node(self.fields[name], f"{self.path}.{name}")

    def get_or(self, name: str, default: Json) -> _Node:
        return _Node(self.fields.get(name, default), f"{self.path}.{name}")


def _finding(found: _Object) -> Finding:
    return Finding(
        id=found.get("id").text(),
        surface=found.get("surface").choice(Surface),
        kind=found.get("kind").text(),
        severity=found.get("severity").severity(),
        confidence=found.get("confidence").share(),
        endpoint=found.get("endpoint").text(),
        path=found.get("path").optional_text(),
        service=found.get("service").optional_text(),
        operation=found.get("operation").optional_text(),
        transition=found.get("transition").text(),
        requests=found.get("requests").count(),
        of=found.get("of").count(),
        exchanges=found.get("exchanges").texts(),
        before=found.get("before").what,
        after=found.get("after").what,
        reproduce=found.get("reproduce").text(),
        explanation=found.get_or("explanation", []).texts(),
    )


def _suppressed(entry: _Object) -> Suppressed:
    return Suppressed(
        path=entry.get("path").text(),
        kind=entry.get("kind").text(),
        why=entry.get("why").text(),
        hides=entry.get("hides").count(),
    )


def _latency(row: _Object) -> EndpointLatency:
    return EndpointLatency(
        endpoint=row.get("endpoint").text(),
        pairs=row.get("pairs").count(),
        estimate=row.get("estimate").number(),
        low=row.get("low").number(),
        high=row.get("high").number(),
        mde=row.get("mde").number(),
        verdict=row.get("verdict").text(),
        why=row.get_or("why", None).optional_text() or "",
    )


def _compared(held: _Object) -> Compared:
    return Compared(
        exchanges=held.get("exchanges").count(),
        dropped=held.get("dropped").count(),
        withheld=held.get("withheld").count(),
        truncated=held.get("truncated").count(),
        expired=held.get("expired").count(),
    )


def _coverage(covered: _Object) -> Coverage:
    return Coverage(covered.get("endpoints").texts(), covered.get("unverified").texts())


def _tree(tree: _Object) -> CallTree:
    return CallTree(
        exchange=tree.get("exchange").text(),
        endpoint=tree.get("endpoint").text(),
        baseline=tree.get("baseline").each(_line),
        candidate=tree.get("candidate").each(_line),
    )


def _line(line: _Object) -> CallLine:
    return CallLine(
        depth=min(line.get("depth").count(), MAX_TREE_DEPTH),
        service=line.get("service").text(),
        protocol=line.get("protocol").text(),
        call=line.get("call").text(),
        answer=line.get("answer").text(),
        failed=line.get("failed").flag(),
        ms=line.get("ms").number(),
        mark=line.get("mark").choice(CallMark),
    )


def _self_test(node: _Node) -> dict[str, int] | None:
    if node.what is None:
        return None
    tested = node.object()
    return {name: tested.get(name).count() for name in tested.fields}


def _type_name(value: Json) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", list: "a list"}
    if value is None:
        return "null"
    return names.get(type(value), "an object")
