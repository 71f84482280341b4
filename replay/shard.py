"""Which worker replays a session: a pure function of its name, the same on every machine."""

import hashlib
from dataclasses import dataclass

from ..capture.errors import UsageError


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` (from 1) of `count`. A session never splits."""

    index: int
    count: int

    def holds(self, session: str) -> bool:
        """Whether `session` is replayed by this part."""
        digest = hashlib.blake2b(session.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.index - 1


WHOLE = Shard(1, 1)


def parse_shard(text: str) -> Shard:
    """The part that "I/N" names, I from 1 to N."""
    index, slash, count = text.partition("/")
    if not (slash and index.isascii() and index.isdigit() and count.isascii() and count.isdigit()):
        raise UsageError(f'--shard "{text}" is not a part', "write I/N, for example 1/4")
    if not 1 <= int(index) <= int(count) <= 1_000_000:
        raise UsageError(f'--shard "{text}": there is no such part', f"I runs from 1 to {count}")
    return Shard(int(index), int(count))
