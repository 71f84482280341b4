"""XML as a value: elements by their local names, attributes as `@name`, a namespace where it changes as `@xmlns`.

Three rules hold here. A document type is refused, and with it every entity but XML's own five: nothing expands, nothing
is fetched. Prefixes, the order of attributes and white space between elements say nothing. Depth and count are bounded.

An element of text alone is that text; children of one name are a list where there are several (what is a list in one
document of two is made one in the other by `levelled`).
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

from ..report.model import Json

MAX_DEPTH = 100
MAX_NODES = 500_000
"""Elements and attributes of one document."""
_SEPARATOR = "\n"
"""Between a namespace and a name, as expat writes them."""
# A line break cannot stand in a namespace's name once attributes are normalised (XML 1.0, 3.3.3).
_KNOWN = {
    "http://www.w3.org/2001/XMLSchema-instance": "xsi:",
    "http://www.w3.org/XML/1998/namespace": "xml:",
    "http://www.w3.org/1999/xlink": "xlink:",
}
_TYPE = "@xsi:type"
_SPACES = re.compile(r"\s+")

Path = tuple[str, ...]


class XmlError(ValueError):
    """The text is no XML; says why in a few words that quote nothing."""


class UnreadXml(XmlError):
    """It may well be XML, of a kind that is not read here."""


def parse_xml(body: bytes, charset: str = "") -> dict[str, Json]:
    """The document as {root's name: its value}. `charset` goes before what the document says. Raises XmlError."""
    reader = _Reader()
    parser = expat.ParserCreate(charset or None, _SEPARATOR)
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartNamespaceDeclHandler = reader.prefix
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise XmlError(expat.ErrorString(error.code)) from error
    except XmlError:
        raise
    except (LookupError, ValueError) as error:
        raise UnreadXml("XML in an unknown encoding") from error
    return reader.root


class _Reader:
    """Builds the value while expat reads."""

    def __init__(self) -> None:
        self.root: dict[str, Json] = {}
        self._open: list[tuple[str, str, dict[str, Json], list[str]]] = [("", "", self.root, [])]
        self._prefixes: dict[str, str] = {}
        self._nodes = 0

    def doctype(self, *_declared: object) -> None:
        raise UnreadXml("XML with a document type")

    def prefix(self, name: str | None, uri: str | None) -> None:
        self._prefixes[name or ""] = uri or ""

    def start(self, tag: str, attributes: list[str]) -> None:
        self._nodes += 1 + len(attributes) // 2
        if len(self._open) > MAX_DEPTH or self._nodes > MAX_NODES:
            raise UnreadXml("XML nested too deep" if len(self._open) > MAX_DEPTH else "XML of too many elements")
        namespace, name = _split(tag)
        fields: dict[str, Json] = {}
        if namespace != self._open[-1][1]:
            fields["@xmlns"] = namespace
        for written, value in zip(attributes[::2], attributes[1::2], strict=True):
            attribute = _attribute(written)
            fields[attribute] = self._resolved(value) if attribute == _TYPE else value
        self._open.append((name, namespace, fields, []))

    def _resolved(self, value: str) -> str:
        """A qualified name without its prefix, which each document chooses for itself."""
        prefix, colon, local = value.rpartition(":")
        return f"{{{self._prefixes[prefix]}}}{local}" if colon and prefix in self._prefixes else value

    def text(self, data: str) -> None:
        self._open[-1][3].append(data)

    def end(self, _tag: str) -> None:
        name, _, fields, texts = self._open.pop()
        text = "".join(texts)
        has_children = any(not key.startswith("@") for key in fields)
        if has_children:
            text = _SPACES.sub(" ", text).strip()
        value: Json = fields
        if not fields:
            value = text
        elif text:
            fields["#text"] = text
        _put(self._open[-1][2], name, value)


def _put(fields: dict[str, Json], name: str, value: Json) -> None:
    if name not in fields:
        fields[name] = value
        return
    held = fields[name]
    if isinstance(held, list):
        held.append(value)
    else:
        fields[name] = [held, value]


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition(_SEPARATOR)
    return namespace, name


def _attribute(written: str) -> str:
    namespace, name = _split(written)
    if not namespace:
        return f"@{name}"
    return f"@{_KNOWN[namespace]}{name}" if namespace in _KNOWN else f"@{{{namespace}}}{name}"


def levelled(before: Json, after: Json) -> tuple[Json, Json]:
    """Both values with a list, or an element with attributes, wherever either document has one at that place: an order
    of one item and one of two are then lists of one and of two."""
    lists: set[Path] = set()
    elements: set[Path] = set()
    for value in (before, after):
        for path, found in _places(value):
            (lists if isinstance(found, list) else elements).add(path)
    return _shaped(before, (), lists, elements), _shaped(after, (), lists, elements)


def _places(value: Json) -> Iterator[tuple[Path, Json]]:
    """Every list and every element with parts, with its path of names."""
    stack: list[tuple[Path, Json]] = [((), value)]
    while stack:
        path, one = stack.pop()
        if isinstance(one, list):
            yield path, one
            stack.extend((path, item) for item in one)
        elif isinstance(one, dict):
            yield path, one
            stack.extend(((*path, name), inner) for name, inner in one.items())


def _shaped(value: Json, path: Path, lists: set[Path], elements: set[Path]) -> Json:
    if path in lists:
        items = value if isinstance(value, list) else [value]
        return [_element(item, path, lists, elements) for item in items]
    return _element(value, path, lists, elements)


def _element(value: Json, path: Path, lists: set[Path], elements: set[Path]) -> Json:
    if isinstance(value, dict):
        return {name: _shaped(inner, (*path, name), lists, elements) for name, inner in value.items()}
    if path in elements:
        return {"#text": value} if value else {}
    return value
