"""Values that a cause and its calls can share: what is told apart from words that stand everywhere. PURE.

Two rules hold here. A value counts by itself if it is long and mixed enough to be no coincidence, else only where an id
stands (a path segment, a part of a key, a member called id, sku, token …). Whatever is read, the work is bounded.
Values live in memory while exchanges are under way, and are written nowhere.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from math import log2
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import orjson

from ..headers import Headers
from ..model import Request
from ..wire.call import Call
from ..wire.heads import RawHead

MOST_VALUES = 96
"""Values taken from one request or answer."""
LARGEST_BODY = 64 << 10
"""Bytes of a body that is looked into."""
_LONGEST = 200
_MOST_STEPS = 600
_ENOUGH_BITS = 16.0
_LARGE_NUMBER = 100_000
_HEAD_END = b"\r\n\r\n"

_ID_NAME = re.compile(
    r"id$|ids$|^id|uuid|guid|token|key$|ref|cursor|etag|nonce|code|sku|slug|number|email|phone|user|name$|^\$|#\d",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[:/|,.%*]")
_WORDS = re.compile(rb"[A-Za-z0-9_@.-]{6,64}")
_LOG2 = [0.0, *(log2(number) for number in range(1, _LONGEST + 2))]
_HEADERS = ("authorization", "cookie", "idempotency-key", "x-user-id", "x-tenant-id", "x-session-id", "x-api-key")


class Growing(Protocol):
    """A request whose body may still be coming: `wire.turn.Turn`."""

    request_parts: list[bytes]
    request_done: bool


def is_telling(value: str, *, is_id: bool) -> bool:
    """Whether `value` can say where it came from; `is_id` says that it stands where an id stands."""
    size = len(value)
    if size > _LONGEST or size == 0:
        return False
    return is_id or (size >= 6 and size * _LOG2[len(set(value))] >= _ENOUGH_BITS)


def strength(value: str) -> float:
    """How unlikely it is that somebody else has `value` by chance: the negative natural logarithm of that.

    Numbers count less than their digits say, as ids are dealt out in a row; words less than codes.
    """
    size = len(value)
    if value.isdigit():
        return min(1.2 * size, 8.0)
    if value.isalpha():
        return min(0.5 * size, 5.0)
    return min(1.2 * size, 9.0)


def target_values(target: str) -> Iterator[str]:
    """Values of a request target: path segments, query values."""
    found: list[str] = []
    path, _, query = target[:4096].partition("?")
    for segment in path.split("/")[:32]:
        if segment:
            _add_id(found, unquote(segment) if "%" in segment else segment)
    _add_pairs(found, query)
    yield from found


def header_values(headers: Headers | RawHead) -> Iterator[str]:
    """Values of the headers that say who asks: credentials, tenants, idempotency keys."""
    for name in _HEADERS:
        value = headers.get(name)
        if value:
            for part in re.split(r"[\s;,]+", value[:4096])[:16]:
                text = part.rpartition("=")[2] if name == "cookie" else part
                if is_telling(text, is_id=False):
                    yield text


def head_values(target: str, headers: Headers | RawHead) -> Iterator[str]:
    """Values of a request's head."""
    yield from target_values(target)
    yield from header_values(headers)


def body_values(body: bytes) -> Iterator[str]:
    """Values of a body, by what it looks like: JSON leaves, form values, words of anything else."""
    if not body or len(body) > LARGEST_BODY:
        return
    first = body[:1]
    if first in b'{["':
        try:
            yield from _leaves(orjson.loads(body))
            return
        except orjson.JSONDecodeError:
            pass
    if b"=" in body[:64] and b"\n" not in body[:64] and body[:256].isascii():
        found: list[str] = []
        _add_pairs(found, body[:8192].decode("latin-1"))
        yield from found
        return
    for word in _WORDS.findall(body[:4096])[:MOST_VALUES]:
        text = word.decode("ascii")
        if is_telling(text, is_id=False):
            yield text


def json_values(text: str) -> Iterator[str]:
    """Values of a call's `arguments`."""
    if text and len(text) <= LARGEST_BODY:
        try:
            yield from _leaves(orjson.loads(text))
        except orjson.JSONDecodeError:
            return


def request_values(request: Request) -> Iterator[str]:
    """Values of a request that is whole."""
    yield from head_values(request.target, request.headers)
    yield from body_values(request.body)


def raw_request_values(raw: bytes) -> Iterator[str]:
    """Values of an HTTP/1.1 request as it came, or of its head alone."""
    head, _, body = raw.partition(_HEAD_END)
    line = head[: head.find(b"\r\n")].split(b" ", 2)
    target = line[1].decode("latin-1") if len(line) > 1 else ""
    yield from head_values(target, RawHead(head + _HEAD_END))
    yield from body_values(body)


