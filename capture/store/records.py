"""An exchange as bytes and back.

Rules of this file:
- records are positional arrays; a new field is only ever appended, a reader fills in what a shorter array lacks
  and ignores what a longer one adds;
- a record is untrusted: every size is bounded before memory is taken, every type is checked, and the only
  exception that leaves is `BadRecord`;
- what `pack_exchange` accepts, `unpack_exchange` accepts.

A packed record is `head length | tail length | head | tail`: the head is msgpack without maps, the tail holds the
bodies. Bodies stay outside of msgpack so that its objects, which take up to 40 bytes of memory for one of input,
can be held to a small size while bodies may be large.
"""

import re
import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NoReturn

import msgpack

from ..headers import Headers
from ..model import Ask, Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Role, Withheld

PREFIX = struct.Struct("<II")
MAX_HEAD = 1 << 20
"""Bytes of a record's head: request line, headers, links. Servers refuse heads far smaller than this."""
MAX_TAIL = 48 << 20
"""Bytes of both bodies of one exchange."""
MAX_ITEMS = 1 << 13
"""Items of one array."""
MAX_HEADERS = MAX_ITEMS // 2
_MOST_SHARED = 4096
"""Characters of a header block that is worth remembering: with 1,024 of them, a bound of some 10 MB."""

_REQUIRED = 9
# What an array that ends early lacks: response, failure, links, origin, truncated, lateness_us, withheld.
_DEFAULTS: tuple[Any, ...] = (None, None, (), None, False, 0, ())
_WIDTH = _REQUIRED + len(_DEFAULTS)

_ID = re.compile(r"[a-z0-9-]{1,128}")
# The instants that a calendar can show (years 1 to 9999), and durations that a double holds exactly.
_FIRST_US, _LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
_SPAN_US = 1 << 53

_ROLES = {role.value: role for role in Role}
_FAILURES = {kind.value: kind for kind in FailureKind}
_LINKS = {kind.value: kind for kind in LinkKind}

# surrogatepass: a str that Python can hold is stored and comes back, whatever it was decoded from.
_PACKER = msgpack.Packer(autoreset=True, use_bin_type=True, unicode_errors="surrogatepass")
_LIMITS: dict[str, Any] = {
    "use_list": False,
    "raw": False,
    "strict_map_key": True,
    "unicode_errors": "surrogatepass",
    "max_map_len": 0,
    "max_ext_len": 0,
    "max_array_len": MAX_ITEMS,
}


class BadRecord(ValueError):
    """Bytes or objects that are no exchange; says why in a few words."""


def pack_exchange(exchange: Exchange) -> bytes:
    """The record of one exchange. `BadRecord` where it is over a bound or its id, seq, status or start is not fit."""
    response = exchange.response
    request_body = exchange.request.body
    response_body = response.body if response else b""
    _fit(exchange)
    try:
        head = _PACKER.pack(_record(exchange, len(request_body), len(response_body)))
    except (ValueError, OverflowError, TypeError) as error:
        raise BadRecord(f"holds what no record can: {type(error).__name__}") from error
    tail_length = len(request_body) + len(response_body)
    if len(head) > MAX_HEAD or tail_length > MAX_TAIL:
        raise BadRecord("head or bodies are over the limit")
    return b"".join((PREFIX.pack(len(head), tail_length), head, request_body, response_body))


def unpack_exchange(raw: bytes) -> Exchange:
    """The exchange of one record, or `BadRecord`."""
    head, tail, end = record_bounds(raw, 0)
    if end != len(raw):
        raise BadRecord("bytes after the record")
    return decode_record(raw, head, tail, end)


def record_bounds(buffer: bytes, at: int) -> tuple[int, int, int]:
    """Where head and tail of the record at `at` begin and where the record ends; `BadRecord` if it breaks off."""
    if at + PREFIX.size > len(buffer):
        raise BadRecord("record breaks off")
    head_length, tail_length = PREFIX.unpack_from(buffer, at)
    head = at + PREFIX.size
    tail = head + head_length
    end: int = tail + tail_length
    if head_length > MAX_HEAD or tail_length > MAX_TAIL or end > len(buffer):
        raise BadRecord("record longer than its block or its limit")
    return head, tail, end


def decode_record(buffer: bytes, head: int, tail: int, end: int) -> Exchange:
    """The exchange whose head and tail stand at these places of `buffer`, or `BadRecord`."""
    return from_record(unpack_head(buffer[head:tail]), buffer[tail:end])


def decode_ask(buffer: bytes, head: int, tail: int, end: int) -> Ask:
    """The same without the answer, which is not looked at but for its status."""
    try:
        return _ask(_whole(unpack_head(buffer[head:tail])), buffer[tail:end])
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise _malformed(error) from error


