"""JSON: walked token by token, so that everything but the replaced values stays byte for byte as it was.

Two rules hold here. The text is proved to be JSON by a parser before it is walked, so the walk may be simple.
Every occurrence of a key is judged, also a duplicate that a parser would hide.
"""

import re
from collections.abc import Callable
from json import dumps

import orjson

from .checks import is_card
from .evidence import PERSON_EVIDENCE, PLACE_EVIDENCE, kind_of_hint
from .kinds import Kind
from .opaque import HEX_MARK, OpaqueBytes
from .splice import Edit, spliced
from .tokens import PLAIN, Hint, KeyClass, KeyClassifier
from .values import Values
from .vocabulary import OPERATORS, SECRET_KINDS

MAX_DEPTH = 4
"""Layers of JSON within strings of JSON that are opened; below, a document is replaced as if it were a secret."""

_STRINGS = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?')
_COMPACT_NAMES = re.compile(r'[{,]"([^"]*)":')
_TEXT, _NUM = r'"([^"\\]*(?:\\.[^"\\]*)*)"', r"(-?\d[\d.eE+-]*)"
# A key with its value or the bracket that opens it; an element of an array; a bracket. The last group says which.
_TOKENS = re.compile(rf"{_TEXT}(?:\s*:\s*(?:{_TEXT}|{_NUM}|([{{\[])|([tfn])))?|{_NUM}|([{{}}\[\]])")
_ELEMENT_TEXT, _TEXT_VALUE, _NUMBER_VALUE, _OPENING, _LITERAL, _ELEMENT_NUMBER, _BRACKET = range(1, 8)
_ELEMENTS = frozenset({_ELEMENT_TEXT, _ELEMENT_NUMBER})
_NUMBERS = frozenset({_NUMBER_VALUE, _ELEMENT_NUMBER})
_SPACED = re.compile('"[\n\r\t]')
_SHORTEST_CARD = 14  # digits
_SHORTEST_SHAPE = 6  # characters: a@b.co
_LONGEST_LABEL = 64
_MOST_NAMES = 5_000
_SHORTEST_MEMBER = 8  # characters of a name that may be a token
_LONGEST_COUNT = 4  # digits of what a key with a secret word in it may count
_RECORD_DEPTH = 3  # brackets: {"rows": [{…
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# What statements say without meaning anybody: a unit, a format, a zone, a sequence's name, a date.
_GRAMMAR = re.compile(r"[A-Za-z]{1,32}(?:[/_.-][A-Za-z]{1,32}){0,8}|[\d.:,+TZ -]{1,32}|\d{1,9} [a-z]{1,16}")
# In JSON no letter touches a colon but within a string.
_NAMED = re.compile(r":(?<=[A-Za-z*]:)[\w+*-]")
_FIXED = re.compile(r"[A-Z]{1,12}|[A-Za-z][a-z]*(?:[_-][a-z]+)*")  # an option, the name of a field
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

    def know(self, records: KeyClass) -> None:
        """It may be a record of what `records` says: a row of the table `users` is a person's."""
        self.is_person = self.is_person or records.person
        self.is_place = self.is_place or records.person or records.address


