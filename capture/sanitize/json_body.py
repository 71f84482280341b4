"""JSON: walked token by token, so that everything but the replaced values stays byte for byte as it was.

Two rules hold here. The text is proved to be JSON by a parser before it is walked, so the walk may be simple.
Every occurrence of a key is judged, also a duplicate that a parser would hide.
"""

import re
from json import dumps

import orjson

from .checks import is_card
from .evidence import PERSON_EVIDENCE, PLACE_EVIDENCE, kind_of_hint
from .kinds import Kind
from .opaque import OpaqueBytes
from .splice import Edit, spliced
from .tokens import PLAIN, Hint, KeyClass, KeyClassifier
from .values import Values

MAX_DEPTH = 4
"""Layers of JSON within strings of JSON that are opened; below, a document is replaced as if it were a secret."""

_STRINGS = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?')
_TEXT, _NUM = r'"([^"\\]*(?:\\.[^"\\]*)*)"', r"(-?\d[\d.eE+-]*)"
# A key with its value or the bracket that opens it; an element of an array; a bracket. The last group says which.
_TOKENS = re.compile(rf"{_TEXT}(?:\s*:\s*(?:{_TEXT}|{_NUM}|([{{\[])|([tfn])))?|{_NUM}|([{{}}\[\]])")
_ELEMENT_TEXT, _TEXT_VALUE, _NUMBER_VALUE, _OPENING, _LITERAL, _ELEMENT_NUMBER, _BRACKET = range(1, 8)
_ELEMENTS = frozenset({_ELEMENT_TEXT, _ELEMENT_NUMBER})
_NUMBERS = frozenset({_NUMBER_VALUE, _ELEMENT_NUMBER})
_SHORTEST_CARD = 14  # digits
_SHORTEST_SHAPE = 6  # characters: a@b.co
_LONGEST_LABEL = 64
_SUBJECT = KeyClass(person=True)


class NotJson(ValueError):
    """The text is not one JSON document."""


class _Frame:
    """An open object or array: what stands above it, and what it has shown so far."""

    __slots__ = ("above", "array", "is_person", "is_place", "joins", "key", "label", "message", "pending")

    def __init__(self, above: KeyClass, key: str, array: bool, message: bool) -> None:
        self.above = above
        self.key = key  # the key under which it stands, for phrases such as card.number
        self.array = array
        self.message = message
        self.joins = above.joins or above.person
        self.is_person = self.is_place = above.person or above.address
        self.label: Kind | None = None
        self.pending: list[tuple[int, int, Hint, bool]] | None = None


