"""A body as a value: decoded, parsed, and with one spelling for equal contents.

Two bodies with equal `key` are the same for every reader, whatever their bytes. Number spelling is kept (10 is not
10.0); key order, white space and escapes are not. A body is untrusted: its decoded size and depth are bounded, and
what goes beyond is compared by digest (`note` says so).
"""

import binascii
import hashlib
from base64 import b64decode
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl

from ..capture.codings import CodingError, decode, parse_codings
from ..capture.grpc_body import PROTOBUF_TYPES, TRAILERS, readable_messages, split_messages
from ..capture.headers import Headers
from .forms.document import MAX_DEPTH, canonical_key, decoded_text, parse_json, spelled_alike, within_depth
from .forms.events import LINES_TYPES, STREAM_TYPE, looks_like_lines, parse_lines, parse_stream
from .forms.magic import magic
from .forms.multipart import MultipartError, parse_multipart
from .forms.table import TABLE_TYPES, TableError, parse_table
from .forms.xml import UnreadXml, XmlError, parse_xml
from .report.model import Json

__all__ = [
    "MAX_DEPTH",
    "TREES",
    "Body",
    "Form",
    "canonical",
    "canonical_key",
    "forget",
    "spelled_alike",
    "within_depth",
]

MAX_FIELDS = 10_000
MAX_MESSAGE = 16 << 20
MAX_NESTED = 3
"""Multipart bodies within multipart bodies."""
CACHED = 256
"""Bodies that are kept parsed: a pair's are looked at several times, one after another."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_FREE_TRAILERS = frozenset({"date", "server-timing", "traceparent", "x-request-id"})
_PAGE_STARTS = (b"<!doctype html", b"<html")
_BOM_STARTS = frozenset(mark[:1] for mark, _ in _BOMS)
_MEDIA = ("image/", "audio/", "video/", "font/")
_OPAQUE = frozenset({"application/octet-stream", "application/pdf", "application/zip", "application/gzip"})


class Form(StrEnum):
    """What a body turned out to be."""

    EMPTY = "empty"
    JSON = "json"
    FORM = "form"
    XML = "xml"
    EVENTS = "events"
    TABLE = "table"
    MULTIPART = "multipart"
    TEXT = "text"
    HTML = "html"
    BINARY = "binary"


TREES = frozenset({Form.JSON, Form.FORM, Form.XML, Form.EVENTS, Form.TABLE, Form.MULTIPART})
"""Forms whose value is a tree with named parts."""


@dataclass(frozen=True, slots=True)
class Body:
    """`size` in bytes once decoded; `broken` says why a body that claims to be JSON (XML, …) is none; `note` why it is
    only compared by digest or as text; `kind` is a binary's ("png"); `mark` how its text is marked ("utf-8-sig")."""

    form: Form
    value: Json
    key: bytes
    size: int
    broken: str = ""
    note: str = ""
    kind: str = ""
    mark: str = ""


def canonical(body: bytes, headers: Headers) -> Body:
    """`body` as its `Content-Encoding` and `Content-Type` say."""
    return _canonical(body, parse_codings(headers.get_all("content-encoding")), headers.get("content-type") or "")


def forget() -> None:
    """Drop the bodies that are kept parsed."""
    _canonical.cache_clear()


@lru_cache(maxsize=CACHED)
def _canonical(body: bytes, codings: tuple[str, ...], content_type: str) -> Body:
    if not body:
        return Body(Form.EMPTY, None, b"", 0)
    try:
        decoded = decode(body, codings) if codings else body
    except CodingError as error:
        return _binary(body, f"content coding: {error}")
    return _parse(decoded, content_type)


def _parse(body: bytes, content_type: str, nested: int = 0) -> Body:
    if body[:1] in _BOM_STARTS and (mark := _marked(body)):
        found = _parse_marked(body, content_type, mark)
        if found:
            return found
    media, charset = _content_type(content_type)
    says_json = media.endswith(("/json", "+json"))
    if says_json or body.lstrip()[:1] in (b"{", b"["):
        found = _json_body(body, charset)
        if found.broken and (says_json or media in LINES_TYPES or media.startswith("text/")):
            found = _sniffed_lines(body, charset) or found
        if says_json or not found.broken:
            return found
    return _by_media(body, media, content_type, nested)


