"""A body by its content type: which walk cleans it, or why it cannot be cleaned.

Two rules hold here. A body is cleaned in every layer (coding, charset, document, strings in it) or not at all.
A body in which nothing is replaced comes back as the same bytes.
"""

import codecs
import re
from collections.abc import Callable

from ..codings import CodingError, decode, encode
from ..grpc_body import PROTOBUF_TYPES
from .csv_body import CsvBody
from .json_body import JsonWalker, NotJson
from .markup_body import MarkupBody
from .multipart_body import BadMultipart, MultipartBody
from .pairs import Pairs
from .protobuf_body import ProtobufBody, Unparsed
from .text_body import TextBody
from .tokens import PLAIN, KeyClass, KeyClassifier
from .values import Values
from .vocabulary import words

MAX_TEXT = 8 << 20
"""Bytes of a decoded body that is walked; patterns run at some MB a second, and recording must not fall behind."""
_MAX_NESTING = 3  # multipart within multipart

_JSON = words(
    "application/json text/json application/x-json application/csp-report application/x-amz-json-1.0 "
    "application/x-amz-json-1.1"
)
"""AWS' JSON protocols name theirs by a version (Smithy, "AWS JSON 1.0 and 1.1 protocols")."""
_STRICT = _JSON | {""}  # without a type nothing but UTF-8 counts as text
_JSON_LINES = words(
    "application/x-ndjson application/ndjson application/jsonl application/x-jsonlines application/json-lines "
    "application/jsonlines application/json-seq"
)
_MARKUP = frozenset({"text/html", "text/xml", "application/xml", "application/xhtml+xml"})
_CODE = words(
    "text/javascript application/javascript application/x-javascript application/ecmascript text/ecmascript text/css "
    "application/typescript application/wasm-text"
)
_TABLES = {"text/csv": None, "application/csv": None, "text/tab-separated-values": "\t"}
_TEXTS = words(
    "application/graphql application/sql application/yaml application/x-yaml application/toml application/x-sh "
    "application/xml-dtd application/x-www-form-plain application/openmetrics-text"
)
_GRPC = "application/grpc"
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]{1,40})", re.IGNORECASE)
_FORM = re.compile(r"[\w.%+\[\]~*-]{1,200}=[^\s=&]*(?:&[\w.%+\[\]~*-]{1,200}=[^\s=&]*)*")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class Unclean(ValueError):
    """The body cannot be cleaned, and why in a few words that tell nothing of it."""


