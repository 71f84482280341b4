"""JSON: walked token by token, so that everything but the replaced values stays byte for byte as it was.

Two rules hold here. The text is proved to be JSON by a parser before it is walked, so the walk may be simple.
Every occurrence of a key is judged, also a duplicate that a parser would hide.
"""

import re
from json import dumps

import orjson

from .checks import is_card
from .kinds import Kind
from .shapes import suspicious
from .splice import Edit, spliced
from .tokens import PLAIN, Hint, KeyClass, KeyClassifier
from .values import Values

MAX_DEPTH = 4
"""Layers of JSON within strings of JSON that are opened; below, a document is replaced as if it were a secret."""

_STRINGS = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?')
_TOKENS = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|(-?\d[\d.eE+-]*)|([{}\[\]])')
_STRING, _KEY, _NUMBER, _BRACKET = 1, 2, 3, 4
# Kinds whose presence makes a `name` beside them a person's, and a `city` or a `zip` part of an address.
_PERSON_EVIDENCE = frozenset({Kind.EMAIL, Kind.BIRTH, Kind.SSN, Kind.PASSWORD, Kind.PAN})
_PLACE_EVIDENCE = frozenset({Kind.STREET, Kind.NAME, Kind.BIRTH})


class NotJson(ValueError):
    """The text is not one JSON document."""


class _Frame:
    """An open object or array: what stands above it, and what it has shown so far."""

    __slots__ = ("above", "array", "is_person", "is_place", "key", "label", "message", "pending")

    def __init__(self, above: KeyClass, key: str, *, array: bool, message: bool) -> None:
        self.above = above
        self.key = key  # the key under which it stands, for phrases such as card.number
        self.array = array
        self.message = message
        self.is_person = above.person or above.address
        self.is_place = above.address or above.person
        self.label: Kind | None = None
        self.pending: list[tuple[int, int, Hint, int]] = []


