"""Faults as users write them: what goes wrong, at which calls.

`WHAT [after N] [every N]`: "latency:+200ms", "status:503 every 3", "429 after 10", "reset", "timeout", "truncate".
PURE: which call is hit depends on its number alone.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...capture.errors import UsageError

KINDS = ("latency", "status", "reset", "timeout", "truncate")
ANY_PROTOCOL = frozenset({"latency", "reset", "timeout"})
"""Faults that every protocol can have; the others are HTTP's."""

_EXAMPLES = 'for example "latency:+200ms", "status:503 every 3", "429 after 10", "reset", "timeout" or "truncate"'
_TIME = re.compile(r"\+?(\d{1,9}(?:\.\d{1,6})?)(us|ms|s)")
_UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000}
_LONGEST_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `latency_us` belongs to "latency", `status` to "status". It hits every `every`-th call once `after`
    calls have passed."""

    kind: str
    latency_us: int = 0
    status: int = 0
    after: int = 0
    every: int = 1

    def hits(self, number: int) -> bool:
        """Whether the `number`-th call (from 1) is hit."""
        return number > self.after and (number - self.after) % self.every == 0


@dataclass(frozen=True, slots=True)
class Blow:
    """What happens to one call: all faults that hit it together. The first of the others wins over later ones."""

    delay_us: int = 0
    fault: Fault | None = None


NOTHING = Blow()


class Faults:
    """The faults of one downstream, counting its calls."""

    __slots__ = ("_faults", "_number", "hits")

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._number = 0
        self.hits = 0
        """How many calls were hit."""

    def __bool__(self) -> bool:
        return bool(self._faults)

    def next(self) -> Blow:
        """What happens to the next call."""
        if not self._faults:
            return NOTHING
        self._number += 1
        delay_us = 0
        fault = None
        for each in self._faults:
            if each.hits(self._number):
                delay_us += each.latency_us
                if each.kind != "latency" and fault is None:
                    fault = each
        if not delay_us and fault is None:
            return NOTHING
        self.hits += 1
        return Blow(delay_us, fault)


def parse_faults(texts: Iterable[str]) -> dict[str, tuple[Fault, ...]]:
    """`NAME=SPEC` texts by downstream, in their order. UsageError with examples."""
    found: dict[str, tuple[Fault, ...]] = {}
    for text in texts:
        name, equals, spec = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f'--fault: "{text}" names no downstream', f"write NAME=FAULT, {_EXAMPLES}")
        found[name.strip()] = (*found.get(name.strip(), ()), parse_fault(spec, f"--fault {name.strip()}"))
    return found


def parse_fault(text: str, where: str = "--fault") -> Fault:
    """One fault. UsageError with examples."""
    words = text.split()
    if not words or len(words) % 2 == 0:
        raise _wrong(text, where)
    numbers = {"after": 0, "every": 1}
    for name, value in zip(words[1::2], words[2::2], strict=True):
        if name not in numbers or not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise _wrong(text, where)
        numbers[name] = int(value)
    if numbers["every"] < 1:
        raise _wrong(text, where)
    kind, latency_us, status = _what(words[0], text, where)
    return Fault(kind, latency_us, status, numbers["after"], numbers["every"])


def check_faults(faults: Iterable[Fault], protocol: str, where: str) -> None:
    """UsageError where a downstream of `protocol` cannot have one of `faults`."""
    for fault in faults:
        if protocol != "http" and fault.kind not in ANY_PROTOCOL:
            raise UsageError(
                f"{where}: {fault.kind} is a fault of HTTP, not of {protocol}", "latency, reset or timeout"
            )


def _what(word: str, text: str, where: str) -> tuple[str, int, int]:
    kind, colon, value = word.partition(":")
    if not colon and re.fullmatch(r"\d{3}", word, re.ASCII):
        kind, value = "status", word
    if kind == "latency":
        return kind, _time_us(value, text, where), 0
    if kind == "status":
        if not re.fullmatch(r"[2-5]\d\d", value, re.ASCII):
            raise _wrong(text, where)
        return kind, 0, int(value)
    if kind not in KINDS or colon:
        raise _wrong(text, where)
    return kind, 0, 0


def _time_us(value: str, text: str, where: str) -> int:
    found = _TIME.fullmatch(value)
    if found is None:
        raise _wrong(text, where)
    time_us = round(float(found[1]) * _UNITS_US[found[2]])
    if time_us > _LONGEST_US:
        raise UsageError(f'{where}: "{text}" is longer than an hour', _EXAMPLES)
    return time_us


def _wrong(text: str, where: str) -> UsageError:
    return UsageError(f'{where}: "{text}" is not a fault', _EXAMPLES)
