"""Whole messages: chunks of bytes that hold exactly one message, and the exchange that two of them are. PURE.

Two rules hold here. What a message is, only the parser says: a whole one is told from the rest by the same httptools
that takes the rest apart. What looks in any way unusual is left to `Http1Connection`, whose word counts everywhere.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httptools

from ..headers import Headers
from ..model import Exchange, Link, LinkKind, Request, Response, Role
from ..sessions import SessionNames
from .heads import split_request, split_response
from .http1 import Http1Connection

LARGEST_WHOLE = 64 << 10
"""Bytes of a chunk that is kept as it came. No budget counts it: a connection keeps at most one."""

RawLink = tuple[str, str, float]
"""parent, how, confidence."""

Whole = tuple[int, str, int, int, bytes, bytes, tuple[RawLink, ...]]
"""seq, connection, start and end (µs), the request's bytes, the answer's bytes, links."""

WholeBatch = tuple[str, str, bool, list[Whole]]
"""The prefix of the ids ("prefix-seq"), the service, whether they are inbound, the exchanges."""

_HEAD_END = b"\r\n\r\n"
# Not HEAD, whose answer has no body whatever it says, and not CONNECT, which ends HTTP.
_METHODS = frozenset({b"GET ", b"POST", b"PUT ", b"PATC", b"DELE", b"OPTI"})
# What stands in for the other half where one half of an exchange has to be parsed: neither changes how.
_SOME_REQUEST = b"GET / HTTP/1.1\r\n\r\n"
_SOME_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_MOST_REMEMBERED = 1024
_LARGEST_REMEMBERED = 16 << 10


class WholeMessages:
    """Tells whole messages from other chunks, for any number of connections.

    A whole message leaves a parser where it found it, between two messages: so one parser a direction serves them all.
    """

    __slots__ = ("_answers", "_largest", "_requests")

    def __init__(self, body_cap: int) -> None:
        self._largest = min(LARGEST_WHOLE, body_cap)
        self._requests = _Counter(httptools.HttpRequestParser)
        self._answers = _Counter(httptools.HttpResponseParser)

    def is_request(self, data: bytes) -> bool:
        """Whether `data` is one request, after which the connection can be used again."""
        return data[:4] in _METHODS and len(data) <= self._largest and self._requests.is_one_message(data)

    def is_answer(self, data: bytes) -> bool:
        """Whether `data` is the one final answer to such a request, after which the connection can be used again."""
        return (
            data[:9] == b"HTTP/1.1 "
            and data[9:10] != b"1"
            and len(data) <= self._largest
            and self._answers.is_one_message(data)
        )


class _Counter:
    """A parser that does nothing but count the messages in a chunk."""

    __slots__ = ("_begun", "_ended", "_feed", "_make", "_parser", "_reusable")

    def __init__(self, make: Callable[["_Counter"], Any]) -> None:
        self._make = make
        self._begun = 0
        self._ended = 0
        self._reusable = False
        self._parser = make(self)
        self._feed: Callable[[bytes], None] = self._parser.feed_data

    def is_one_message(self, data: bytes) -> bool:
        self._begun = self._ended = 0
        try:
            self._feed(data)
            is_one = self._begun == self._ended == 1 and self._reusable
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            is_one = False
        if not is_one:
            # It stands somewhere in the middle now.
            self._parser = self._make(self)
            self._feed = self._parser.feed_data
        return is_one

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_message_complete(self) -> None:
        self._ended += 1
        # Asked here, as the parser forgets the head when the message is over.
        self._reusable = self._parser.should_keep_alive()


class WholeDecoder:
    """Makes exchanges of whole messages. Equal messages come back as one object, for as long as it is remembered:
    whoever cleans and packs them needs to do it but once."""

    __slots__ = ("_answers", "_requests", "_sessions")

    def __init__(self, sessions: SessionNames) -> None:
        self._sessions = sessions
        self._requests: dict[bytes, tuple[Request, str]] = {}
        self._answers: dict[bytes, Response] = {}

    def exchanges(self, batch: WholeBatch) -> Iterator[Exchange | None]:
        """The exchanges of a batch, in order; None for one that cannot be understood after all."""
        prefix, service, inbound, wholes = batch
        role = Role.INBOUND if inbound else Role.OUTBOUND
        for seq, connection, started_us, ended_us, asked, answered, links in wholes:
            known = self._requests.get(asked) or _remember(self._requests, asked, self._request(asked))
            response = self._answers.get(answered) or _remember(self._answers, answered, _response(answered))
            if known is None or response is None:
                yield None
                continue
            request, session = known
            # Positional: keywords double what this costs.
            yield Exchange(
                f"{prefix}-{seq}",
                seq,
                role,
                "http",
                service,
                session or connection,
                started_us,
                ended_us - started_us,
                request,
                response,
                None,
                tuple([Link(parent, LinkKind(how), confidence) for parent, how, confidence in links]) if links else (),
            )

    def _request(self, raw: bytes) -> tuple[Request, str] | None:
        """The request, and its session, "" where it has no credential."""
        request = _request(raw)
        return None if request is None else (request, self._sessions.of(request.headers, ""))


def _remember[T](known: dict[bytes, T], raw: bytes, made: T | None) -> T | None:
    if made is not None and len(raw) <= _LARGEST_REMEMBERED:
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        known[raw] = made
    return made


def _request(raw: bytes) -> Request | None:
    head, end, body = raw.partition(_HEAD_END)
    method, target, version, headers = split_request(head)
    if end and _is_plain(headers, body):
        return Request(method, target, headers, body, version)
    exchange = _parsed(raw, _SOME_ANSWER)
    return None if exchange is None else exchange.request


def _response(raw: bytes) -> Response | None:
    head, end, body = raw.partition(_HEAD_END)
    version, reason, headers = split_response(head)
    if end and _is_plain(headers, body) and head[9:12].isdigit():
        return Response(int(head[9:12]), headers, body, reason, version)
    exchange = _parsed(_SOME_REQUEST, raw)
    return None if exchange is None else exchange.response


def _is_plain(headers: Headers, body: bytes) -> bool:
    """Whether all that follows the head is the body, and that by nothing but its length."""
    return (headers.get("content-length") or "0") == str(len(body)) and "transfer-encoding" not in headers


def _parsed(asked: bytes, answered: bytes) -> Exchange | None:
    """The exchange from the parser that understands everything: chunked bodies, above all."""
    done: list[Exchange] = []
    connection = Http1Connection(
        _ignore, lambda turn: done.append(turn.exchange(Role.INBOUND, "")), _ignore, body_cap=LARGEST_WHOLE
    )
    connection.feed_client(asked, 0)
    connection.feed_server(answered, 0)
    return done[0] if len(done) == 1 else None


def _ignore(_: object) -> None:
    """Nobody wants to know."""