class JsonWalker:
    """Cleans JSON text. One may be used again and again, and from within itself for nested documents."""

    __slots__ = ("_depth", "_keys", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values
        self._depth = 0

    def clean(self, text: str) -> str:
        """`text` with its sensitive values replaced, or `text` itself. Raises NotJson."""
        try:
            orjson.loads(text)
        except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
            raise NotJson("not JSON") from error
        if self._is_quiet(text):
            return text
        return spliced(text, self._edits(text))

    def nested(self, text: str) -> str | None:
        """`text` cleaned as JSON, or None where it is no JSON object or array."""
        if text[:1] not in ("{", "[") or text[-1] not in "}]":
            return None
        if self._depth >= MAX_DEPTH:
            return self._values.of_kind(Kind.PASSWORD, text)
        self._depth += 1
        try:
            return self.clean(text)
        except NotJson:
            return None
        finally:
            self._depth -= 1

    def _is_quiet(self, text: str) -> bool:
        """Whether no key and no shape calls for a walk."""
        found = _STRINGS.findall(text)
        names = {name for name, colon in found if colon}
        if not names <= self._keys.quiet:
            for name in names - self._keys.quiet:
                if not self._keys.of(_unescaped(name)).quiet or "\\" in name:
                    return False
        # A document within a string has escaped quotes in it, or digits alone, which are suspicious by themselves.
        return not (
            suspicious(text) or "://" in text or "\\" in text or "?" in text or "=" in text or "assword" in text
        )

    def _edits(self, text: str) -> list[Edit]:
        edits: list[Edit] = []
        stack: list[_Frame] = []
        frame = _Frame(PLAIN, "", array=True, message=False)
        key, name = PLAIN, ""
        for match in _TOKENS.finditer(text):
            token = match.lastindex
            if token == _KEY:
                name = _unescaped(match[1])
                key = self._key(frame, name)
            elif token == _BRACKET:
                if match[4] in "{[":
                    stack.append(frame)
                    frame = _opened(frame, key, name, match[4])
                    key, name = (frame.above, frame.key) if frame.array else (PLAIN, "")
                else:
                    self._resolve(frame, text, edits)
                    frame = stack.pop()
                    key, name = (frame.above, frame.key) if frame.array else (PLAIN, "")
            else:
                start, end = match.span()
                self._scalar(frame, key, start, end, text, token == _NUMBER, edits)
                if not frame.array:
                    key, name = PLAIN, ""
        self._resolve(frame, text, edits)
        edits.sort()
        return edits

    def _key(self, frame: _Frame, name: str) -> KeyClass:
        key = self._keys.of(name)
        if key.kind is None and key.hint is not Hint.NAME and (frame.above.joins or frame.above.person):
            joined = self._keys.of(f"{frame.key}.{name}")
            if joined.kind is not None:
                return joined
            if frame.above.kind is not None and key.inherits:
                return frame.above
        return key

    def _scalar(
        self, frame: _Frame, key: KeyClass, start: int, end: int, text: str, number: bool, edits: list[Edit]
    ) -> None:
        kind = key.kind
        if kind is not None and not (number and key.plural):
            self._show(frame, kind)
            self._replace(kind, start, end, text, number, frame.message, edits)
            return
        if key.hint is not None:
            frame.pending.append((start, end, key.hint, number))
            if not key.label:
                return
        if key.label and not number and end - start < 64:
            label = self._keys.of(_unescaped(text[start + 1 : end - 1])).kind
            frame.label = frame.label or label
        if key.hint is None:
            self._by_shape(start, end, text, number, edits)

    def _show(self, frame: _Frame, kind: Kind) -> None:
        if kind in _PERSON_EVIDENCE:
            frame.is_person = True
        if kind in _PLACE_EVIDENCE:
            frame.is_place = True

    def _resolve(self, frame: _Frame, text: str, edits: list[Edit]) -> None:
        """Decide the values that were sensitive only in company, now that the company is known."""
        for start, end, hint, number in frame.pending:
            kind = _kind_of_hint(frame, hint)
            if kind is None:
                self._by_shape(start, end, text, bool(number), edits)
            else:
                self._replace(kind, start, end, text, bool(number), frame.message, edits)

    def _replace(
        self, kind: Kind, start: int, end: int, text: str, number: bool, message: bool, edits: list[Edit]
    ) -> None:
        raw = text[start:end]
        if number:
            made = self._values.number(kind, raw)
            if made != raw:
                edits.append((start, end, made))
            return
        value = _unescaped(raw[1:-1])
        if message and " " in value:
            made = self._values.text(value)
        else:
            inner = self._values.nested(value) if value[:1] in ("{", "[") else None
            made = self._values.of_kind(kind, value) if inner is None or inner == value else inner
        if made != value:
            edits.append((start, end, quoted(made, text)))

    def _by_shape(self, start: int, end: int, text: str, number: bool, edits: list[Edit]) -> None:
        if number:
            raw = text[start:end]
            if end - start >= 14 and raw.isdigit() and is_card(raw):
                self._replace(Kind.PAN, start, end, text, True, False, edits)
            return
        if end - start < 8:
            return
        value = _unescaped(text[start + 1 : end - 1])
        made = self._values.text(value)
        if made != value:
            edits.append((start, end, quoted(made, text)))


def _opened(frame: _Frame, key: KeyClass, name: str, bracket: str) -> _Frame:
    return _Frame(key, name, array=bracket == "[", message=frame.message or key.message)


def _kind_of_hint(frame: _Frame, hint: Hint) -> Kind | None:
    if hint is Hint.VALUE:
        return frame.label or frame.above.kind
    if hint is Hint.NAME:
        return Kind.NAME if frame.is_person else None
    if not frame.is_place:
        return None
    return Kind.CITY if hint is Hint.CITY else Kind.POSTCODE


def _unescaped(raw: str) -> str:
    if "\\" not in raw:
        return raw
    try:
        value: str = orjson.loads(f'"{raw}"')
    except orjson.JSONDecodeError:
        return raw
    return value


def quoted(value: str, like: str) -> str:
    """`value` as a JSON string, escaped beyond ASCII where the document `like` is."""
    return dumps(value, ensure_ascii=like.isascii())
