"""A body as a value: decoded, parsed, and with one spelling for equal contents.

Two bodies with equal `key` are the same for every reader, whatever their bytes. Number spelling is kept (10 is not
10.0); key order, white space and escapes are not. A body is untrusted: its decoded size and depth are bounded, and
what goes beyond is compared by digest (`note` says so).
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl

import orjson

from ..capture.codings import CodingError, decode, parse_codings
from ..capture.grpc_body import PROTOBUF_TYPES, readable_messages
from ..capture.headers import Headers
from .report.model import Json

MAX_DEPTH = 200
MAX_FIELDS = 10_000
MAX_MESSAGE = 16 << 20

_LONG_DIGITS = re.compile(rb"\d{19}")


class Form(StrEnum):
    """What a body turned out to be."""

    EMPTY = "empty"
    JSON = "json"
    FORM = "form"
    TEXT = "text"
    HTML = "html"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Body:
    """`size` in bytes once decoded; `broken` says why a body that claims to be JSON is none; `note` why it is only
    compared by digest."""

    form: Form
    value: Json
    key: bytes
    size: int
    broken: str = ""
    note: str = ""


def canonical(body: bytes, headers: Headers) -> Body:
    """`body` as its `Content-Encoding` and `Content-Type` say."""
    return _canonical(body, parse_codings(headers.get_all("content-encoding")), headers.get("content-type") or "")


@lru_cache(maxsize=1024)
def _canonical(body: bytes, codings: tuple[str, ...], content_type: str) -> Body:
    if not body:
        return Body(Form.EMPTY, None, b"", 0)
    try:
        decoded = decode(body, codings)
    except CodingError as error:
        return _binary(body, f"content coding: {error}")
    return _parse(decoded, content_type.lower())


def _parse(body: bytes, content_type: str) -> Body:
    media = content_type.split(";", 1)[0].strip()
    says_json = media.endswith(("/json", "+json"))
    if says_json or body.lstrip()[:1] in (b"{", b"["):
        found = _json_body(body, _charset(content_type))
        if says_json or not found.broken:
            return found
    if media == "application/x-www-form-urlencoded":
        return _form_body(body)
    if media.startswith("application/grpc") or media in PROTOBUF_TYPES:
        return _protobuf_body(body, media)
    if media.startswith(("image/", "audio/", "video/", "font/")) or media == "application/octet-stream":
        return _binary(body)
    found = _text_body(body, _charset(content_type))
    is_page = found.form is Form.TEXT and media in ("text/html", "application/xhtml+xml")
    return replace(found, form=Form.HTML) if is_page else found


def _json_body(body: bytes, charset: str) -> Body:
    parsed, key, why = _parse_json(body, charset)
    if why:
        return Body(Form.TEXT, _decode(body, charset), _digest(body), len(body), broken=why)
    if not within_depth(parsed):
        return _binary(body, f"nested deeper than {MAX_DEPTH}")
    return Body(Form.JSON, parsed, key or canonical_key(parsed), len(body))


def _parse_json(body: bytes, charset: str) -> tuple[Json, bytes, str]:
    """The value, its key where that came for free, or why there is none. orjson rounds integers past 64 bit and drops
    a repeated key: bodies that may hold either take the slow way."""
    if charset == "utf-8" and not _LONG_DIGITS.search(body):
        try:
            parsed: Json = orjson.loads(body)
            key = orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            key = b""
        # Fewer quotation marks than the body has: a key came twice (or a quote is spelled \u0022).
        if key and key.count(b'"') == body.count(b'"'):
            return parsed, key, ""
    parsed, why = _parse_slowly(body, charset)
    return parsed, b"", why


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
    level: list[Json] = [value]
    for _ in range(limit + 1):
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
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
    found = readable_messages(body, media, MAX_MESSAGE)
    if found is None:
        return _binary(body, "protobuf that does not parse")
    messages = [_named(one) for one in found]
    value = messages[0] if len(messages) == 1 else messages
    return Body(Form.JSON, value, canonical_key(value), len(body))


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
    return Body(Form.BINARY, hashlib.sha256(body).hexdigest(), _digest(body), len(body), note=note)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def _charset(content_type: str) -> str:
    _, _, rest = content_type.partition("charset=")
    name = rest.split(";", 1)[0].strip(" \"'").lower()
    return "utf-8" if name in {"", "utf8", "utf-8", "us-ascii", "ascii"} else name


def _decode(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return body.decode("latin-1")
