"""HTML and XML by what may carry a value: inputs, links, metas, attributes, the text of elements. PURE.

Without a parser, as markup in the wild does not parse, and as a value has to be put back without touching the rest.
A place is named by what stays when values change: an input by its name, a link by its URL with what looks like a value
masked, an element of XML by the names above it; and by which of that name it is.

    markup:input[csrf]@value#0     markup:a[]@href~/orders/{}/edit#0     markup:Envelope/Body/id#0
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from ...capture.sanitize.vocabulary import words as word_set

LARGEST = 512 << 10
"""Characters of markup that are looked at."""
MOST = 4_000
"""Leaves that are taken."""

_NAME = r"[A-Za-z_][\w.:-]{0,60}"
_TAG = re.compile(rf"<(/)?({_NAME})([^<>]{{0,8000}})>")
_ASIDE = (("<!--", "-->"), ("<![CDATA[", "]]>"))
_ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=]+))")
_IN_SCRIPT = re.compile(r"""([A-Za-z_$][\w$]{1,60})["']?\s*[:=]\s*["']([^"'\\\s]{6,500})["']""")
_LABELS = ("name", "id", "property", "itemprop", "rel")
_URLS = ("href", "src", "action", "formaction")
_MASKED = re.compile(r"[^/?&=#]*\d[^/?&=#]*|[^/?&=#]{24,}|(?<==)[^&#]+")
_NOT_TYPED = frozenset({"hidden", "checkbox", "radio", "submit", "image"})
_DULL = word_set("class style type width height alt lang rel method target charset name for media role tabindex")


class MarkupLeaf(NamedTuple):
    """A leaf: its place, the name that says what it is, its text without entities, and where it stands. `field` is the
    name under which a browser sends it back, where the page and not its reader says what it is."""

    path: str
    name: str
    text: str
    start: int
    end: int
    is_raw: bool
    field: str = ""


_Found = tuple[str, str, int, int, bool, str]
"""Path, name, start, end, whether entities stand for themselves, and the field."""


def leaves(text: str, *, is_xml: bool) -> Iterator[MarkupLeaf]:
    """The leaves of markup, in order, at most `MOST`."""
    counts: dict[str, int] = {}
    taken = 0
    for path, name, start, end, is_raw, field in _found(text[:LARGEST], is_xml):
        number = counts.get(path, 0)
        counts[path] = number + 1
        if start < end:
            raw = text[start:end]
            plain = raw if is_raw or "&" not in raw else html.unescape(raw)
            yield MarkupLeaf(f"{path}#{number}", name, plain, start, end, is_raw, field)
            taken += 1
            if taken >= MOST:
                return


def replaced(text: str, values: dict[str, str], *, is_xml: bool) -> str:
    """`text` with the leaves at these paths replaced."""
    parts: list[str] = []
    position = 0
    for leaf in leaves(text, is_xml=is_xml):
        if leaf.path in values and leaf.start >= position:
            value = values[leaf.path]
            parts += text[position : leaf.start], value if leaf.is_raw else html.escape(value)
            position = leaf.end
    return "".join(parts) + text[position:]


def _tokens(text: str) -> Iterator[tuple[re.Match[str] | None, int, int]]:
    """Tags, and (None, start, end) for the text of each CDATA section. What is not closed ends the reading: a text full
    of such beginnings would be searched to its end from each of them."""
    position = text.find("<")
    while position >= 0:
        aside = next((each for each in _ASIDE if text.startswith(each[0], position)), None)
        if aside is not None:
            start, end = position + len(aside[0]), text.find(aside[1], position)
            if end < 0:
                return
            if aside[1] == "]]>":
                yield None, start, end
            position = end
        else:
            match = _TAG.match(text, position)
            if match is not None:
                yield match, *match.span()
                position = match.end() - 1
        position = text.find("<", position + 1)


def _found(text: str, is_xml: bool) -> Iterator[_Found]:
    above: list[str] = []
    chosen = ""  # the field of the last <select>
    opened: tuple[str, str, int] | None = None  # path, name, and where the text of the element just opened begins
    for match, start, end in _tokens(text):
        if match is None:
            if opened is not None:
                yield opened[0], opened[1], start, end, True, ""
            opened = None
            continue
        name = match[2]
        if match[1]:
            if opened is not None:
                yield from _text(text, opened, start, name)
            opened = None
            if is_xml and above:
                above.pop()
            continue
        found = {each[1].lower(): each for each in _ATTRIBUTE.finditer(text, *match.span(3))}
        label = "" if is_xml else _label(found)
        here = "/".join((*above[-12:], name)) if is_xml else f"{name.lower()}[{label}]"
        tag = name.lower()
        if tag == "select":
            chosen = label
        field = "" if is_xml else chosen if tag == "option" else _field(tag, label, found)
        yield from _attributes(here, name, label, found, field)
        is_closed = match[3].endswith("/")
        opened = None if is_closed else (here, label or name.rpartition(":")[2], end)
        if is_xml and not is_closed and len(above) < 100:
            above.append(name)


def _text(text: str, opened: tuple[str, str, int], end: int, name: str) -> Iterator[_Found]:
    path, label, start = opened
    if name.lower() == "script":
        yield from _script(text, path, start, end)
        return
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end - start <= 8192:
        yield path, label, start, end, False, ""


def _script(text: str, path: str, start: int, end: int) -> Iterator[_Found]:
    while start < end and text[start].isspace():
        start += 1
    if text[start : start + 1] in ("{", "["):
        yield path, "", start, start + len(text[start:end].rstrip()), True, ""
        return
    for match in _IN_SCRIPT.finditer(text, start, end):
        yield f"script:{match[1]}", match[1], *match.span(2), True, ""


def _label(found: dict[str, re.Match[str]]) -> str:
    for label in _LABELS:
        if label in found:
            return _value(found[label])[:80]
    return ""


def _value(match: re.Match[str]) -> str:
    return match[match.lastindex or 2]


def _field(tag: str, label: str, found: dict[str, re.Match[str]]) -> str:
    kind = _value(found["type"]).lower() if "type" in found else ""
    return label if tag == "button" or (tag == "input" and kind in _NOT_TYPED) else ""


def _attributes(here: str, name: str, label: str, found: dict[str, re.Match[str]], field: str) -> Iterator[_Found]:
    for attribute, match in found.items():
        if attribute in _DULL or attribute.startswith("xmlns"):
            continue
        start, end = match.span(match.lastindex or 2)
        if attribute in _URLS:
            yield f"{here}@{attribute}~{_MASKED.sub('{}', _value(match))[:200]}", "", start, end, False, ""
        elif attribute not in _LABELS or (attribute == "id" and not label):
            means = label if attribute in ("value", "content") and label else attribute.removeprefix("data-")
            yield f"{here}@{attribute}", means or name, start, end, False, field if attribute == "value" else ""
