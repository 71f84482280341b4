"""A body as a value: decoded, parsed, and with one spelling for equal contents.

Two bodies with equal `key` are the same for every reader, whatever their bytes. Number spelling is kept (10 is not
10.0); key order, white space and escapes are not. A body is untrusted: its decoded size and depth are bounded, and
what goes beyond is compared by digest (`note` says so).
"""

import binascii
import hashlib
import json
from base64 import b64decode
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl

import orjson

from ..capture.codings import CodingError, decode, parse_codings
from ..capture.grpc_body import PROTOBUF_TYPES, readable_messages
from ..capture.headers import Headers
from .forms.events import LINES_TYPES, STREAM_TYPE, looks_like_lines, parse_lines, parse_stream
from .forms.magic import magic
from .forms.multipart import MultipartError, parse_multipart
from .forms.table import TABLE_TYPES, TableError, parse_table
from .forms.xml import UnreadXml, XmlError, parse_xml
from .report.model import Json

MAX_DEPTH = 200
MAX_FIELDS = 10_000
MAX_MESSAGE = 16 << 20
MAX_NESTED = 3
"""Multipart bodies within multipart bodies."""
CACHED = 256
"""Bodies that are kept parsed: a pair's are looked at several times, one after another."""

_LONG_NUMBER = b"0" * 19
_DIGITS = bytes(ord("0") if 48 <= byte <= 57 else 32 for byte in range(256))
"""Every digit as "0", so that a long number is found by a search for plain bytes: a tenth of a pattern's time."""
_ORJSON_DEPTH = 254
_SPARE_DEPTH = _ORJSON_DEPTH - MAX_DEPTH
"""orjson serialises so many levels and no more: what it takes within `_SPARE_DEPTH` lists nests at most `MAX_DEPTH`
deep, and no walk is needed to know it."""
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
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
    is_page = found.form is Form.TEXT and media in ("text/html", "application/xhtml+xml")
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
    parsed, key, why = _parse_json(body, charset)
    if why:
        return Body(Form.TEXT, _decode(body, charset), _digest(body), len(body), broken=why)
    if not key and not within_depth(parsed):
        return _binary(body, f"nested deeper than {MAX_DEPTH}")
    return Body(Form.JSON, parsed, key or canonical_key(parsed), len(body))


def _parse_json(body: bytes, charset: str) -> tuple[Json, bytes, str]:
    """The value, its key where that came for free, or why there is none. orjson rounds integers past 64 bit and drops
    a repeated key: bodies that may hold either take the slow way, and so do those nested deeper than `MAX_DEPTH`."""
    if charset == "utf-8" and not _holds_long_integer(body):
        try:
            parsed: Json = orjson.loads(body)
            # Fewer brackets than levels cannot nest too deep.
            is_flat = body.count(b"{") + body.count(b"[") <= MAX_DEPTH
            key = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS) if is_flat else _key_within_depth(parsed)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            key = b""
        # Fewer quotation marks than the body has: a key came twice (or a quote is spelled \u0022).
        if key and key.count(b'"') == body.count(b'"'):
            return parsed, key, ""
    parsed, why = _parse_slowly(body, charset)
    return parsed, b"", why


def _key_within_depth(value: Json) -> bytes:
    """The key of a value that nests at most `MAX_DEPTH` deep; JSONEncodeError for any other."""
    for _ in range(_SPARE_DEPTH):
        value = [value]
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)[_SPARE_DEPTH:-_SPARE_DEPTH]


def _holds_long_integer(body: bytes) -> bool:
    """Whether a row of 19 digits stands anywhere but in a fraction."""
    digits = body.translate(_DIGITS)
    start = digits.find(_LONG_NUMBER)
    while start > 0 and body[start - 1 : start] == b".":
        end = digits.find(b" ", start)
        start = digits.find(_LONG_NUMBER, end) if end >= 0 else -1
    return start >= 0


def _parse_slowly(body: bytes, charset: str) -> tuple[Json, str]:
    text = _decode(body, charset)
    try:
        parsed: Json = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_pairs, parse_int=_int)
    except RecursionError:
        return None, "nested too deep"
    except ValueError as error:
        return None, str(error).split(":", 1)[0]
    return parsed, ""


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    for key, value in pairs:
        name, count = key, 1
        while name in fields and count < 100:
            count += 1
            name = f"{key}#{count}"
        fields[name] = value
    return fields


def _int(digits: str) -> int | str:
    # Past 4,300 digits Python refuses, and so will every reader.
    return int(digits) if len(digits) < 4_000 else digits


def within_depth(value: Json, limit: int = MAX_DEPTH) -> bool:
    """Whether `value` nests at most `limit` deep. Breadth first, so that no stack is at risk."""
    level: list[Json] = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        below: list[Json] = []
        for item in level:
            # By exact type: what a parser made has no other, and this line sees every leaf.
            inner = item.values() if isinstance(item, dict) else item
            below += [one for one in inner if type(one) is dict or type(one) is list]  # type: ignore[union-attr]  # containers only
        if not below:
            return True
        level = below
    return False


def canonical_key(value: Json) -> bytes:
    """Equal exactly where two values are equal and their numbers are spelled as the same type."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=True).encode()


def _read(text: str) -> tuple[Json, str]:
    """A JSON text within a body, as deep as may be."""
    value, _, why = _parse_json(text.encode("utf-8", "surrogatepass"), "utf-8")
    return (None, "nested too deep") if not why and not within_depth(value, MAX_DEPTH - 2) else (value, why)


def _sniffed_lines(body: bytes, charset: str) -> Body | None:
    """JSON a line, under whatever name it came."""
    text = _decode(body, charset)
    if not looks_like_lines(text):
        return None
    values, why = parse_lines(text, _read)
    return None if why else Body(Form.EVENTS, values, canonical_key(values), len(body))


def _events_body(body: bytes, charset: str, *, is_stream: bool) -> Body:
    text = _decode(body, charset)
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
        return Body(Form.TEXT, _decode(body, _charset(content_type)), _digest(body), len(body), broken=str(error))
    return Body(Form.XML, value, canonical_key(value), len(body))


def _table_body(body: bytes, charset: str, delimiter: str) -> Body:
    text = _decode(body, charset)
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


def spelled_alike(one: Json, other: Json) -> bool:
    """Whether two values that Python finds equal are spelled as the same types: 1 == 1.0 == True."""
    try:
        # Mostly their members come in one order, too, and sorting is half of the work.
        if orjson.dumps(one) == orjson.dumps(other):
            return True
    except orjson.JSONEncodeError:
        pass
    return canonical_key(one) == canonical_key(other)


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
    value = messages[0] if len(messages) == 1 else messages
    return Body(Form.JSON, value, canonical_key(value), size)


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
    text = _decode(body, charset).replace("\r\n", "\n")
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


def _decode(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return body.decode("latin-1")
