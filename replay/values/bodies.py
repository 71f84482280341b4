"""A body's leaves by its kind, and a body with some of them replaced: JSON, form, multipart, markup, text. PURE.

Kinds go by the content type and, where that says nothing, by the look. JSON is not listed here leaf by leaf: whoever
looks for values walks the decoded document (`walk.py`), as most bodies are JSON and most leaves are no value.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from ...capture.codings import CodingError, decode, encode, parse_codings
from ...capture.headers import Headers
from . import json_path, markup, urls

LARGEST = 512 << 10
"""Bytes of a body, decompressed, that is looked into."""
_LARGEST_TEXT = 4096
_MOST_PARTS = 200
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,200})\"|([^\s;,\"]{1,200}))", re.IGNORECASE)
_NAME = re.compile(r"[;\s]name=(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)
_PAIRS = re.compile(r"[\w.\[\]%+-]{1,100}=[^\s<>]*")

JSON, FORM, MULTIPART, XML, HTML, TEXT, NONE = "json", "form", "multipart", "xml", "html", "text", ""


class Leaf(NamedTuple):
    """A leaf of a body that is no JSON: its path, its name, its text, and the field of a form that it is."""

    path: str
    name: str
    text: str
    field: str = ""


class Body:
    """A body taken out of its content codings, and what kind it is. `document` is set for JSON."""

    __slots__ = ("codings", "content_type", "document", "kind", "raw", "text")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.raw = body
        self.kind = NONE
        self.text = ""
        self.document: Any = None
        self.content_type = ""
        self.codings: tuple[str, ...] = ()
        if body and len(body) <= LARGEST:
            self._open(headers, body)

    def _open(self, headers: Headers, body: bytes) -> None:
        content_type = ""
        for name, value in headers.items:
            lowered = name.lower() if len(name) in (12, 16) else ""
            if lowered == "content-type":
                content_type = value
            elif lowered == "content-encoding":
                self.codings += parse_codings((value,))
        self.content_type = content_type
        if self.codings:
            try:
                body = decode(body, self.codings, LARGEST)
            except CodingError:
                return
        lowered = content_type.lower()
        if body[:1] in (b"{", b"[", b'"') or "json" in lowered:
            try:
                self.document = orjson.loads(body)
                self.kind = JSON
                return
            except orjson.JSONDecodeError:
                pass
        try:
            self.text = body.decode()
        except UnicodeDecodeError:
            if "multipart/" in lowered:
                self.text = body.decode("latin-1")  # a file among the fields
            else:
                return
        self.kind = _kind(lowered, self.text)

    def json_text(self) -> str:
        """The text of a JSON body."""
        body = decode(self.raw, self.codings, LARGEST) if self.codings else self.raw
        return body.decode()

    def leaves(self) -> list[Leaf]:
        """The leaves of a body that is no JSON."""
        if self.kind == FORM:
            pairs = urls.pairs_of(self.text.strip())
            return [Leaf(f"form:{path}", name, value, name) for name, value, path in pairs]
        if self.kind == MULTIPART:
            return [Leaf(path, name, self.text[start:end], name) for path, name, start, end in self._fields()]
        if self.kind in (XML, HTML):
            found = markup.leaves(self.text, is_xml=self.kind == XML)
            return [Leaf(f"markup:{leaf.path}", leaf.name, leaf.text, leaf.field) for leaf in found]
        if self.kind == TEXT and len(self.text) <= _LARGEST_TEXT:
            return [Leaf("text", "", self.text.strip())]
        return []

    def at(self, path: str) -> str | None:
        """The text of the leaf at `path`, or None."""
        if path.startswith("$"):
            return json_path.leaf_at(self.document, json_path.parsed(path)) if self.kind == JSON else None
        if path.startswith("form:") and self.kind == FORM:
            return urls.pair_at(self.text.strip(), path[5:])
        return next((leaf.text for leaf in self.leaves() if leaf.path == path), None)

    def with_values(self, values: Mapping[str, str]) -> bytes:
        """The body with the leaves at these paths replaced, in its codings. Raises Irreversible or CodingError."""
        if self.kind == JSON:
            parsed = {json_path.parsed(path): value for path, value in values.items() if path.startswith("$")}
            text = json_path.replaced(self.json_text(), parsed)
        else:
            text = self._with_values(values)
        body = text.encode("latin-1" if self._is_latin() else "utf-8", "surrogatepass")
        return encode(body, self.codings, self.raw) if self.codings else body

    def _is_latin(self) -> bool:
        """Whether the text is bytes in disguise, as it was no UTF-8."""
        if self.kind != MULTIPART:
            return False
        return len(self.text) == len(decode(self.raw, self.codings, LARGEST) if self.codings else self.raw)

    def _with_values(self, values: Mapping[str, str]) -> str:
        text = self.text
        if self.kind == FORM:
            for path, value in values.items():
                text = urls.with_pair(text, path.removeprefix("form:"), value)
            return text
        if self.kind == MULTIPART:
            for path, _, start, end in reversed(self._fields()):
                if path in values:
                    value = values[path]
                    plain = value.encode().decode("latin-1") if self._is_latin() else value
                    text = text[:start] + plain + text[end:]
            return text
        if self.kind in (XML, HTML):
            inner = {path.removeprefix("markup:"): value for path, value in values.items()}
            return markup.replaced(text, inner, is_xml=self.kind == XML)
        bare = text.strip()
        return text.replace(bare, values["text"], 1) if "text" in values and bare else text

    def _fields(self) -> list[tuple[str, str, int, int]]:
        """(path, name, start, end) of each part of multipart that is a named field and no file."""
        found = _BOUNDARY.search(self.content_type)
        if found is None:
            return []
        delimiter = "--" + (found[1] or found[2])
        fields: list[tuple[str, str, int, int]] = []
        counts: dict[str, int] = {}
        start = self.text.find(delimiter)
        for _ in range(_MOST_PARTS):
            head = self.text.find("\r\n\r\n", start)
            end = self.text.find("\r\n" + delimiter, max(head, 0))
            if start < 0 or head < 0 or end < 0:
                break
            named = _NAME.search(self.text, start, head)
            if named is not None and "filename" not in self.text[start:head]:
                name = named[1] or named[2] or ""
                fields.append((f"multipart:{name}#{counts.get(name, 0)}", name, head + 4, max(end, head + 4)))
                counts[name] = counts.get(name, 0) + 1
            start = end + 2
        return fields


def _kind(content_type: str, text: str) -> str:
    if "multipart/" in content_type:
        return MULTIPART
    if "x-www-form-urlencoded" in content_type:
        return FORM
    look = text[:400].lstrip().lower()
    if "html" in content_type or look.startswith(("<!doctype html", "<html")):
        return HTML
    if "xml" in content_type or look.startswith("<"):
        return XML
    if content_type and not content_type.startswith("text/"):
        return NONE
    if not content_type and _PAIRS.fullmatch(text[:2000]):
        return FORM
    return TEXT
