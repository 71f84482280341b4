"""NATS on one connection: bytes in, calls out. What a call looks like stands in docs/format.md.

Three rules hold here. What a client publishes with a reply subject it listens on is a request, answered by the message
that comes there. What it is sent with a reply subject is answered by what it publishes there; a JetStream message by
its acknowledgement. CONNECT and INFO hold credentials and are no calls at all.
"""

from collections.abc import Iterator

import orjson

from ..headers import Headers
from ..model import FailureKind, Role
from .call import ERROR, OK, Call, CallEvents
from .nats_frames import Frame, FrameReader, Malformed, parse_headers

MOST_OPEN = 10_000
"""Requests, or messages, of one connection that may wait for their answers; the oldest are given up first."""

MOST_SUBSCRIPTIONS = 100_000
LONGEST_REQUEST_US = 60_000_000
"""After which a request counts as timed out; clients wait two to five seconds."""

LONGEST_MESSAGE_US = 600_000_000
"""After which a message is taken for one that is not acknowledged."""

LONGEST_REPLY_US = 30_000_000
"""After which a message with a reply subject is taken for one that nobody answers."""

UNACKNOWLEDGED = "unacknowledged"
_INBOX = b"_INBOX."
_ACK = b"$JS.ACK."
_FLOW_CONTROL = b"$JS.FC."
_SETUP = (("setup", "yes"),)