def raw_answer_values(raw: bytes) -> Iterator[str]:
    """Values of an HTTP/1.1 answer as it came: its body's."""
    yield from body_values(raw.partition(_HEAD_END)[2])


def pieces_values(parts: list[bytes]) -> Iterator[str]:
    """Values of a body in pieces."""
    if sum(map(len, parts)) <= LARGEST_BODY:
        yield from body_values(b"".join(parts))


class GrowingValues:
    """Values of a request whose body is still coming: each reading sees what has come by then. `head` reads those of
    its head."""

    __slots__ = ("_head", "_turn")

    def __init__(self, head: Callable[[], Iterator[str]], turn: Growing) -> None:
        self._head = head
        self._turn = turn

    @property
    def is_whole(self) -> bool:
        """Whether another reading would bring nothing new."""
        return self._turn.request_done

    def __iter__(self) -> Iterator[str]:
        yield from self._head()
        yield from pieces_values(self._turn.request_parts)


def call_values(call: Call) -> Iterator[str]:
    """Values that a call is made with."""
    if call.target:
        yield from target_values(call.target)
    yield from json_values(call.arguments)
    yield from body_values(call.body)


def answer_values(call: Call) -> Iterator[str]:
    """Values that came back. Of a SQL answer, the rows: its columns' names are the statement's, not its data."""
    body = call.response_body
    if body.startswith(b'{"columns":') and len(body) <= LARGEST_BODY:
        try:
            rows = orjson.loads(body).get("rows")
        except orjson.JSONDecodeError:
            return
        yield from _leaves(rows)
    else:
        yield from body_values(body)


@lru_cache(maxsize=4096)
def _names_id(name: str) -> bool:
    """Whether a member or column called `name` holds an id."""
    return bool(_ID_NAME.search(name))


# What follows collects into a list that is handed on: a generator for each leaf would cost more than the leaf.


def _leaves(value: Any) -> list[str]:
    """The telling leaves of decoded JSON, from the front, depth first; columns of rows are their names."""
    found: list[str] = []
    _add_leaves(found, "", value, 2)
    return found


def _add_leaves(found: list[str], name: str, value: Any, depth: int) -> None:
    stack = [(name, value)]
    steps = 0
    while stack and steps < _MOST_STEPS and len(found) < MOST_VALUES:
        name, value = stack.pop()
        steps += 1
        if isinstance(value, str):
            _add_text(found, name, value, depth)
        elif isinstance(value, dict):
            if "b64" not in value:
                stack += [(key, inner) for key, inner in reversed(list(value.items())[:_MOST_STEPS])]
        elif isinstance(value, list):
            stack += [(name or "$", inner) for inner in reversed(value[:_MOST_STEPS])]
        elif (
            isinstance(value, int)
            and not isinstance(value, bool)
            and (value >= _LARGE_NUMBER or (value >= 0 and _names_id(name[:_LONGEST])))
        ):
            found.append(str(value))


def _add_text(found: list[str], name: str, text: str, depth: int) -> None:
    if text[:1] in ("{", "["):
        # JSON within a string: a cached record, an outbox row.
        if depth and len(text) <= LARGEST_BODY:
            _add_nested(found, name, text, depth - 1)
    elif len(text) > _LONGEST:
        return
    elif name and _names_id(name[:_LONGEST]):
        _add_id(found, text)
    elif is_telling(text, is_id=False):
        found.append(text)
        if ":" in text:
            _add_pieces(found, text)


def _add_nested(found: list[str], name: str, text: str, depth: int) -> None:
    try:
        inner = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    if isinstance(inner, dict | list):
        _add_leaves(found, name, inner, depth)


def _add_id(found: list[str], text: str) -> None:
    """A value that stands where an id stands, and the pieces that it is made of: `user:17:cart` has 17."""
    if is_telling(text, is_id=True):
        found.append(text)
        _add_pieces(found, text)


def _add_pieces(found: list[str], text: str) -> None:
    if not text.isalnum() and _SEPARATORS.search(text):
        for piece in _SEPARATORS.split(text)[:16]:
            if piece and is_telling(piece, is_id=any(map(str.isdigit, piece))):
                found.append(piece)


def _add_pairs(found: list[str], query: str) -> None:
    if query:
        try:
            pairs = parse_qsl(query, max_num_fields=64)
        except ValueError:
            return
        for name, value in pairs:
            _add_text(found, name, value, 1)