def _by_media(body: bytes, media: str, content_type: str, nested: int) -> Body:
    charset = _charset(content_type)
    if media == "application/x-www-form-urlencoded":
        return _form_body(body)
    if media.startswith("application/grpc") or media in PROTOBUF_TYPES:
        return _protobuf_body(body, media)
    if media.endswith(("/xml", "+xml")) and media != "application/xhtml+xml":
        return _xml_body(body, content_type)
    if media in LINES_TYPES or media == STREAM_TYPE:
        return _events_body(body, charset, is_stream=media == STREAM_TYPE)
    if media in TABLE_TYPES:
        return _table_body(body, charset, TABLE_TYPES[media])
    if media.startswith("multipart/") and nested < MAX_NESTED:
        return _multipart_body(body, content_type, nested)
    if media.startswith(_MEDIA) or media in _OPAQUE:
        return _binary(body)
    if body.startswith(b"<?xml"):
        found = _xml_body(body, content_type)
        if not found.broken:
            return found
    found = _text_body(body, charset)
    says_page = media in ("text/html", "application/xhtml+xml")
    is_page = found.form is Form.TEXT and (says_page or (not media and body[:64].lower().startswith(_PAGE_STARTS)))
    return replace(found, form=Form.HTML) if is_page else found


def _marked(body: bytes) -> str:
    """The encoding that a byte order mark names."""
    return next((name for mark, name in _BOMS if body.startswith(mark)), "")


@lru_cache(maxsize=1024)
def _content_type(value: str) -> tuple[str, str]:
    """The media type and the charset that a header names."""
    return value.split(";", 1)[0].strip().lower(), _charset(value)


def _parse_marked(body: bytes, content_type: str, mark: str) -> Body | None:
    """A text with a byte order mark, read as what stands behind it; None where it is none (a JPEG begins so)."""
    try:
        plain = body.decode(mark).encode()
    except UnicodeDecodeError:
        return None
    media = content_type.split(";", 1)[0]
    if not plain or media.lower().startswith(_MEDIA) or b"\0" in plain[:4096]:
        return None
    if media.lower().startswith("multipart/"):
        media = content_type
    return replace(_parse(plain, media), size=len(body), mark=mark)


def _json_body(body: bytes, charset: str) -> Body:
    parsed, key, why = parse_json(body, charset)
    if why:
        return Body(Form.TEXT, decoded_text(body, charset), _digest(body), len(body), broken=why)
    if not key and not within_depth(parsed):
        return _binary(body, f"nested deeper than {MAX_DEPTH}")
    return Body(Form.JSON, parsed, key or canonical_key(parsed), len(body))


def _read(text: str) -> tuple[Json, str]:
    """A JSON text within a body, as deep as may be."""
    value, _, why = parse_json(text.encode("utf-8", "surrogatepass"), "utf-8")
    return (None, "nested too deep") if not why and not within_depth(value, MAX_DEPTH - 2) else (value, why)


def _sniffed_lines(body: bytes, charset: str) -> Body | None:
    """JSON a line, under whatever name it came."""
    text = decoded_text(body, charset)
    if not looks_like_lines(text):
        return None
    values, why = parse_lines(text, _read)
    return None if why else Body(Form.EVENTS, values, canonical_key(values), len(body))


def _events_body(body: bytes, charset: str, *, is_stream: bool) -> Body:
    text = decoded_text(body, charset)
    values, why = parse_stream(text, _read) if is_stream else parse_lines(text, _read)
    if why:
        return Body(Form.TEXT, text, _digest(body), len(body), broken=why)
    return Body(Form.EVENTS, values, canonical_key(values), len(body))


def _xml_body(body: bytes, content_type: str) -> Body:
    try:
        value: Json = {**parse_xml(body, _charset(content_type) if "charset=" in content_type.lower() else "")}
    except UnreadXml as error:
        return replace(_text_body(body, _charset(content_type)), note=str(error))
    except XmlError as error:
        return Body(Form.TEXT, decoded_text(body, _charset(content_type)), _digest(body), len(body), broken=str(error))
    return Body(Form.XML, value, canonical_key(value), len(body))