class NatsDecoder:
    """One connection's messages and requests as calls."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._events = events
        self._said = FrameReader()
        self._heard = FrameReader()
        self._subscriptions: dict[bytes, tuple[bytes, bytes]] = {}
        self._subjects: dict[bytes, int] = {}
        # By reply subject, oldest first.
        self._requests: dict[bytes, Call] = {}
        self._pulls: dict[bytes, Call] = {}
        self._replies: dict[bytes, Call] = {}
        self._messages: dict[bytes, Call] = {}
        self._silent = False

    @property
    def in_flight(self) -> bool:
        """Whether a request or a message is not answered yet."""
        return bool(self._requests or self._pulls or self._replies or self._messages)

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        self._feed(self._said, data, at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        self._feed(self._heard, data, at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone."""
        self._silent = True
        for calls in (self._requests, self._pulls, self._replies, self._messages):
            for call in calls.values():
                call.fail(kind, detail, at_us)
                self._events.ended(call)
            calls.clear()

    def _feed(self, reader: FrameReader, data: bytes, at_us: int) -> None:
        if self._silent:
            return
        frames: list[Frame] = []
        wrong = ""
        try:
            reader.feed(data, frames)
        except Malformed as error:
            wrong = str(error)
        for frame in frames:
            # Only the side that may say a verb says it: what a server sends back as PUB is nothing.
            if reader is self._said:
                self._client(frame, at_us)
            else:
                self._server(frame, at_us)
        self._expire(at_us)
        if wrong:
            self._events.gap(wrong)
            self.lost(FailureKind.PROTOCOL, "the connection could not be followed", at_us)

    # What the client says.

    def _client(self, frame: Frame, at_us: int) -> None:
        verb, words = frame.verb, frame.words
        if verb in (b"PUB", b"HPUB"):
            self._published(frame, words[1], words[2] if len(words) > 3 + (verb == b"HPUB") else b"", at_us)
        elif verb == b"SUB" and len(words) > 2:
            self._subscribe(words[1], words[2] if len(words) > 3 else b"", words[-1], at_us)
        elif verb == b"UNSUB" and len(words) > 1:
            self._unsubscribe(words[1], words[2] if len(words) > 2 else b"", at_us)

    def _published(self, frame: Frame, subject: bytes, reply: bytes, at_us: int) -> None:
        if subject.startswith(_FLOW_CONTROL):
            return
        if subject.startswith(_ACK):
            self._acknowledged(subject, frame, at_us)
        elif subject in self._replies:
            call = self._replies.pop(subject)
            headers, _ = _split(frame)
            _answer(call, OK, at_us, frame, headers)
            self._events.ended(call)
        else:
            self._ask(frame, subject, reply, at_us)

    def _ask(self, frame: Frame, subject: bytes, reply: bytes, at_us: int) -> None:
        api = api_of(subject)
        call = Call(at_us, "PUBLISH", _text(subject), "publish")
        headers, _ = _split(frame)
        is_pull = False
        if api is not None:
            call.method = "REQUEST"
            call.operation, call.target = api
            is_pull = call.operation == "js.api.consumer.msg.next"
            headers = Headers((*headers.items, ("content-type", "application/json"), *(_SETUP if is_pull else ())))
        call.headers = headers
        call.arguments = '{"reply":true}' if reply and api is None else "{}"
        _fill(call, frame)
        self._events.begun(call)
        if reply and self._listens_on(reply):
            self._wait(self._pulls if is_pull else self._requests, reply, call)
        else:
            self._unanswered(call, at_us)

    def _acknowledged(self, subject: bytes, frame: Frame, at_us: int) -> None:
        """A JetStream message is done with, or (+WPI) still worked on."""
        word = frame.payload[:5].split(b" ")[0].upper()
        if word == b"+WPI":
            return
        call = self._messages.pop(subject, None)
        if call is None:
            return
        call.reason = {b"-NAK": "nack", b"+TERM": "term"}.get(word, "")
        call.answer(ERROR if call.reason else OK, at_us)
        self._events.ended(call)

    def _subscribe(self, subject: bytes, queue: bytes, sid: bytes, at_us: int) -> None:
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            self._events.gap("more subscriptions than are kept")
            self.lost(FailureKind.PROTOCOL, "the connection could not be followed", at_us)
            return
        self._forget(sid)
        self._subscriptions[sid] = (subject, queue)
        self._subjects[subject] = self._subjects.get(subject, 0) + 1
        # Inboxes are named at random, for answers to this client alone.
        if not subject.startswith(_INBOX):
            arguments = {"queue": _text(queue)} if queue else {}
            self._at_once("SUBSCRIBE", subject, orjson.dumps(arguments).decode(), at_us)

    def _unsubscribe(self, sid: bytes, most: bytes, at_us: int) -> None:
        subject, _ = self._subscriptions.get(sid, (_INBOX, b""))
        if not subject.startswith(_INBOX):
            arguments = {"after": int(most)} if most.isdigit() and len(most) < 19 else {}
            self._at_once("UNSUBSCRIBE", subject, orjson.dumps(arguments).decode(), at_us)
        if not most:
            self._forget(sid)

    def _forget(self, sid: bytes) -> None:
        subject, _ = self._subscriptions.pop(sid, (b"", b""))
        left = self._subjects.get(subject, 0) - 1
        if left > 0:
            self._subjects[subject] = left
        else:
            self._subjects.pop(subject, None)

    def _at_once(self, method: str, subject: bytes, arguments: str, at_us: int) -> None:
        call = Call(at_us, method, _text(subject), method.lower())
        call.arguments = arguments
        self._events.begun(call)
        self._unanswered(call, at_us)

    def _listens_on(self, subject: bytes) -> bool:
        return any(pattern in self._subjects for pattern in _patterns(subject))

    # What the server says.

    def _server(self, frame: Frame, at_us: int) -> None:
        verb, words = frame.verb, frame.words
        headed = verb == b"HMSG"
        if verb == b"MSG" or headed:
            if len(words) > 3 + headed:
                self._delivered(frame, words[1], words[2], words[3] if len(words) > 4 + headed else b"", at_us)
        elif verb == b"-ERR":
            call = Call(at_us, "ERROR", operation="error")
            call.arguments = "{}"
            self._events.begun(call)
            call.reason = b" ".join(words[1:]).decode("utf-8", "replace").strip("'")[:200]
            call.answer(ERROR, at_us)
            self._events.ended(call)

    def _delivered(self, frame: Frame, subject: bytes, sid: bytes, reply: bytes, at_us: int) -> None:
        headers, status = _split(frame)
        asked = self._requests.pop(subject, None) or self._pulls.pop(subject, None)
        if asked is not None:
            self._answered(asked, frame, headers, status, at_us)
            return
        listened, queue = self._subscriptions.get(sid, (b"", b""))
        self._end_pull(listened, at_us)
        if subject.startswith(_INBOX) or status:
            return  # a late answer, or a pull's end after its messages
        self._consumed(frame, subject, reply, (listened, queue), headers, at_us)

    def _answered(self, call: Call, frame: Frame, headers: Headers, status: str, at_us: int) -> None:
        outcome = OK
        if status and call.operation == "js.api.consumer.msg.next":
            call.reason = status
        elif status:
            outcome, call.reason = ERROR, status
        else:
            code = _error_code(frame.payload) if call.operation != "publish" or _is_ack(frame.payload) else ""
            if code:
                outcome, call.reason = ERROR, code
        if call.method == "REQUEST" or _is_ack(frame.payload):
            headers = Headers((*headers.items, ("content-type", "application/json")))
        _answer(call, outcome, at_us, frame, headers)
        self._events.ended(call)

    def _end_pull(self, listened: bytes, at_us: int) -> None:
        """A pull is answered by the first message that comes on its inbox."""
        if not self._pulls or not listened.startswith(_INBOX):
            return
        for inbox in self._pulls:
            if listened in _patterns(inbox):
                call = self._pulls.pop(inbox)
                call.answer(OK, at_us)
                self._events.ended(call)
                return

    def _consumed(
        self, frame: Frame, subject: bytes, reply: bytes, heard: tuple[bytes, bytes], headers: Headers, at_us: int
    ) -> None:
        call = Call(at_us, "CONSUME", _text(subject), "consume")
        call.role = Role.INBOUND
        call.headers = headers
        listened, queue = heard
        arguments: dict[str, object] = {}
        if listened and listened != subject and not listened.startswith(_INBOX):
            arguments["subscription"] = _text(listened)
        if queue:
            arguments["queue"] = _text(queue)
        arguments.update(acked_by(reply))
        if reply and not reply.startswith(_ACK):
            arguments["reply"] = True
        call.arguments = orjson.dumps(arguments).decode()
        _fill(call, frame)
        self._events.begun(call)
        if reply:
            self._wait(self._messages if reply.startswith(_ACK) else self._replies, reply, call)
        else:
            self._unanswered(call, at_us)

    def _wait(self, calls: dict[bytes, Call], subject: bytes, call: Call) -> None:
        """Let a call wait for what comes on `subject`; one that waits there already is not answered any more."""
        before = calls.pop(subject, None)
        if before is not None:
            self._unanswered(before, call.started_us)
        calls[subject] = call

    def _unanswered(self, call: Call, at_us: int) -> None:
        call.reason = UNACKNOWLEDGED
        call.answer(OK, at_us)
        self._events.ended(call)

    # What is never answered.

    def _expire(self, at_us: int) -> None:
        for calls, longest in (
            (self._requests, LONGEST_REQUEST_US),
            (self._pulls, LONGEST_REQUEST_US),
            (self._replies, LONGEST_REPLY_US),
            (self._messages, LONGEST_MESSAGE_US),
        ):
            while calls:
                subject, call = next(iter(calls.items()))
                if len(calls) <= MOST_OPEN and call.started_us + longest > at_us:
                    break
                del calls[subject]
                if calls is self._requests:
                    call.fail(FailureKind.TIMEOUT, "no answer came", at_us)
                    self._events.ended(call)
                else:
                    self._unanswered(call, at_us)


