"""Names made of parts: a cache's keys, subjects, channels, routing keys. `session:<token>`, `otp.17`, `cart:<session>`.

Three rules hold here. A part is judged by the nearest word before it, as a value is by its key, and replaced as that
value would be, so that a token is the same in a cookie and in a key. Words and short numbers stay: they are the name's
grammar. What is random beyond doubt is taken for a secret whatever stands before it.
"""

import ipaddress
import re
from collections.abc import Iterator

from .kinds import Kind
from .splice import Edit, spliced
from .tokens import KeyClassifier
from .values import Values
from .vocabulary import SECRET_KINDS

_MAX_KNOWN = 20_000
_MAX_LENGTH = 1 << 16  # characters of a text that are looked at for names
_MAX_KNOWN_LENGTH = 400
_JOINED = re.compile(r"[\w*)}-][:/|.][\w*+-]|[_=-]\w{10}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{0,24}")  # which has colons, and no words
_NAME = re.compile(r"[^\s\"'`(),;<>\[\]{}]+")
_PART = re.compile(r"[^:/|]+")
_SUBPART = re.compile(r"[^.]+")
_PREFIX_END = re.compile(r"[_=-]")
_WORD = re.compile(r"\d{0,2}[A-Za-z][A-Za-z_-]{0,40}\d{0,2}")
# What a person wrote and no generator did: `active`, `by-user`, `PasswordReset`, `KEEPTTL`.
_PLAIN = re.compile(r"[A-Z]?[a-z]+(?:[A-Z][a-z]{2,}|[_-][a-z]+)*|[A-Z]+(?:[_-][A-Z]+)*")
_LONGEST_PLAIN = 24
_SHORT_NUMBER = 8  # digits that have no shape
_SHORT_ID = 5  # digits from which on a number may be a secret
_SHORTEST_TAIL = 12  # characters behind a prefix: sess_9f86d081884c
_LONGEST_PREFIX = 48
_RANDOM = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=(?:\D*\d){2})[\w+=-]{22,}")
_MOST_PARTS = 64