class JsonWalker:
    """Cleans JSON text. One may be used again and again, and from within itself for nested documents.

    `by_shape` cleans a text, or a name, about which nothing else is known; by default `values.text`. `is_keyed` says
    that any text may be a name made of parts, and not only one that shows by its colons. `binary` says that texts may
    be bytes of a program's own, read as UTF-8: those with control characters are replaced whole.
    """

    __slots__ = ("_binary", "_by_shape", "_depth", "_is_keyed", "_keys", "_opaque", "_own", "_plain_names", "_values")

    def __init__(
        self,
        keys: KeyClassifier,
        values: Values,
        by_shape: Callable[[str], str] | None = None,
        *,
        binary: bool = False,
        is_keyed: bool = True,
    ) -> None:
        self._is_keyed = is_keyed
        self._keys = keys
        self._values = values
        self._opaque = OpaqueBytes(values)
        self._by_shape = by_shape or values.text
        self._own = by_shape is not None
        self._binary = binary
        self._plain_names: set[str] = set()  # the first names met of which nothing is replaced
        self._depth = 0

    def clean(self, text: str, above: KeyClass = PLAIN, records: KeyClass = PLAIN) -> str:
        """`text` with its sensitive values replaced, or `text` itself. Raises NotJson.

        `above` is what is known of the document from outside, as if it stood under a key; `records` is what is known of
        the rows or fields in it, as if each stood under one.
        """
        try:
            orjson.loads(text)
        except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
            raise NotJson("not JSON") from error
        text = self._opaque.clean(text)
        is_plain = above is PLAIN and records is PLAIN
        own = self._own and (self._is_keyed or "|" in text or _NAMED.search(text) is not None)
        shaped = own or self._values.may_hold(text)
        if not shaped and is_plain and self._are_quiet(text):
            return text
        return spliced(text, self._edits(text, above, records, shaped=shaped, own=own))

    def claims(self, text: str) -> str | None:
        """The claims of a token cleaned: a `name` in them is a person's."""
        try:
            return self.clean(text, _SUBJECT)
        except NotJson:
            return None

    def nested(self, text: str, above: KeyClass = PLAIN) -> str | None:
        """`text` cleaned as JSON that stands below `above`, or None where it is no JSON object or array."""
        if text[:1] not in ("{", "[") or text[-1] not in "}]":
            return None
        if self._depth >= MAX_DEPTH:
            return self._values.of_kind(Kind.PASSWORD, text)
        self._depth += 1
        try:
            return self.clean(text, above)
        except NotJson:
            return None
        finally:
            self._depth -= 1

    def secret(self, text: str) -> str:
        """What replaces a text that is a secret whatever it holds."""
        return self._values.of_kind(Kind.SECRET, text)

    def _are_quiet(self, text: str) -> bool:
        """Whether no key of `text` calls for a walk."""
        quiet = self._keys.quiet
        names = _names_of(text)
        return names <= quiet or all(self._keys.of(name).quiet for name in names - quiet)

    def _edits(self, text: str, above: KeyClass, records: KeyClass, *, shaped: bool, own: bool) -> list[Edit]:
        """What is to be replaced in `text`; `shaped` says that texts under idle keys may hold something, `own` that
        names have to be looked at one by one."""
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
                    if records is not PLAIN and len(stack) <= _RECORD_DEPTH:
                        frame.know(records)
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
                if not is_idle or (own and name not in self._plain_names):
                    self._name(frame, name, match.start(1), text, edits)
            if token == _OPENING:
                stack.append(frame)
                key_name = frame.key if name in OPERATORS else name
                frame = _Frame(key, key_name, match[4] == "[", frame.message or key.message)
                if records is not PLAIN and len(stack) <= _RECORD_DEPTH:
                    frame.know(records)
            elif token != _LITERAL and (key is not PLAIN or shaped or token == _NUMBER_VALUE):
                start, end = match.span(place)
                self._scalar(frame, key, start, end, text, token in _NUMBERS, edits)
        edits.sort()
        return edits

    def _key(self, frame: _Frame, name: str) -> KeyClass:
        if name in OPERATORS:
            return frame.above
        of = self._keys.of
        key = of(name)
        if key.kind is None and key.hint is not Hint.NAME and frame.joins:
            joined = of(f"{frame.key}.{name}")
            if joined.kind is not None:
                return joined
            if frame.above.kind is not None and key.inherits:
                return frame.above
        return key

    def _name(self, frame: _Frame, raw: str, start: int, text: str, edits: list[Edit]) -> None:
        """Clean a member's name, which may be a value itself."""
        name = _unescaped(raw)
        if frame.above.members and len(name) >= _SHORTEST_MEMBER:
            made = self._member(frame.above.kind or Kind.SECRET, name)
        elif self._own or self._keys.of(name).odd:
            made = self._by_shape(name)
        else:
            return
        if made != name:
            edits.append((start, start + len(raw), quoted(made, text)[1:-1]))
        elif not self._values.learning and len(self._plain_names) < _MOST_NAMES and not frame.above.members:
            self._plain_names.add(raw)

    def _scalar(
        self, frame: _Frame, key: KeyClass, start: int, end: int, text: str, number: bool, edits: list[Edit]
    ) -> None:
        kind = key.kind
        if kind is not None and not (number and (key.plural or key.members)):
            if kind in PERSON_EVIDENCE:
                frame.is_person = True
            if kind in PLACE_EVIDENCE:
                frame.is_place = True
                # An address may be an e-mail address, as in a message's "from".
                frame.is_person = frame.is_person or "@" in text[start:end]
            self._replace(kind, key, start, end, text, number, frame.message, edits)
            return
        if key.label and not number and end - start < _LONGEST_LABEL and frame.label is None:
            frame.label = self._keys.of(_unescaped(text[start:end])).kind
        if key.hint is not None:
            if frame.pending is None:
                frame.pending = []
            frame.pending.append((start, end, key.hint, number))
        else:
            self._unknown(key, start, end, text, number, edits)

    def _resolve(self, frame: _Frame, text: str, edits: list[Edit]) -> None:
        """Decide the values that were sensitive only in company, now that the company is known."""
        for start, end, hint, number in frame.pending or ():
            kind = _kind_of(frame, hint)
            if kind is None:
                self._unknown(PLAIN, start, end, text, number, edits)
            else:
                self._replace(kind, PLAIN, start, end, text, number, frame.message, edits)

    def _replace(
        self,
        kind: Kind,
        key: KeyClass,
        start: int,
        end: int,
        text: str,
        number: bool,
        message: bool,
        edits: list[Edit],
    ) -> None:
        raw = text[start:end]
        if number:
            made = self._values.number(kind, raw)
            if made != raw:
                edits.append((start, end, made))
            return
        value = _unescaped(raw)
        made = self._values.text(value) if message and " " in value else self._sensitive(kind, key, value)
        if made != value:
            edits.append((start, end, quoted(made, text)[1:-1]))

    def _sensitive(self, kind: Kind, key: KeyClass, value: str) -> str:
        """What replaces a value of `kind`."""
        if value[:1] in ("{", "["):
            inner = self.nested(value)
            # What lies under session:9f86d081 is the session's data, with keys of its own.
            if inner is not None and (key.keyed or key.members or inner != value):
                return inner
        if kind is Kind.UNNAMED and key.keyed and (not self._binary or _GRAMMAR.fullmatch(value)):
            return self._by_shape(value)
        if HEX_MARK in value:
            made = self._opaque.clean_hex(value, None if kind is Kind.UNNAMED else kind)
            if made is not None:
                return made
        if key.keyed and kind in SECRET_KINDS and kind is not Kind.DROP and _is_count(value):
            return value
        return self._member(kind, value) if key.members else self._values.of_kind(kind, value)

    def _member(self, kind: Kind, value: str) -> str:
        """What replaces an argument of a command that has members of `kind`: it may be an option, or the key itself."""
        if _FIXED.fullmatch(value) or _is_count(value):
            return value
        if ":" in value and self._keys.of(value).kind is not None:
            return self._by_shape(value)
        return self._values.of_kind(kind, value)

    def _unknown(self, key: KeyClass, start: int, end: int, text: str, number: bool, edits: list[Edit]) -> None:
        """A value of which its key says nothing."""
        if number:
            raw = text[start:end]
            if end - start >= _SHORTEST_CARD and raw.isdigit() and is_card(raw):
                self._replace(Kind.PAN, PLAIN, start, end, text, True, False, edits)
            return
        if end - start < _SHORTEST_SHAPE:
            return
        raw = text[start:end]
        if "\\" in raw or key.keyed or key.person or key.address:
            value = _unescaped(raw)
            made = self._odd_text(key, value)
        else:
            value, made = raw, self._by_shape(raw)
        if made != value:
            edits.append((start, end, quoted(made, text)[1:-1]))

    def _odd_text(self, key: KeyClass, value: str) -> str:
        """A text that may be a person's document, or bytes in one of their spellings."""
        if (key.person or key.address) and value[:1] in ("{", "["):
            inner = self.nested(value, KeyClass(person=key.person, address=key.address))
            if inner is not None:
                return inner
        if self._binary and _CONTROL.search(value):
            return self._values.of_kind(Kind.PASSWORD, value)
        made = self._opaque.clean_hex(value) if HEX_MARK in value else None
        return self._by_shape(value) if made is None else made


def _is_count(value: str) -> bool:
    return len(value) <= _LONGEST_COUNT and value.isdigit()


def _names_of(text: str) -> set[str]:
    """The names of all members in `text`, as they are spelled."""
    if '" ' not in text and "\\" not in text and _SPACED.search(text) is None:
        # Without escapes no quote stands within a string, so each `":` ends a name: if all were found, none is missing.
        found = _COMPACT_NAMES.findall(text)
        if len(found) == text.count('":'):
            return set(found)
    return {name for name, colon in _STRINGS.findall(text) if colon}


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