def pack_head(value: object) -> bytes:
    """msgpack of arrays, text, bytes and numbers, the way every part of a capture but the manifest is stored."""
    packed: bytes = _PACKER.pack(value)
    return packed


def unpack_head(raw: bytes) -> object:
    """The one bounded msgpack value in `raw` (arrays come as tuples, maps are refused), or `BadRecord`."""
    try:
        value: object = msgpack.unpackb(raw, **_LIMITS)
    except (ValueError, OverflowError, msgpack.UnpackException) as error:
        raise BadRecord(f"not a msgpack value: {error}") from error
    return value


def to_record(exchange: Exchange) -> list[Any]:
    """The positional array of an exchange, its bodies inside."""
    response = exchange.response
    return _record(exchange, exchange.request.body, response.body if response else b"")


def _record(e: Exchange, request_body: bytes | int, response_body: bytes | int) -> list[Any]:
    request, response, failure = e.request, e.response, e.failure
    return [
        e.id,
        e.seq,
        e.role,
        e.protocol,
        e.service,
        e.session,
        e.started_us,
        e.latency_us,
        _request_record(request, request_body),
        None
        if response is None
        else (response.status, flat(response.headers), response_body, response.reason, response.version),
        None if failure is None else (failure.kind, failure.detail),
        [(link.parent, link.how, link.confidence) for link in e.links] if e.links else (),
        e.origin,
        e.truncated,
        e.lateness_us,
        [(part.part, part.size, part.digest, part.why) for part in e.withheld] if e.withheld else (),
    ]


def _request_record(request: Request, body: bytes | int) -> tuple[Any, ...]:
    record = (request.method, request.target, flat(request.headers), body, request.version)
    if request.operation or request.arguments:
        return (*record, request.operation, request.arguments)
    return record


def flat(headers: Headers) -> list[str]:
    """Names and values in turn: an array less for each header than pairs, and faster both ways."""
    return list(chain.from_iterable(headers.items))


def _fit(e: Exchange) -> None:
    """Refuse at the writer what every reader would refuse."""
    if not _ID.fullmatch(e.id) or (e.origin is not None and not _ID.fullmatch(e.origin)):
        raise BadRecord("an id is not of [a-z0-9-]{1,128}")
    if not (0 <= e.seq < _SPAN_US and _FIRST_US <= e.started_us <= _LAST_US):
        raise BadRecord("seq or start out of range")
    if abs(e.latency_us) > _SPAN_US or abs(e.lateness_us) > _SPAN_US:
        raise BadRecord("latency or lateness out of range")
    if e.response is not None and not 0 <= e.response.status <= 999:
        raise BadRecord("status out of range")
    if len(e.request.headers) > MAX_HEADERS or (e.response is not None and len(e.response.headers) > MAX_HEADERS):
        raise BadRecord(f"more than {MAX_HEADERS} headers")
    if e.links or e.withheld:
        _fit_extras(e)


def _fit_extras(e: Exchange) -> None:
    if len(e.links) > MAX_ITEMS or len(e.withheld) > MAX_ITEMS:
        raise BadRecord("more links or withheld parts than a record holds")
    for link in e.links:
        # Ids reach file names, HTML and shell commands: nothing else may come through here.
        if not _ID.fullmatch(link.parent):
            raise BadRecord("a link's parent is not of [a-z0-9-]{1,128}")
        if not 0 <= link.confidence <= 1:
            raise BadRecord("a link's confidence is not in 0..1")


def from_record(record: object, tail: bytes = b"") -> Exchange:
    """The exchange of a positional array, or `BadRecord`. A body is bytes, or an int: so many bytes of `tail`."""
    try:
        return _exchange(_whole(record), tail)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise _malformed(error) from error


def _malformed(error: Exception) -> BadRecord:
    """Wrong types show themselves where they are used: unpacking, comparing, looking up."""
    return error if isinstance(error, BadRecord) else BadRecord(f"malformed exchange: {error}")


def _whole(record: object) -> Sequence[Any]:
    """The array with what a shorter one lacks, and without what a longer one adds."""
    if not isinstance(record, (tuple, list)) or len(record) < _REQUIRED:
        _bad("not an exchange's array")
    width = len(record)
    if width == _WIDTH:
        return record
    return (*record, *_DEFAULTS[width - _REQUIRED :]) if width < _WIDTH else record[:_WIDTH]