def _table_body(body: bytes, charset: str, delimiter: str) -> Body:
    text = decoded_text(body, charset)
    try:
        value: Json = {**parse_table(text, delimiter)}
    except TableError as error:
        return Body(Form.TEXT, text, _digest(body), len(body), broken=str(error))
    return Body(Form.TABLE, value, canonical_key(value), len(body))


def _multipart_body(body: bytes, content_type: str, nested: int) -> Body:
    def inner(part: bytes, kind: str) -> Json:
        found = _parse(part, kind, nested + 1) if part else Body(Form.TEXT, "", b"", 0)
        return {"sha256": found.value, "size": found.size} if found.form is Form.BINARY else found.value

    try:
        value = parse_multipart(body, content_type, inner)
    except MultipartError as error:
        text = _text_body(body, _charset(content_type))
        return replace(text, broken=str(error)) if text.form is Form.TEXT else text
    if not within_depth(value):
        return _binary(body, f"nested deeper than {MAX_DEPTH}")
    return Body(Form.MULTIPART, value, canonical_key(value), len(body))


def _form_body(body: bytes) -> Body:
    fields: dict[str, Json] = {}
    try:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return _binary(body, f"more than {MAX_FIELDS} form fields")
    for name, value in pairs:
        held = fields.get(name)
        if isinstance(held, list):
            held.append(value)
        else:
            fields[name] = value if name not in fields else [held, value]
    return Body(Form.FORM, fields, canonical_key(fields), len(body))


def _protobuf_body(body: bytes, media: str) -> Body:
    """Messages by their fields' numbers: one as it is, several as a list."""
    plain, size = body, len(body)
    if media.startswith("application/grpc-web-text"):
        # gRPC-Web for browsers that take text only: each message may be padded by itself.
        try:
            plain = b"".join(b64decode(part + b"=" * (-len(part) % 4)) for part in body.split(b"=") if part)
        except binascii.Error:
            return _binary(body, "gRPC-Web text that is no base64")
    found = readable_messages(plain, media, MAX_MESSAGE)
    if found is None:
        return _binary(body, "protobuf that does not parse")
    messages = [_named(one) for one in found]
    trailers = _trailers(plain) if media.startswith("application/grpc-web") else {}
    if trailers and len(messages) == 1 and isinstance(messages[0], dict):
        messages = [{**messages[0], "trailers": trailers}]
    elif trailers:
        messages.append({"trailers": trailers})
    value = messages[0] if len(messages) == 1 else messages
    return Body(Form.JSON, value, canonical_key(value), size)


def _trailers(body: bytes) -> dict[str, Json]:
    """What a gRPC-Web body says at its end, the status among it; its head says 200 whatever happened."""
    found: dict[str, Json] = {}
    for message in split_messages(body):
        if message.flags & TRAILERS:
            for line in message.data.decode("latin-1").splitlines():
                name, colon, value = line.partition(":")
                if colon and name.strip().lower() not in _FREE_TRAILERS:
                    found[name.strip().lower()] = value.strip()
    return found


def _named(message: Json) -> Json:
    """A message with names that read as names: `field_3`. Its depth is bounded by who parsed it."""
    if isinstance(message, list):
        return [_named(item) for item in message]
    if isinstance(message, dict) and "b64" not in message:
        return {f"field_{name}" if name.isdecimal() else name: _named(value) for name, value in message.items()}
    return message


def _text_body(body: bytes, charset: str) -> Body:
    if b"\0" in body[:4096]:
        return _binary(body)
    text = decoded_text(body, charset).replace("\r\n", "\n")
    return Body(Form.TEXT, text, text.encode("utf-8", "surrogatepass"), len(body))


def _binary(body: bytes, note: str = "") -> Body:
    digest = hashlib.sha256(body)
    return Body(Form.BINARY, digest.hexdigest(), digest.digest(), len(body), note=note, kind=magic(body))


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _charset(content_type: str) -> str:
    _, _, rest = content_type.lower().partition("charset=")
    name = rest.split(";", 1)[0].strip(" \"'")
    return "utf-8" if name in {"", "utf8", "utf-8", "us-ascii", "ascii"} else name
