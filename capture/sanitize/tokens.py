"""What a key says about its value, judged by whole words.

Two rules hold here. A key is judged by its last words: `user_email` is an e-mail address, `email_verified` is not,
and `author` holds no `auth`. A word that is sensitive only in company (`name`, `city`, `number`) is a hint, which
the walk resolves by the keys around it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from .kinds import Kind
from .shapes import Shapes, suspicious
from .vocabulary import (
    ADDRESS_WORDS,
    DATA_WORDS,
    HARMLESS_PHRASES,
    INHERITING_WORDS,
    JOINING_WORDS,
    LABEL_WORDS,
    MESSAGE_WORDS,
    OPERATORS,
    PERSON_WORDS,
    PHRASES,
    QUALIFIERS,
    SECRET_KINDS,
    SEGMENT_SECRETS,
    VALUE_WORDS,
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_MAX_KEY = 200  # characters of a key that are looked at; longer ones are data, not names
_MAX_KNOWN = 20_000
_LONGEST_PHRASE = 4  # words
# Values of SQL that no column names, and those below a cache's key whose decoder would not say it.
_NUMBERED = re.compile(r"\$\d{1,5}(?:#\d+)?|\?column\?(?:#\d+)?|\*")
_SHORT_NUMBER = 8  # digits that have no shape
_SHORTEST_ODD = 6  # characters: a@b.co
_PARTS = re.compile(r"[:|]")
_PLAIN_PART = re.compile(r"(?:[A-Z]+[a-z]*|[a-z]+)(?:[A-Z][a-z]+|[_-][a-z]+)*|[A-Z]+(?:[_-][A-Z]+)*")
_ID = re.compile(r"\d{1,18}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\*")


class Hint(Enum):
    """A key that is sensitive only in company."""

    NAME = auto()  # a person's, beside or below something personal; otherwise a product's
    CITY = auto()
    POSTCODE = auto()
    VALUE = auto()  # takes the kind of its parent, or of the label beside it


@dataclass(frozen=True, slots=True)
class KeyClass:
    """What a key says of its own value and of what stands below and beside it."""

    kind: Kind | None = None
    hint: Hint | None = None
    label: bool = False  # its text value may name what stands beside it: {"type": "email", "value": …}
    person: bool = False
    address: bool = False
    joins: bool = False  # makes a phrase with the keys below it: card.number
    message: bool = False  # below it stand sentences about fields, not their values
    data: bool = False  # describes a secret, never is one: type, scope, expiry
    plural: bool = False
    inherits: bool = False  # holds the value of a sensitive parent
    odd: bool = False  # may be a value itself: {"jane@example.com": …}
    keyed: bool = False  # a cache's key, its value's sense given by a word before an id: session:9f86d081
    members: bool = False  # what stands in the list or under a name is its member: sessions → [token, …]

    @property
    def idle(self) -> bool:
        """Whether it says nothing of its own value (which is then judged by its shape alone) nor of what is below."""
        context = self.label or self.person or self.address or self.joins or self.message
        return self.kind is None and self.hint is None and not (context or self.odd)

    @property
    def quiet(self) -> bool:
        """Whether a body whose keys are all like this one has nothing sensitive by its keys: a hint without
        anything personal around it stays a hint."""
        context = self.person or self.address or self.joins
        return self.kind is None and self.hint is not Hint.VALUE and not (context or self.odd)


PLAIN = KeyClass()


def split_key(key: str) -> tuple[str, ...]:
    """The words of `key` in lower case, whether camelCase, snake_case, kebab-case, dotted or bracketed.

    >>> split_key("billingAddress[postalCode]")
    ('billing', 'address', 'postal', 'code')
    """
    return tuple(word.lower() for word in _WORD.findall(key[:_MAX_KEY]))


class KeyClassifier:
    """Key names to classes, remembered. `keys` and `keep` are the project's own rules and go first; `shapes` knows its
    own patterns, which may find something in a name."""

    __slots__ = ("_before", "_heads", "_keep", "_known", "_own", "_shapes", "idle", "quiet")

    def __init__(
        self, keys: Iterable[tuple[str, Kind]] = (), keep: Iterable[str] = (), shapes: Shapes | None = None
    ) -> None:
        self._shapes = shapes if shapes is not None and shapes.has_own else None
        self._before: dict[str, Kind | None] = {}
        self._heads: dict[str, KeyClass] = {}
        self._own = {"".join(split_key(name)) or name: kind for name, kind in keys}
        self._keep = {"".join(split_key(name)) or name for name in keep}
        self.idle: set[str] = set()
        """Keys already found to be idle."""
        self._known: dict[str, KeyClass] = {}
        self.quiet: set[str] = set()
        """Keys already found to be quiet: a body that holds only such keys needs no walk by keys."""

    def of(self, key: str) -> KeyClass:
        """The class of `key`."""
        known = self._known.get(key)
        if known is None:
            head, colon, tail = key.rpartition(":")
            if colon and len(tail) <= _SHORT_NUMBER and tail.isdigit():
                return self._numbered(head)
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
                self.quiet.clear()
                self.idle.clear()
            known = self._classified(key)
            self._known[key] = known
            if known.quiet:
                self.quiet.add(key)
            if known.idle:
                self.idle.add(key)
        return known

    def _numbered(self, head: str) -> KeyClass:
        """The class of a cache's key that ends in a short number: there is no end of them."""
        known = self._heads.get(head)
        if known is None:
            if len(self._heads) >= _MAX_KNOWN:
                self._heads.clear()
            known = self._heads[head] = self._classified(f"{head}:1")
        return known

    def before(self, word: str) -> Kind | None:
        """The kind of what follows `word` in a name made of parts, such as a cache's key `session:<token>`."""
        if word in self._before:
            return self._before[word]
        if len(self._before) >= _MAX_KNOWN:
            self._before.clear()
        kind = self.of(word).kind
        joined = "".join(split_key(word))
        if kind is None and joined in SEGMENT_SECRETS and joined not in self._keep:
            kind = Kind.SECRET
        self._before[word] = kind
        return kind

    def _classified(self, key: str) -> KeyClass:
        made = self._keyed(key) if ":" in key or "|" in key else None
        if made is None:
            made = self._classify(split_key(key), key)
        return replace(made, odd=True) if self._is_odd(key) else made

    def _is_odd(self, key: str) -> bool:
        if len(key) < _SHORTEST_ODD:
            return False
        if suspicious(key) or "=" in key or "://" in key or key[0] in "{[":
            return True
        return self._shapes is not None and next(self._shapes.all(key), None) is not None

    def _keyed(self, key: str) -> KeyClass | None:
        """The class of a name made of parts, the last of which says nothing by itself: what stands before it does."""
        *before, last = _PARTS.split(key[:_MAX_KEY])
        if _PLAIN_PART.fullmatch(last) or (last != "*" and self._classify(split_key(last), last).kind is not None):
            return None
        person = address = False
        for word in reversed(before):
            if not _PLAIN_PART.fullmatch(word):
                break
            kind = self.before(word)
            # `phone:17` is somebody's phone; `phone:+49…` is an index by phones, whose values are something else.
            if kind in SECRET_KINDS or (kind is not None and _ID.fullmatch(last)):
                return KeyClass(kind=kind, keyed=True)
            above = self.of(word)
            person, address = person or above.person, address or above.address
        return KeyClass(person=person, address=address, keyed=True)

    def _classify(self, words: tuple[str, ...], key: str) -> KeyClass:
        if key in OPERATORS:
            return KeyClass(joins=True)
        if _NUMBERED.fullmatch(key):
            return KeyClass(kind=Kind.UNNAMED, keyed=True)
        joined = "".join(words) or key
        if joined in self._own:
            return KeyClass(kind=self._own[joined])
        if joined in self._keep or not words:
            return PLAIN
        last = words[-1]
        singular = _singular(last)
        kind, hint = _sense(words)
        return KeyClass(
            kind=kind,
            hint=hint,
            label=kind is None and last in LABEL_WORDS,
            person=singular in PERSON_WORDS or joined in ADDRESS_WORDS,
            address=singular in ADDRESS_WORDS or joined in ADDRESS_WORDS,
            joins=kind is not None or singular in JOINING_WORDS or joined in JOINING_WORDS,
            message=last in MESSAGE_WORDS,
            data=last in DATA_WORDS,
            plural=kind is not None and singular != last,
            inherits=last in INHERITING_WORDS,
        )


