"""Where on a side's bus a recorded message belongs: its subject, topic or channel under the side's own prefix. PURE.

Rules of this file:
- under isolation nothing is produced outside of the side's own prefix;
- what stands in for the recorded prefix is not guessed: it is read off the places that the side's service itself
  names when it subscribes, declares or asks for them.
"""

import re
from collections.abc import Iterable

from ..capture.wire.call import Call

PREFIX = "{prefix}"
"""What a prefix is recorded as."""

_MOST = 1000
_LONGEST = 64 << 10
_LISTENING = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"})
_JOINT = "._-:/"
_BOUND = f"(?:^|(?<=[{re.escape(_JOINT)}])|(?=[{re.escape(_JOINT)}]))"
_PART = r"""[^\s"',;\[\]{}]*"""


class Places:
    """The places of one downstream at one side. `prefix` is the side's own; None where it has none."""

    def __init__(self, protocol: str, prefix: str | None) -> None:
        self.prefix = prefix
        self._globs = protocol == "redis"
        # What the service has named, and what of it it listens to.
        self._named: dict[str, None] = {}
        self._subscribed: dict[str, None] = {}
        self._spoken = (
            None if prefix is None else re.compile(rf"""[^\s"',;\[\]{{}}]*{re.escape(prefix)}[^\s"',;\[\]{{}}]*""")
        )

    def heard(self, call: Call) -> None:
        """The service said something to the bus that may name a place where it listens."""
        if call.method in ("PUBLISH", "SPUBLISH") or len(self._named) >= _MOST:
            return
        if call.method in _LISTENING or call.operation == "basic.consume":
            for place in _subscribed(call):
                self._subscribed[place] = self._named[place] = None
        if self._spoken is not None:
            body = call.body[:_LONGEST].decode("utf-8", "replace")
            for text in (call.target, call.arguments[:_LONGEST], body):
                for found in self._spoken.findall(text):
                    self._named[found] = None

    def known(self, names: Iterable[str]) -> None:
        """The broker has places of these names."""
        if self.prefix is not None:
            for name in names:
                if self.prefix in name and len(self._named) < _MOST:
                    self._named[name] = None

    def of(self, recorded: str) -> str | None:
        """The place of a message that was recorded at `recorded`; None where it is not known (yet)."""
        prefix = self.prefix
        if prefix is None:
            return None if PREFIX in recorded else recorded
        if PREFIX in recorded:
            return recorded.replace(PREFIX, prefix)
        best: tuple[int, str] | None = None
        for place in self._named:
            found = self._moved(recorded, place, prefix)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        return best[1] if best is not None else None

    def is_listened_to(self, place: str) -> bool:
        """Whether the service has subscribed to `place`, by name or by a pattern."""
        if place in self._subscribed:
            return True
        return any(re.fullmatch(self._pattern(each), place) for each in self._subscribed)

    def _moved(self, recorded: str, place: str, prefix: str) -> tuple[int, str] | None:
        """`recorded` under `place`'s prefix, if the rest of `place` fits it, and how much of it is literal."""
        head, _, tail = place.partition(prefix)
        bare = tail.lstrip(_JOINT)
        if not bare:
            return None
        literal = len(re.sub(r"[*>?]", "", bare))
        at_end = re.search(
            f"(?:^|(?<=[{re.escape(_JOINT)}])|(?=[{re.escape(_JOINT)}])){self._pattern(tail)}$", recorded
        )
        if at_end is not None:
            return literal, head + prefix + at_end[0]
        if re.fullmatch(self._pattern(bare), recorded):
            return literal, head + prefix + tail[: len(tail) - len(bare)] + recorded
        return None

    def _pattern(self, place: str) -> str:
        """A regular expression for a place with the wildcards of NATS, or of Redis."""
        text = re.escape(place[:_LONGEST])
        if self._globs:
            return text.replace(r"\*", ".*").replace(r"\?", ".")
        text = text.replace(r"\*", r"[^.]+")
        return re.sub(r">$", ".+", text)


def _subscribed(call: Call) -> list[str]:
    """Subject of NATS in the target; channels of Redis in the arguments."""
    named = re.findall(r'"((?:[^"\\]|\\.)*)"', call.arguments[:_LONGEST]) if call.arguments.startswith("[") else []
    return [place for place in (call.target, *named) if place]
