"""Redis commands that take something away, and those that wait until there is something. PURE.

A worker asks such a command in a loop: answered again and again with its last recorded job it would work for ever, and
told at once that there is nothing it would ask as fast as it can.
"""

from ...capture.wire.redis.commands import Args, upper
from ...capture.wire.redis.values import Cut

_TIMEOUT_LAST = frozenset({"BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BZPOPMIN", "BZPOPMAX"})
_TIMEOUT_FIRST = frozenset({"BLMPOP", "BZMPOP"})
TAKING = (
    _TIMEOUT_LAST
    | _TIMEOUT_FIRST
    | frozenset({"LPOP", "RPOP", "LMOVE", "RPOPLPUSH", "LMPOP", "SPOP", "ZPOPMIN", "ZPOPMAX", "ZMPOP", "XREADGROUP"})
)
"""Commands that take something away: there is nothing left where all that was recorded has been taken."""

_LONGEST_S = 86_400.0


def patience_s(method: str, args: Args) -> float:
    """How long a blocking command waits for something, in seconds; 0 where it does not. Without an end is a day."""
    if method in _TIMEOUT_LAST and len(args) > 2:
        return _seconds(args[-1], 1)
    if method in _TIMEOUT_FIRST and len(args) > 2:
        return _seconds(args[1], 1)
    if method in ("XREAD", "XREADGROUP"):
        words = [upper(arg) for arg in args]
        if b"BLOCK" in words[1:-1]:
            return _seconds(args[words.index(b"BLOCK", 1) + 1], 1000)
    return 0.0


def _seconds(timeout: bytes | Cut, parts: int) -> float:
    try:
        told = float(timeout) / parts if isinstance(timeout, bytes) else 0.0
    except ValueError:
        return 0.0
    return min(told, _LONGEST_S) if told > 0 else _LONGEST_S
