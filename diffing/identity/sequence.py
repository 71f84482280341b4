"""Counters keep the order of creation: what was made later has the larger number, on every side.

Whether a domain's numbers keep it is learnt from the baseline against itself: concurrent requests may overtake each
other. Ids that are drawn where they were counted come in any order.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from .bijection import Domain, Names
from .sights import Sight

MIN_ORDERED = 8
"""From so many ids without one out of order on, order is kept on purpose."""
MIN_BROKEN = 3
MIN_SHARE = 0.3
"""Of the candidate's ids, so many must come too early: a few may have overtaken others."""
LONGEST = 18
OUT_OF_ORDER = "in order of creation→in any order"


Pairs = list[tuple[int, int]]
"""The ids of a domain on both sides, in the baseline's order."""


def _numbers(names: Names) -> dict[int, Pairs]:
    """The pairs of each domain that holds numbers alone."""
    found: dict[int, Pairs] = defaultdict(list)
    texts: set[int] = set()
    for (domain, old), new in names.forward.items():
        if old.isdecimal() and new.isdecimal() and max(len(old), len(new)) <= LONGEST:
            found[domain].append((int(old), int(new)))
        else:
            texts.add(domain)
    return {domain: sorted(pairs) for domain, pairs in found.items() if domain not in texts}


def _too_early(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The baseline's numbers of those that are smaller on the other side than one before them."""
    highest = accumulate((new for _, new in pairs), max)
    return {old for (old, new), top in zip(pairs, highest, strict=True) if new < top}


def ordered_domains(itself: Iterable[Names]) -> frozenset[int]:
    """Domains whose numbers are in one order on all sides of the baseline."""
    kept: set[int] = set()
    broken: set[int] = set()
    for names in itself:
        for domain, pairs in _numbers(names).items():
            kept.update({domain} if len(pairs) >= MIN_ORDERED else ())
            broken.update({domain} if _too_early(pairs) else ())
    return frozenset(kept - broken)


def out_of_order(sights: Iterable[Sight], names: Names, domains: Domain, ordered: frozenset[int]) -> list[Sight]:
    """The sights of ids that come too early, where more than a few of their domain do."""
    early: set[tuple[int, str]] = set()
    for domain, pairs in _numbers(names).items() if ordered else ():
        broken = _too_early(pairs) if domain in ordered else set()
        if len(broken) >= max(MIN_BROKEN, MIN_SHARE * len(pairs)):
            early |= {(domain, str(old)) for old in broken}
    return [one for one in sights if early and (domains.get(one.spot, -1), one.before) in early]
