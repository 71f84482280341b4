"""The trees of a report: what a request caused at the baseline and at the candidate, side by side.

The verdict rests on the comparison of calls, not on these: they are there to be read. A request is drawn where a
finding names it, and beyond that one for each endpoint, the one with the most calls.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from ..capture.headline import answered, asked, failed
from ..capture.model import Exchange, Role
from ..capture.tree import by_cause, tree_of
from .calls.key import counts, is_end, key_of
from .comparison import Comparison
from .endpoints.templates import Templates
from .pair import Pair
from .report.model import CallLine, CallMark, CallTree, Finding
from .rounds import Round

MOST_TREES = 12
MOST_LINES = 80
MAX_TEXT = 300

Caused = dict[str, list[Exchange]]


def draw_trees(
    first: Round, comparison: Comparison, findings: Sequence[Finding], templates: Templates
) -> tuple[CallTree, ...]:
    """The trees of at most `MOST_TREES` requests of the first round."""
    sides = (by_cause(first.baseline.exchanges), by_cause(first.candidate.exchanges))
    drawn: dict[str, CallTree] = {}
    for key in _chosen(comparison, findings, sides[0]):
        endpoint, pair = comparison.pairs[key]
        tree = _tree(key, endpoint, pair, sides, templates)
        if len(tree.baseline) + len(tree.candidate) > 2:
            drawn[key] = tree
        if len(drawn) == MOST_TREES:
            break
    return tuple(drawn.values())


def _chosen(comparison: Comparison, findings: Sequence[Finding], caused: Caused) -> Iterable[str]:
    """Ids of requests, the most interesting first."""
    named = [next((one for one in finding.exchanges if one in comparison.pairs), None) for finding in findings]
    fullest: dict[str, tuple[int, str]] = {}
    for key, (endpoint, pair) in comparison.pairs.items():
        size = len(caused.get(pair.before.id, ()))
        if size > fullest.get(endpoint, (0, ""))[0]:
            fullest[endpoint] = (size, key)
    others = [key for _, key in sorted(fullest.values(), reverse=True)]
    return dict.fromkeys([*(key for key in named if key is not None), *others])


def _tree(key: str, endpoint: str, pair: Pair, sides: tuple[Caused, Caused], templates: Templates) -> CallTree:
    before, after = (
        [line for line in tree_of(root, caused).walk() if _is_shown(line[1], root)]
        for root, caused in zip((pair.before, pair.after), sides, strict=True)
    )
    tallies = (Counter(_same(one, templates) for _, one in before), Counter(_same(one, templates) for _, one in after))
    return CallTree(
        key,
        endpoint,
        _lines(before, tallies[1], CallMark.MISSING, templates),
        _lines(after, tallies[0], CallMark.EXTRA, templates),
    )


def _is_shown(exchange: Exchange, root: Exchange) -> bool:
    return exchange is root or exchange.role is Role.INBOUND or counts(exchange) or is_end(exchange)


def _same(exchange: Exchange, templates: Templates) -> tuple[str, str]:
    if exchange.role is Role.INBOUND or not counts(exchange):
        return exchange.service, asked(exchange)
    key = key_of(exchange, templates)
    return key.service, key.operation


def _lines(
    tree: Sequence[tuple[int, Exchange]], others: Counter[tuple[str, str]], alone: CallMark, templates: Templates
) -> tuple[CallLine, ...]:
    left = Counter(others)
    lines: list[CallLine] = []
    for depth, exchange in tree[:MOST_LINES]:
        same = _same(exchange, templates)
        mark = CallMark.BOTH if depth == 0 or left[same] > 0 else alone
        left[same] -= 1
        lines.append(
            CallLine(
                depth,
                exchange.service,
                exchange.protocol,
                asked(exchange)[:MAX_TEXT],
                answered(exchange)[:MAX_TEXT],
                failed(exchange),
                exchange.latency_us / 1000,
                mark,
            )
        )
    return tuple(lines)
