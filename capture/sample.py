"""Which traffic is recorded when not all of it is: whole sessions, with the calls that they cause."""

import hashlib
from collections import OrderedDict

_MOST_REMEMBERED = 100_000


class Sampler:
    """Keeps about `rate` (0..1) of the sessions. The same session and salt are always judged alike.

    Sessions are kept or left whole: half of one cannot be replayed, as its later requests build on its earlier ones.
    """

    __slots__ = ("_below", "_kept", "_salt")

    def __init__(self, rate: float, salt: str) -> None:
        self._below = int(rate * 2**64)
        self._salt = salt.encode()[:64]
        # Not a dict: what is forgotten first would have to be searched for among all that was forgotten before.
        self._kept: OrderedDict[str, bool] = OrderedDict()

    def inbound(self, exchange_id: str, session: str) -> bool:
        """Judge an inbound exchange when it starts; its downstream calls will be judged by it."""
        kept = self._judge(session)
        if len(self._kept) >= _MOST_REMEMBERED:
            self._kept.popitem(last=False)
        self._kept[exchange_id] = kept
        return kept

    def keeps(self, exchange_id: str) -> bool:
        """Whether an exchange belongs to the sample; one that was never judged is judged by its own id."""
        kept = self._kept.get(exchange_id)
        return self._judge(exchange_id) if kept is None else kept

    def _judge(self, name: str) -> bool:
        digest = hashlib.blake2b(name.encode(), key=self._salt, digest_size=8).digest()
        return int.from_bytes(digest) < self._below
