"""HTML and XML, without a parser: elements and attributes whose names are sensitive, form inputs, shapes in the rest.

A parser would lose the spelling of everything else, and markup in the wild does not parse.
"""

import html
import re
from collections.abc import Iterator

from .kinds import Kind
from .splice import Edit
from .text_body import TextBody
from .tokens import KeyClassifier
from .values import Values
from .vocabulary import words

_ELEMENT = re.compile(r"<([A-Za-z_][\w.:-]{0,60})(?:\s[^<>]{0,2000})?>([^<>]{1,500})</\1\s*>")
_CDATA = re.compile(
    r"<([A-Za-z_][\w.:-]{0,60})(?:\s[^<>]{0,2000})?>\s*<!\[CDATA\[(.{1,500}?)\]\]>\s*</\1\s*>", re.DOTALL
)
_TAG = re.compile(r"<([A-Za-z][\w.:-]{0,60})(\s[^<>]{1,4000})>")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]{0,60})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=]+))")
_SCRIPT = re.compile(r"<script(?:\s[^<>]{0,500})?>\s*(?=[{\[])", re.IGNORECASE)
_SCRIPT_END = re.compile(r"\s{0,100}</script", re.IGNORECASE)
_ENTITY_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})(&#64;|&#[xX]40;|&commat;)([\w-]+(?:\.[\w-]+)+)")
_LABELS = ("name", "id", "property", "itemprop", "key", "field")
_VALUES = ("value", "content")
_URLS = ("href", "src", "action", "formaction", "data-url")
_TEXT_ELEMENTS = words("a p b i li td th h1 h2 h3 h4 h5 h6 span div option label button title address code")


class MarkupBody:
    """Cleans markup."""

    __slots__ = ("_keys", "_text", "_values")

    def __init__(self, keys: KeyClassifier, values: Values, text: TextBody) -> None:
        self._keys = keys
        self._values = values
        self._text = text

    def clean(self, text: str) -> str:
        """`text` with what is sensitive in it replaced."""
        whole = [*self._scripts(text), *self._elements(text), *self._tags(text), *self._entities(text)]
        return self._values.scan(text, self._text.pairs(text, code=True), whole)

    def _scripts(self, text: str) -> Iterator[Edit]:
        begin = _SCRIPT.search(text)
        while begin is not None:
            end = _SCRIPT_END.search(text, begin.end())
            if end is None:
                return
            inner = self._values.nested(text[begin.end() : end.start()])
            if inner is not None:
                yield begin.end(), end.start(), inner
            begin = _SCRIPT.search(text, end.end())

    def _elements(self, text: str) -> Iterator[Edit]:
        for pattern in (_ELEMENT, _CDATA):
            for match in pattern.finditer(text):
                name = match[1].rpartition(":")[2]
                kind = None if name.lower() in _TEXT_ELEMENTS else self._keys.of(name).kind
                if kind is not None:
                    yield from self._edit(kind, match[2], match.start(2), escaped=pattern is _ELEMENT)

    def _tags(self, text: str) -> Iterator[Edit]:
        for tag in _TAG.finditer(text):
            found = [(match[1].lower(), match, _group(match)) for match in _ATTRIBUTE.finditer(text, *tag.span(2))]
            label = self._label({name: match[group] for name, match, group in found})
            for name, match, group in found:
                kind = label if name in _VALUES else self._kind_of_attribute(name)
                if kind is None and name in _URLS:
                    kind = Kind.URL
                if kind is not None:
                    yield from self._edit(kind, match[group], match.start(group), escaped=True)

    def _kind_of_attribute(self, name: str) -> Kind | None:
        return None if name in _LABELS else self._keys.of(name.rpartition(":")[2]).kind

    def _label(self, attributes: dict[str, str]) -> Kind | None:
        """The kind that a tag's name or type gives its value: <input name="password" value="…">."""
        if attributes.get("type", "").lower() == "password":
            return Kind.PASSWORD
        if attributes.get("type", "").lower() in ("submit", "button", "radio", "checkbox"):
            return None
        for label in _LABELS:
            kind = self._keys.of(attributes[label]).kind if label in attributes else None
            if kind is not None:
                return kind
        return None

    def _entities(self, text: str) -> Iterator[Edit]:
        if "&#" not in text and "&commat;" not in text:
            return
        for match in _ENTITY_EMAIL.finditer(text):
            value = f"{match[1]}@{match[3]}"
            made = self._values.of_kind(Kind.EMAIL, value)
            if made != value:
                yield *match.span(), made.replace("@", match[2])

    def _edit(self, kind: Kind, raw: str, start: int, *, escaped: bool) -> Iterator[Edit]:
        stripped = raw.strip()
        start += len(raw) - len(raw.lstrip())
        value = html.unescape(stripped) if escaped else stripped
        made = self._values.url(value) if kind is Kind.URL else self._values.of_kind(kind, value)
        if made != value:
            yield start, start + len(stripped), html.escape(made) if escaped else made


def _group(match: re.Match[str]) -> int:
    return match.lastindex or 2