def _ask(record: Sequence[Any], tail: bytes) -> Ask:
    id_, seq, role, protocol, service, session, started, _, ask, answer, _, links, _, cut, _, kept = record
    request, _ = _request(ask, tail)
    status = answer[0] if answer is not None else None
    _texts(protocol, service, session)
    if type(seq) is not int or type(started) is not int or type(cut) is not bool:
        _bad("malformed exchange")
    if status is not None and type(status) is not int:
        _bad("status is not a number")
    if not (_ID.fullmatch(id_) and 0 <= seq < _SPAN_US and _FIRST_US <= started <= _LAST_US):
        _bad("id, seq or start out of range")
    withheld = tuple(map(_withheld, kept)) if kept else ()
    causes = tuple(map(_link, links)) if links else ()
    return Ask(id_, seq, _ROLES[role], protocol, service, session, started, request, status, cut, withheld, causes)


def _exchange(record: Sequence[Any], tail: bytes) -> Exchange:
    (
        id_,
        seq,
        role,
        protocol,
        service,
        session,
        started,
        latency,
        ask,
        answer,
        failed,
        links,
        origin,
        cut,
        late,
        kept,
    ) = record
    request, used = _request(ask, tail)
    response = None
    if answer is not None:
        response, used = _response(answer, tail, used)
    if used != len(tail):
        _bad("bodies do not fill the record's tail")
    _texts(protocol, service, session)
    _integers(seq, started, latency, late)
    if type(cut) is not bool:
        _bad("truncated is not a flag")
    exchange = Exchange(
        id_,
        seq,
        _ROLES[role],
        protocol,
        service,
        session,
        started,
        latency,
        request,
        response,
        _failure(failed) if failed is not None else None,
        tuple(map(_link, links)) if links else (),
        origin,
        cut,
        late,
        tuple(map(_withheld, kept)) if kept else (),
    )
    _fit(exchange)
    return exchange


def _request(record: Sequence[Any], tail: bytes) -> tuple[Request, int]:
    method, target, headers, body, version = record if len(record) == 5 else record[:5]
    operation, arguments = record[5:7] if len(record) > 6 else ("", "")
    _texts(method, target, version, operation, arguments)
    if type(body) is int:
        body, used = _body(body, tail, 0)
    else:
        used = _inline(body)
    return Request(method, target, _headers(headers), body, version, operation, arguments), used


def _response(record: Sequence[Any], tail: bytes, used: int) -> tuple[Response, int]:
    status, headers, body, reason, version = record if len(record) == 5 else record[:5]
    _texts(reason, version)
    if type(status) is not int:
        _bad("status is not a number")
    if type(body) is int:
        body, used = _body(body, tail, used)
    else:
        used += _inline(body)
    return Response(status, _headers(headers), body, reason, version), used


def _body(length: int, tail: bytes, used: int) -> tuple[bytes, int]:
    if not 0 <= length <= len(tail) - used:
        _bad("body longer than the record's tail")
    return tail[used : used + length], used + length


def _inline(body: object) -> int:
    if type(body) is not bytes:
        _bad("body is neither bytes nor a length")
    return 0


def _headers(items: Sequence[str]) -> Headers:
    if type(items) is not tuple and type(items) is not list:
        _bad("headers are not an array")
    size = len("".join(items))
    if len(items) % 2:
        _bad("a header without a value")
    if size > _MOST_SHARED or type(items) is not tuple:
        return _pairs(items)
    return _shared(items)


def _pairs(items: Sequence[str]) -> Headers:
    turn = iter(items)
    return Headers.of_pairs(tuple(zip(turn, turn, strict=False)))


@lru_cache(maxsize=1024)
def _shared(items: tuple[str, ...]) -> Headers:
    """The same block of headers comes again and again: one object for all of them, which is cheaper to look up in
    whatever remembers what it made of it."""
    return _pairs(items)


def _failure(record: Sequence[Any]) -> Failure:
    kind, detail = record[:2]
    _texts(detail)
    return Failure(_FAILURES[kind], detail)


def _link(record: Sequence[Any]) -> Link:
    parent, how, confidence = record[:3]
    _texts(parent)
    return Link(parent, _LINKS[how], float(confidence))


def _withheld(record: Sequence[Any]) -> Withheld:
    part, size, digest, why = record[:4]
    _texts(part, digest, why)
    _integers(size)
    return Withheld(part, size, digest, why)


def _texts(*values: str) -> None:
    # join refuses whatever is not text, and is the fastest check of many values there is.
    "".join(values)


def _integers(*values: object) -> None:
    for value in values:
        if type(value) is not int:
            _bad("a whole number expected")


def _bad(reason: str) -> NoReturn:
    raise BadRecord(reason)
