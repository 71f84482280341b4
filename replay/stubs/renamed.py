"""Values that a service makes anew whenever it runs (ids, times, tokens), and which live one stands for which recorded.

A renaming is a bijection: a recorded id stands for one live id, and the other way round. A time stands for any time.
Calls are matched in the capture's words, in which a secret is a pseudonym; answers have to be in the service's own, or
it would not know its value again. PURE.
"""

import re
from collections.abc import Sequence
from typing import Any

from .asked import Leaf

MOST_PAIRS = 20_000
_WORD = re.compile(rb"[A-Za-z0-9_\-]{16,256}")
"""What may be a recorded id in an answer, to be replaced wherever it stands: shorter text could be chance."""

_PIECE = re.compile(r"([A-Za-z0-9_\-]{16,256})")
_LONGEST_WITH_PARTS = 4_000

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-fA-F]{16,128}")
_TOKEN = re.compile(r"(?=[^0-9]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_\-]{20,256}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?")
_TIME_NAME = re.compile(r"(?:^|[._])(?:ts|time|timestamp|date|when|now|iat|exp|nbf)(?:$|[#\[])|(?:_at|At)(?:$|[#\[])")
_ID_NAME = re.compile(
    r"(?:^|[._$])(?:id|uuid|ref|key|seq|nonce|number|no)(?:$|[#\[])|(?:_id|Id|ID|_ref|_no)(?:$|[#\[])"
)
_EPOCH = (1_000_000_000, 4_102_444_800)  # 2001-09-09 to 2100-01-01, seconds
_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)


def generated(leaf: Leaf) -> str:
    """What kind of value made anew `leaf` looks like: "id", "token", "time", or "" for none."""
    if leaf.kind == "s":
        return _generated_text(leaf.value)
    if leaf.kind == "n" and _TIME_NAME.search(leaf.path) and _is_epoch(leaf.value):
        return "time"
    return ""


def _generated_text(text: str) -> str:
    if len(text) > 256:
        return ""
    if _UUID.fullmatch(text):
        return "id"
    if _TIME.fullmatch(text):
        return "time"
    if _HEX.fullmatch(text) or _TOKEN.fullmatch(text):
        return "token"
    return ""


def _pieces(recorded: str, live: str, own: str) -> list[tuple[str, str, str]]:
    """The long words of three texts that are alike but for these, in turn; nothing where they are not."""
    if max(len(recorded), len(live), len(own)) > _LONGEST_WITH_PARTS:
        return []
    one, other, third = (_PIECE.split(text) for text in (recorded, live, own))
    if not one[::2] == other[::2] == third[::2]:
        return []
    return list(zip(one[1::2], other[1::2], third[1::2], strict=True))


def _parts(recorded: Leaf, live: Leaf) -> list[tuple[Leaf, Leaf]]:
    """What differs between two texts that are alike but for values made anew within them (`user:<token>`), piece by
    piece; nothing where something else differs too."""
    if recorded.kind != "s" or live.kind != "s" or max(len(recorded.value), len(live.value)) > _LONGEST_WITH_PARTS:
        return []
    one, other = _PIECE.split(recorded.value), _PIECE.split(live.value)
    if len(one) != len(other) or len(one) < 3 or one[::2] != other[::2]:
        return []
    pairs = [
        (Leaf(recorded.path, "s", there), Leaf(live.path, "s", here))
        for there, here in zip(one[1::2], other[1::2], strict=True)
        if there != here
    ]
    are_made = all(generated(there) and generated(there) == generated(here) for there, here in pairs)
    return pairs if are_made else []


def _is_epoch(value: float) -> bool:
    return any(_EPOCH[0] <= value / unit < _EPOCH[1] for unit in _UNITS)


class Renaming:
    """Recorded values and the live ones that stand for them. `most` bounds how many are kept."""

    __slots__ = ("_live", "_most", "_own", "_recorded")

    def __init__(self, most: int = MOST_PAIRS) -> None:
        self._live: dict[tuple[str, Any], tuple[str, Any]] = {}
        self._recorded: dict[tuple[str, Any], tuple[str, Any]] = {}
        self._own: dict[str, str] = {}
        """Recorded texts in the service's own words, where those are not the capture's."""
        self._most = most

    def agrees(self, recorded: Leaf, live: Leaf, *, fresh: bool) -> bool:
        """Whether `live` can stand for `recorded`: they are equal, or known to stand for one another, or, with
        `fresh`, both were made anew and neither stands for another one yet."""
        if recorded.kind != live.kind:
            return False
        if recorded.value == live.value:
            return True
        there, here = (recorded.kind, recorded.value), (live.kind, live.value)
        if there in self._live:
            return self._live[there] == here
        if here in self._recorded:
            return False
        kind = generated(recorded)
        if kind:
            return fresh and kind == generated(live)
        parts = _parts(recorded, live)
        return bool(parts) and all(self.agrees(one, other, fresh=fresh) for one, other in parts)

    def learn(self, recorded: Sequence[Leaf], live: Sequence[Leaf]) -> None:
        """Take over which values stand for which, from two calls or answers that belong together."""
        there = {leaf.path: leaf for leaf in live}
        for leaf in recorded:
            other = there.get(leaf.path)
            if other is not None and leaf.value != other.value and leaf.kind == other.kind:
                for one, another in [] if generated(leaf) else _parts(leaf, other):
                    self._pair(one, another)
                self._pair(leaf, other)

    def _pair(self, recorded: Leaf, live: Leaf) -> None:
        kind = generated(recorded)
        is_id = kind in ("id", "token") and kind == generated(live)
        is_number = recorded.kind == "n" and not kind and bool(_ID_NAME.search(recorded.path))
        if not (is_id or is_number) or len(self._live) >= self._most:
            return
        there, here = (recorded.kind, recorded.value), (live.kind, live.value)
        if there not in self._live and here not in self._recorded:
            self._live[there] = here
            self._recorded[here] = there

    def hear(self, recorded: Sequence[Leaf], live: Sequence[Leaf], own: Sequence[Leaf]) -> None:
        """Take over how the service itself spells the values of a call: `live` are its leaves in the capture's words,
        `own` as they came. Only for values that stand for the recorded ones."""
        ours, theirs = ({leaf.path: leaf for leaf in leaves if leaf.kind == "s"} for leaves in (live, own))
        for leaf in recorded:
            if leaf.kind == "s" and leaf.path in ours and leaf.path in theirs:
                for there, here, spelt in _pieces(leaf.value, ours[leaf.path].value, theirs[leaf.path].value):
                    is_same = there == here or self._live.get(("s", there)) == ("s", here)
                    if is_same and there != spelt and len(self._own) < self._most:
                        self._own.setdefault(there, spelt)

    def replayed(self, body: bytes) -> bytes:
        """A recorded answer's `body` with the live ids in place of the recorded: what a service has just named itself
        it expects to be told back."""
        if not self:
            return body
        return _WORD.sub(self._live_word, body)

    def replayed_text(self, text: str) -> str:
        """`replayed` for a text."""
        return self.replayed(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def _live_word(self, found: re.Match[bytes]) -> bytes:
        word = found[0].decode("ascii")
        own = self._own.get(word)
        if own is not None:
            return own.encode("utf-8", "surrogatepass")
        live = self._live.get(("s", word))
        return str(live[1]).encode("utf-8", "surrogatepass") if live is not None else found[0]

    def __len__(self) -> int:
        return len(self._live) + len(self._own)
