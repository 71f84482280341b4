"""Which part of a capture one of several replayers fires: whole sessions, by a hash of their name.

Every replayer computes the same split from the capture alone, so nobody has to hand out work.
"""

import hashlib
from dataclasses import dataclass

from ..capture.errors import UsageError

_MOST_SHARDS = 10_000
_HINT = "--shard I/N with I from 1 to N, such as 2/4"


@dataclass(frozen=True, slots=True)
class Shard:
    """The part `number` (from 1) of `count`."""

    number: int = 1
    count: int = 1

    def owns(self, session: str) -> bool:
        """Whether the session's requests are fired here; of all shards exactly one says yes."""
        if self.count == 1:
            return True
        digest = hashlib.blake2b(session.encode("utf-8", "surrogatepass"), digest_size=8, person=b"seam-shard")
        return int.from_bytes(digest.digest()) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse_shard(text: str) -> Shard:
    """ "2/4" → the second of four shards; UsageError otherwise."""
    number, slash, count = text.strip().partition("/")
    if not (slash and number.isascii() and number.isdigit() and count.isascii() and count.isdigit()):
        raise UsageError(f'--shard "{text}" is not one', _HINT)
    if len(number) > 9 or len(count) > 9 or not 1 <= int(number) <= int(count) <= _MOST_SHARDS:
        raise UsageError(f'--shard "{text}": there is no such part', f"{_HINT}, N at most {_MOST_SHARDS}")
    return Shard(int(number), int(count))