def api_of(subject: bytes) -> tuple[str, str] | None:
    """A JetStream API subject as an operation and what it is asked of: `$JS.API.STREAM.INFO.ORDERS` is
    ("js.api.stream.info", "ORDERS"). None for any other subject."""
    if not subject.startswith(b"$JS."):
        return None
    words = _text(subject).split(".")
    if "API" not in words[1:3]:
        return None
    words = words[words.index("API") + 1 :]
    verbs = 0
    while verbs < min(len(words), 3) and words[verbs] in _VERBS and not (verbs == 2 and words[1] not in _LONG):
        verbs += 1
    return ".".join(["js.api", *(word.lower() for word in words[:verbs])]), ".".join(words[verbs:])


def acked_by(reply: bytes) -> dict[str, object]:
    """Stream, consumer and sequence out of a JetStream message's reply subject (NATS ADR-15: nine words, or eleven and
    more with a domain and an account before them); nothing for any other subject."""
    if not reply.startswith(_ACK):
        return {}
    words = _text(reply).split(".")[2:]
    if len(words) >= 9:
        words = words[2:]
    if len(words) < 7 or not all(word.isdigit() and len(word) < 19 for word in words[2:4]):
        return {}
    found: dict[str, object] = {"stream": words[0], "consumer": words[1], "sequence": int(words[3])}
    if words[2] != "1":
        found["delivery"] = int(words[2])
    return found


def _patterns(subject: bytes) -> Iterator[bytes]:
    """The subscriptions that an inbox is usually listened to by: itself, its last word any, or all below a prefix."""
    yield subject
    head, dot, _ = subject.rpartition(b".")
    if dot:
        yield head + b".*"
    while dot:
        yield head + b".>"
        head, dot, _ = head.rpartition(b".")


def _split(frame: Frame) -> tuple[Headers, str]:
    return parse_headers(frame.payload[: frame.headers]) if frame.headers else (Headers(), "")


def _fill(call: Call, frame: Frame) -> None:
    call.body = frame.payload[frame.headers :]
    if frame.digest:
        call.truncated = True
        call.headers = Headers((*call.headers.items, ("size", str(frame.size)), ("hash", frame.digest)))


def _answer(call: Call, status: int, at_us: int, frame: Frame, headers: Headers) -> None:
    if frame.digest:
        call.truncated = True
        headers = Headers((*headers.items, ("size", str(frame.size)), ("hash", frame.digest)))
    call.answer(status, at_us, frame.payload[frame.headers :], headers)


def _is_ack(payload: bytes) -> bool:
    """Whether a payload is JetStream's answer to a publish: {"stream": …, "seq": …} or {"error": …}."""
    return payload.startswith((b'{"stream":', b'{"error":{"code"', b'{"type":"io.nats.jetstream')) and payload.endswith(
        b"}"
    )


def _error_code(payload: bytes) -> str:
    """The code of a JetStream API error, "" where there is none."""
    if b'"error"' not in payload:
        return ""
    try:
        error = orjson.loads(payload).get("error")
        return str(error.get("err_code", error.get("code"))) if isinstance(error, dict) else ""
    except (orjson.JSONDecodeError, AttributeError):
        return ""


def _text(subject: bytes) -> str:
    return subject.decode("utf-8", "backslashreplace")


_LONG = frozenset({"MSG", "DURABLE", "LEADER", "PEER"})
_VERB_WORDS = (
    "ACCOUNT STREAM CONSUMER DIRECT META INFO CREATE UPDATE NAMES LIST DELETE PURGE SNAPSHOT RESTORE MSG GET NEXT "
    "DURABLE PEER REMOVE LEADER STEPDOWN PAUSE UNPIN TEMPLATE SERVER"
)
_VERBS = frozenset(_VERB_WORDS.split())