def _sense(words: tuple[str, ...]) -> tuple[Kind | None, Hint | None]:
    """The kind or the hint of a key, once qualifiers (`password_confirmation`) and numbers (`phone2`) are off."""
    while True:
        phrase = _phrase(words)
        if phrase is not None:
            return phrase
        if len(words) < 2 or not (words[-1] in QUALIFIERS or words[-1].isdigit()):
            break
        words = words[:-1]
    if words[-1] == "name" and len(words) > 1 and _singular(words[-2]) in PERSON_WORDS:
        return Kind.NAME, None
    return None, _hint(words)


def _phrase(words: tuple[str, ...]) -> tuple[Kind | None, Hint | None] | None:
    """What the longest known phrase at the end of `words` says, or None where none is known."""
    for last in dict.fromkeys((words[-1], _singular(words[-1]))):
        for start in range(max(0, len(words) - _LONGEST_PHRASE), len(words)):
            joined = "".join((*words[start:-1], last)) if start < len(words) - 1 else last
            if joined in HARMLESS_PHRASES:
                return None, None
            if joined in PHRASES:
                return PHRASES[joined], None
    return None


def _hint(words: tuple[str, ...]) -> Hint | None:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "name" and before in ("", "display", "screen"):
        return Hint.NAME
    if last in ("city", "town", "suburb", "locality"):
        return Hint.CITY
    if last in ("zip", "zipcode", "postcode", "plz") or (before, last) in (("zip", "code"), ("postal", "code")):
        return Hint.POSTCODE
    if last in VALUE_WORDS:
        return Hint.VALUE
    return None


def _singular(word: str) -> str:
    if not word.endswith("s") or word.endswith(("ses", "ss", "us", "is")):
        return {"addresses": "address", "passes": "pass"}.get(word, word)
    return word[:-1]
