"""Downstream calls of a pair of requests (first version: nothing)."""
from collections.abc import Callable
from dataclasses import dataclass, field

from .addresses import Addresses
from .difference import Difference
from .endpoint import Templates
from .outbound import CallIndex
from .pair import Pair


@dataclass(slots=True)
class CallPairs:
    before: CallIndex
    after: CallIndex
    templates: Templates
    left: Addresses
    right: Addresses


@dataclass(slots=True)
class CallComparison:
    differences: list[Difference] = field(default_factory=list)
    unverified: str = ""


def compare_calls(calls: CallPairs, pair: Pair, unordered: Callable[[str, str], frozenset[str]]) -> CallComparison:
    return CallComparison()