class Bodies:
    """Cleans bodies."""

    __slots__ = (
        "_above", "_csv", "_json", "_markup", "_multipart", "_nesting", "_pairs", "_protobuf", "_records", "_text",
    )  # fmt: skip

    def __init__(self, keys: KeyClassifier, values: Values, json: JsonWalker, pairs: Pairs) -> None:
        self._json = json
        self._pairs = pairs
        self._text = TextBody(keys, values)
        self._markup = MarkupBody(keys, values, self._text)
        self._csv = CsvBody(keys, values)
        self._multipart = MultipartBody(keys, values, self._part)
        self._protobuf = ProtobufBody(keys, values, self._part)
        self._nesting = 0
        self._above = self._records = PLAIN

    def clean(
        self,
        body: bytes,
        content_type: str,
        codings: tuple[str, ...],
        above: KeyClass = PLAIN,
        records: KeyClass = PLAIN,
    ) -> bytes:
        """`body` cleaned, under the same `codings`; `above` and `records` are what is known of a JSON document from
        outside (`JsonWalker.clean`). Raises Unclean."""
        if not body:
            return body
        self._above, self._records = above, records
        try:
            plain = decode(body, codings, MAX_TEXT) if codings else body
            made = self._document(plain, content_type)
        except CodingError as error:
            raise Unclean(f"content coding: {error}") from error
        except NotJson as error:
            raise Unclean("does not parse as JSON") from error
        except BadMultipart as error:
            raise Unclean(f"multipart: {error}") from error
        except Unparsed as error:
            raise Unclean(str(error)) from error
        if made == plain:
            return body
        return encode(made, codings, body) if codings else made

    def _document(self, body: bytes, content_type: str) -> bytes:
        if len(body) > MAX_TEXT:
            raise Unclean(f"larger than {MAX_TEXT} bytes")
        if content_type == "application/json":  # as decoders say it, and most services
            return self._json_document(body)
        essence = content_type.split(";", 1)[0].strip().lower()
        if essence.startswith("multipart/"):
            return self._nested_multipart(body, content_type)
        if essence.startswith(_GRPC):
            return self._protobuf.clean_grpc(body, essence, MAX_TEXT)
        if essence in PROTOBUF_TYPES:
            return self._protobuf.clean(body)
        walk = self._walk(essence, body)
        charset = _charset(content_type)
        text = _decoded(body, charset, strict=essence in _STRICT or essence.endswith("+json"))
        mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        made = walk(text) if text.strip() else text
        return body if made == text else f"{mark}{made}".encode(charset or _used(body), "strict")

    def _json_document(self, body: bytes) -> bytes:
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise Unclean("not of its charset") from error
        mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        made = self._json.clean(text, self._above, self._records) if text.strip() else text
        return body if made is text or made == text else f"{mark}{made}".encode()

    def _walk(self, essence: str, body: bytes) -> Callable[[str], str]:
        if essence in _JSON or essence.endswith("+json"):
            return lambda text: self._json.clean(text, self._above, self._records)
        if essence == "application/x-www-form-urlencoded":
            return self._form
        if essence in _JSON_LINES:
            return self._lines
        if essence in _MARKUP or essence.endswith("+xml"):
            return self._markup.clean
        if essence in _CODE:
            return self._code
        if essence in _TABLES:
            return lambda text: self._csv.clean(text, _TABLES[essence])
        if essence.startswith("text/") or essence in _TEXTS:
            return self._plain
        if essence == "":
            return self._sniffed
        raise Unclean(
            "cannot be parsed: " + (essence if re.fullmatch(r"[a-z]{1,20}/[\w.+-]{1,80}", essence) else "odd type")
        )

    def _plain(self, text: str) -> str:
        if _CONTROL.search(text):
            raise Unclean("text with control characters")
        return self._as_json(text) or self._text.clean(text)

    def _code(self, text: str) -> str:
        return self._text.clean(text, code=True)

    def _lines(self, text: str) -> str:
        """One JSON document a line; the record separator of RFC 7464 stays where it is."""
        return "\n".join(line if not line.strip("\x1e \t\r") else self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        head = line[: len(line) - len(line.lstrip("\x1e \t"))]
        tail = line[len(line.rstrip("\r \t")) :]
        return f"{head}{self._json.clean(line[len(head) : len(line) - len(tail)])}{tail}"

    def _form(self, text: str) -> str:
        if text.lstrip()[:1] in ("{", "["):
            return self._sniffed(text)  # curl -d '{…}' says that JSON is a form
        end = text.rstrip("\r\n")
        return self._pairs.clean(end) + text[len(end) :]

    def _sniffed(self, text: str) -> str:
        """A body that names no type: JSON, a form, or printable text."""
        if _CONTROL.search(text):
            raise Unclean("no content type, and not text")
        as_json = self._as_json(text)
        if as_json is not None:
            return as_json
        bare = text.strip()
        if _FORM.fullmatch(bare):
            return text.replace(bare, self._pairs.clean(bare))
        return self._markup.clean(text) if bare[:1] == "<" else self._text.clean(text)

    def _as_json(self, text: str) -> str | None:
        """`text` cleaned as JSON, or None where it is none: some servers send it as text/plain."""
        if text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            return self._json.clean(text)
        except NotJson:
            return None

    def _nested_multipart(self, body: bytes, content_type: str) -> bytes:
        if self._nesting >= _MAX_NESTING:
            raise Unclean("multipart within multipart")
        self._nesting += 1
        try:
            return self._multipart.clean(body, content_type)
        finally:
            self._nesting -= 1

    def _part(self, body: bytes, content_type: str) -> bytes:
        return self._document(body, content_type)


def _charset(content_type: str) -> str:
    """The charset that is named, or "" for UTF-8 with Latin-1 behind it."""
    match = _CHARSET.search(content_type)
    if match is None:
        return ""
    try:
        return codecs.lookup(match[1]).name
    except LookupError as error:
        raise Unclean("unknown charset") from error


def _used(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _decoded(body: bytes, charset: str, *, strict: bool) -> str:
    name = charset or ("utf-8" if strict else _used(body))
    try:
        text = body.decode(name)
        if charset not in ("", "utf-8", "ascii") and text.encode(name) != body:
            raise Unclean("charset does not round-trip")
    except (UnicodeError, LookupError) as error:
        raise Unclean("not of its charset") from error
    return text