class Segments:
    """Cleans names, and remembers them."""

    __slots__ = ("_heads", "_keys", "_known", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values
        self._known: dict[str, str] = {}
        self._heads: dict[str, bool] = {}  # whether a short number behind such a beginning stays, and it too

    def forget(self) -> None:
        """Drop what was remembered for speed."""
        self._known.clear()
        self._heads.clear()

    def clean(self, text: str) -> str:
        """`text` with the parts of names in it replaced that are sensitive by the words before them, and with what is
        sensitive by its shape replaced everywhere else."""
        if _JOINED.search(text) is None or "://" in text or text[:1] in ("{", "[") or _INSTANT.fullmatch(text):
            return self._values.text(text)
        # Most names are a word and a number, and this runs for every name there is.
        head, colon, tail = text.rpartition(":")
        if colon and len(tail) <= _SHORT_NUMBER and tail.isdigit() and self._is_quiet(head):
            return text
        known = self._known.get(text)
        if known is not None:
            return known
        made = self._judged(text)
        if not self._values.learning and len(text) <= _MAX_KNOWN_LENGTH:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[text] = made
        return made

    def _is_quiet(self, head: str) -> bool:
        known = self._heads.get(head)
        if known is None:
            reading = _Reading(self._keys, self._values)
            edits = list(self._parts(reading, head, 0, len(head)))
            known = not edits and reading.kind is None and not self._values.has_own and self._values.text(head) == head
            if not self._values.learning and len(head) <= _MAX_KNOWN_LENGTH:
                if len(self._heads) >= _MAX_KNOWN:
                    self._heads.clear()
                self._heads[head] = known
        return known

    def _judged(self, text: str) -> str:
        edits = [edit for name in _NAME.finditer(text[:_MAX_LENGTH]) for edit in self._name(text, *name.span())]
        if not edits:
            return self._values.text(text)
        edits += self._between(text, edits)
        return spliced(text, sorted(edits))

    def _between(self, text: str, edits: list[Edit]) -> Iterator[Edit]:
        """The edits by shape of what stands before, between and after `edits`."""
        position = 0
        for start, end, _ in [*edits, (len(text), len(text), "")]:
            rest = text[position:start]
            made = self._values.text(rest)
            if made != rest:
                yield position, start, made
            position = end

    def _name(self, text: str, start: int, end: int) -> Iterator[Edit]:
        return self._parts(_Reading(self._keys, self._values), text, start, end)

    def _parts(self, reading: "_Reading", text: str, start: int, end: int) -> Iterator[Edit]:
        # Slashes alone may be those of Base64, which is random by nature.
        is_key = ":" in text[start:end] or "|" in text[start:end]
        for count, part in enumerate(_PART.finditer(text, start, end)):
            if count == _MOST_PARTS:
                if is_key:
                    yield part.start(), end, self._values.of_kind(Kind.PASSWORD, text[part.start() : end])
                return
            if reading.kind is Kind.IP and _is_address(text[part.start() : end]):
                # The colons of IPv6 are no separators.
                yield part.start(), end, self._values.of_kind(Kind.IP, text[part.start() : end])
                return
            value = part.group()
            if reading.kind is None and "." in value and "eyJ" not in value:
                reading.dotted = True
                for piece in _SUBPART.finditer(value):
                    yield from reading.read(piece.group(), part.start() + piece.start(), is_key=True)
                reading.dotted = False
            else:
                yield from reading.read(value, part.start(), is_key=is_key)


class _Reading:
    """One name that is read part by part. `kind` is what the parts to come are, None where no word said."""

    __slots__ = ("_keys", "_spent", "_values", "dotted", "kind")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values
        self.kind: Kind | None = None
        self.dotted = False  # whether the parts are those of a subject
        self._spent = False  # a value has come: the next word begins something else

    def read(self, part: str, start: int, *, is_key: bool) -> Iterator[Edit]:
        """The edits for the next part, which begins at `start`; `is_key` where it can be nothing but a part."""
        if self.kind is not None:
            yield from self._value(self.kind, part, start)
        if self.kind is None or (self._is_word(part) and self._sense(part) is not None):
            sense = self._sense(part)
            if sense is not None:
                self.kind, self._spent = sense, False
            else:
                yield from self._unannounced(part, start, is_key=is_key)

    def _value(self, kind: Kind, part: str, start: int) -> Iterator[Edit]:
        if self._is_word(part):
            if self._spent:
                self.kind = None
            return
        if part.isdigit() and len(part) < _SHORT_ID:
            return
        made = self._of_kind(kind, part)
        self._spent = self._spent or made != part or part == "*"
        if made != part:
            yield start, start + len(part), made

    def _of_kind(self, kind: Kind, part: str) -> str:
        if kind is Kind.EMAIL and "@" not in part:
            return part
        # A code is never kept, but what stands in a key is whose code it is.
        return self._values.of_kind(Kind.SECRET if kind in SECRET_KINDS else kind, part)

    def _unannounced(self, part: str, start: int, *, is_key: bool) -> Iterator[Edit]:
        """A part that no word announces: `sess_9f86d0…`, or something random."""
        for end in _PREFIX_END.finditer(part, 0, max(0, min(len(part) - _SHORTEST_TAIL, _LONGEST_PREFIX))):
            tail = part[end.end() :]
            if any(map(str.isdigit, tail)) and self._sense(part[: end.start()]) in SECRET_KINDS:
                yield start + end.end(), start + len(part), self._values.of_kind(Kind.SECRET, tail)
                return
        if is_key and _RANDOM.fullmatch(part):
            yield start, start + len(part), self._values.of_kind(Kind.SECRET, part)

    def _is_word(self, part: str) -> bool:
        # A login name is a word like any other; in `user.login.failed` there is none.
        return (
            (self.kind not in _WORDY or self.dotted)
            and len(part) <= _LONGEST_PLAIN
            and _PLAIN.fullmatch(part) is not None
        )

    def _sense(self, part: str) -> Kind | None:
        return self._keys.before(part) if _WORD.fullmatch(part) else None


_WORDY = frozenset({Kind.HANDLE, Kind.NAME, Kind.CITY, Kind.STREET})


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