class JsonWalker:
    """Cleans JSON text. One may be used again and again, and from within itself for nested documents."""

    __slots__ = ("_depth", "_keys", "_opaque", "_values")

    def __init__(self, keys: KeyClassifier, values: Values) -> None:
        self._keys = keys
        self._values = values
        self._opaque = OpaqueBytes(values)
        self._depth = 0

    def clean(self, text: str, above: KeyClass = PLAIN) -> str:
        """`text` with its sensitive values replaced, or `text` itself. Raises NotJson.

        `above` is what is known of the document from outside, as if it stood under a key.
        """
        try:
            orjson.loads(text)
        except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
            raise NotJson("not JSON") from error
        text = self._opaque.clean(text)
        shaped = self._values.may_hold(text)
        if not shaped and above is PLAIN and self._are_quiet(text):
            return text
        return spliced(text, self._edits(text, above, shaped=shaped))

    def claims(self, text: str) -> str | None:
        """The claims of a token cleaned: a `name` in them is a person's."""
        try:
            return self.clean(text, _SUBJECT)
        except NotJson:
            return None

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

    def _are_quiet(self, text: str) -> bool:
        """Whether no key of `text` calls for a walk."""
        quiet = self._keys.quiet
        names = {name for name, colon in _STRINGS.findall(text) if colon}
        return names <= quiet or all(self._keys.of(name).quiet for name in names - quiet)

    def _edits(self, text: str, above: KeyClass, *, shaped: bool) -> list[Edit]:
        """What is to be replaced in `text`; `shaped` says that texts under idle keys may hold something."""
        edits: list[Edit] = []
        stack: list[_Frame] = []
        frame = _Frame(above, "", True, False)
        idle, escaped = self._keys.idle, "\\" in text
        for match in _TOKENS.finditer(text):
            token = match.lastindex or _LITERAL
            if token == _BRACKET:
                if match[7] in "{[":
                    stack.append(frame)
                    frame = _Frame(frame.above, frame.key, match[7] == "[", frame.message)
                else:
                    if frame.pending:
                        self._resolve(frame, text, edits)
                    frame = stack.pop()
                continue
            if token in _ELEMENTS:
                name, key, place = "", frame.above, token
            else:
                # Most keys say nothing, and this loop is what recording costs.
                name, place = match[1], token
                is_idle = name in idle and not frame.joins and not (escaped and "\\" in name)
                key = PLAIN if is_idle else self._key(frame, _unescaped(name))
            if token == _OPENING:
                stack.append(frame)
                frame = _Frame(key, name, match[4] == "[", frame.message or key.message)
            elif token != _LITERAL and (key is not PLAIN or shaped or token == _NUMBER_VALUE):
                start, end = match.span(place)
                self._scalar(frame, key, start, end, text, token in _NUMBERS, edits)
        edits.sort()
        return edits

    def _key(self, frame: _Frame, name: str) -> KeyClass:
        of = self._keys.of
        key = of(name)
        if key.kind is None and key.hint is not Hint.NAME and frame.joins:
            joined = of(f"{frame.key}.{name}")
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
            if kind in PERSON_EVIDENCE:
                frame.is_person = True
            if kind in PLACE_EVIDENCE:
                frame.is_place = True
                # An address may be an e-mail address, as in a message's "from".
                frame.is_person = frame.is_person or "@" in text[start:end]
            self._replace(kind, start, end, text, number, frame.message, edits)
            return
        if key.label and not number and end - start < _LONGEST_LABEL and frame.label is None:
            frame.label = self._keys.of(_unescaped(text[start:end])).kind
        if key.hint is not None:
            if frame.pending is None:
                frame.pending = []
            frame.pending.append((start, end, key.hint, number))
        else:
            self._by_shape(start, end, text, number, edits)

    def _resolve(self, frame: _Frame, text: str, edits: list[Edit]) -> None:
        """Decide the values that were sensitive only in company, now that the company is known."""
        for start, end, hint, number in frame.pending or ():
            kind = _kind_of(frame, hint)
            if kind is None:
                self._by_shape(start, end, text, number, edits)
            else:
                self._replace(kind, start, end, text, number, frame.message, edits)

    def _replace(
        self, kind: Kind, start: int, end: int, text: str, number: bool, message: bool, edits: list[Edit]
    ) -> None:
        raw = text[start:end]
        if number:
            made = self._values.number(kind, raw)
            if made != raw:
                edits.append((start, end, made))
            return
        value = _unescaped(raw)
        if message and " " in value:
            made = self._values.text(value)
        else:
            inner = self._values.nested(value) if value[:1] in ("{", "[") else None
            made = self._values.of_kind(kind, value) if inner is None or inner == value else inner
        if made != value:
            edits.append((start, end, quoted(made, text)[1:-1]))

    def _by_shape(self, start: int, end: int, text: str, number: bool, edits: list[Edit]) -> None:
        if number:
            raw = text[start:end]
            if end - start >= _SHORTEST_CARD and raw.isdigit() and is_card(raw):
                self._replace(Kind.PAN, start, end, text, True, False, edits)
            return
        if end - start < _SHORTEST_SHAPE:
            return
        value = _unescaped(text[start:end])
        made = self._values.text(value)
        if made != value:
            edits.append((start, end, quoted(made, text)[1:-1]))


def _kind_of(frame: _Frame, hint: Hint) -> Kind | None:
    if hint is Hint.VALUE:
        return frame.label or frame.above.kind
    return kind_of_hint(hint, person=frame.is_person, place=frame.is_place)


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
