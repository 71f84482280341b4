"""The decoder of one Kafka connection: requests and responses by their correlation ids.

Three rules hold here. What stands in a SASL exchange is never looked at. A record is a call: PUBLISH, which the
response to its Produce answers, or CONSUME, which a commit ends. What is out of step is one `gap`, and then silence
for the connection.

Metadata, coordination and heartbeats are nothing. A batch that cannot be unpacked is a gap, without silence.
"""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import orjson

from ...headers import Headers
from ...model import FailureKind, Role
from ..call import BODY_CAP, ERROR, OK, Call, CallEvents
from .addresses import brokers_of
from .apis import FETCH, HIGHEST, JOIN_GROUP, METADATA, OFFSET_COMMIT, PRODUCE, SASL_HANDSHAKE
from .bodies import Place, commit_errors, committed, fetch_offsets, fetched, produce_answers, produced
from .codings import Unread
from .consumed import UNACKNOWLEDGED, Consumed
from .frames import Asked, Frame, Framer, Malformed, Reader, parse_request
from .records import Record, records

MOST_WAITING = 10_000
"""Requests that may wait for their responses at a time."""

MOST_PLACES = 100_000
"""Partitions that one connection may fetch from."""

_JSON = Headers((("content-type", "application/json"),))
_UNREAD = "a Kafka batch that could not be unpacked"


class _Waiting:
    """A request that waits for its response."""

    __slots__ = ("asked", "batches", "commit", "group_call")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.batches: list[tuple[Place, list[Call]]] = []
        self.commit: dict[Place, int] = {}
        self.group_call: Call | None = None


class KafkaDecoder:
    """Bytes of one connection in, calls out."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._events = events
        self._connection = connection
        self._client, self._server = Framer(), Framer()
        self._waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self._wanted: dict[Place, int] = {}
        self._consumed = Consumed.of(events)
        self._open = 0
        self._is_silent = False

    @property
    def in_flight(self) -> bool:
        """Whether a message is not confirmed yet. What was delivered and is not committed does not count: it may
        never be."""
        return self._open > 0

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        self._follow(self._client, data, self._asked, "client bytes that are not Kafka's", at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        self._follow(self._server, data, self._told, "server bytes that are not Kafka's", at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: open calls fail with `kind`."""
        self._is_silent = True
        for waiting in self._waiting.values():
            calls = [call for _, batch in waiting.batches for call in batch]
            for call in (*calls, *([waiting.group_call] if waiting.group_call else [])):
                call.fail(kind, detail, at_us)
                self._ended(call)
        self._waiting.clear()
        self._consumed.lose(self._events, kind, detail, at_us)

    def _follow(self, framer: Framer, data: bytes, take: Callable[[Frame, int], None], wrong: str, at_us: int) -> None:
        if self._is_silent:
            return
        try:
            for frame in framer.feed(data):
                take(frame, at_us)
                if self._is_over():
                    return
        except Malformed:
            self._fall_silent(wrong, at_us)

    def _is_over(self) -> bool:
        return self._is_silent

    def _fall_silent(self, reason: str, at_us: int) -> None:
        self._events.gap(reason)
        self.lost(FailureKind.PROTOCOL, reason, at_us)

    def _begun(self, call: Call) -> Call:
        self._open += 1
        self._events.begun(call)
        return call

    def _ended(self, call: Call) -> None:
        self._open -= 1
        self._events.ended(call)

    # What the client says.

    def _asked(self, frame: Frame, at_us: int) -> None:
        asked = parse_request(frame.body)
        if asked.api == SASL_HANDSHAKE and not asked.version:
            self._fall_silent("a Kafka connection whose credentials stand in no frames of requests", at_us)
            return
        if asked.api in _READ and asked.version > HIGHEST.get(asked.api, asked.version):
            self._fall_silent("a Kafka request of a version that is not read", at_us)
            return
        if len(self._waiting) >= MOST_WAITING or asked.correlation in self._waiting:
            raise Malformed
        waiting = _Waiting(asked)
        reader = Reader(frame.body, asked.at)
        is_answered = True
        if len(frame.body) < frame.size:
            self._events.gap("a Kafka request that is too large to be read")
            is_answered = asked.api != PRODUCE or _acks(reader, asked.version) != 0
        elif asked.api == PRODUCE:
            is_answered = self._produce(waiting, reader, at_us)
        elif asked.api == FETCH:
            self._want(fetch_offsets(reader, asked.version))
            self._consumed.supersede(self._events, at_us)
        elif asked.api == OFFSET_COMMIT:
            self._commit(waiting, reader, at_us)
        elif asked.api == JOIN_GROUP:
            self._consumed.has_group = True
        if is_answered:
            self._waiting[asked.correlation] = waiting

    def _want(self, offsets: dict[Place, int]) -> None:
        """From where on partitions are wanted; a session names only those that have changed."""
        if len(self._wanted) > MOST_PLACES:
            self._wanted.clear()
        self._wanted.update(offsets)

    def _produce(self, waiting: _Waiting, reader: Reader, at_us: int) -> bool:
        acks, batches = produced(reader, waiting.asked.version)
        # All of it is read before any of it is told.
        for place, found in [(place, self._records(batch)) for place, batch in batches]:
            calls = []
            for record in found:
                call = _call(record, place, "PUBLISH", at_us)
                calls.append(self._begun(call))
                if not acks:
                    call.answer(OK, at_us)
                    call.reason = UNACKNOWLEDGED
                    self._ended(call)
            if acks:
                waiting.batches.append((place, calls))
        return acks != 0

    def _records(self, batch: bytes) -> list[Record]:
        try:
            return list(records(batch))
        except Unread:
            self._events.gap(_UNREAD)
            return []

    def _commit(self, waiting: _Waiting, reader: Reader, at_us: int) -> None:
        group, waiting.commit = committed(reader, waiting.asked.version)
        self._consumed.has_group = True
        call = Call(at_us, "COMMIT", group, "commit offsets")
        offsets: dict[str, dict[str, int]] = {}
        for (topic, partition), offset in waiting.commit.items():
            offsets.setdefault(topic, {})[str(partition)] = offset
        call.arguments = orjson.dumps({"group": group, "offsets": offsets}).decode()
        # When a consumer commits depends on its timer.
        call.headers = Headers((("setup", "yes"),))
        waiting.group_call = self._begun(call)

    # What the server says.

    def _told(self, frame: Frame, at_us: int) -> None:
        waiting = self._waiting.pop(Reader(frame.body).i32(), None)
        if waiting is None:
            raise Malformed
        asked = waiting.asked
        if asked.api not in _READ:
            return
        if len(frame.body) < frame.size:
            self._events.gap("a Kafka response that is too large to be read")
            self._unread(waiting, at_us)
            return
        reader = Reader(frame.body, 4)
        if asked.api == PRODUCE:
            self._produced(waiting, reader, at_us)
        elif asked.api == FETCH:
            self._deliver(reader, asked.version, at_us)
        elif asked.api == OFFSET_COMMIT:
            self._committed(waiting, reader, at_us)
        elif len(brokers_of(frame.body, asked.version)) > 1:
            self._events.gap("several Kafka brokers are advertised: clients go past the tap")

    def _unread(self, waiting: _Waiting, at_us: int) -> None:
        for call in [call for _, batch in waiting.batches for call in batch]:
            call.fail(FailureKind.TRUNCATED, "the response was too large to be read", at_us)
            self._ended(call)
        if waiting.group_call is not None:
            waiting.group_call.fail(FailureKind.TRUNCATED, "the response was too large to be read", at_us)
            self._ended(waiting.group_call)

    def _produced(self, waiting: _Waiting, reader: Reader, at_us: int) -> None:
        try:
            answers = produce_answers(reader, waiting.asked.version)
        except Malformed:
            self._waiting[waiting.asked.correlation] = waiting
            raise
        for place, calls in waiting.batches:
            fault = answers.get(place)
            for index, call in enumerate(calls):
                if fault is None:
                    call.fail(FailureKind.PROTOCOL, "the broker did not answer it", at_us)
                elif fault.code:
                    call.answer(ERROR, at_us, orjson.dumps({"code": fault.code}), _JSON)
                    call.reason = f"error {fault.code}"
                else:
                    offset = fault.offset + index
                    call.answer(OK, at_us, orjson.dumps({"partition": place[1], "offset": offset}), _JSON)
                    call.reason = "ack"
                self._ended(call)

    def _deliver(self, reader: Reader, version: int, at_us: int) -> None:
        for place, batches in fetched(reader, version):
            wanted = self._wanted.get(place, 0)
            for record in self._records(batches):
                # A batch comes as a whole, also where it starts before what was asked for.
                if record.offset >= wanted:
                    call = _call(record, place, "CONSUME", at_us)
                    call.role = Role.INBOUND
                    self._consumed.begin(place, record.offset, call, self._events, at_us)

    def _committed(self, waiting: _Waiting, reader: Reader, at_us: int) -> None:
        call = waiting.group_call
        assert call is not None
        try:
            errors = commit_errors(reader, waiting.asked.version)
        except Malformed:
            self._waiting[waiting.asked.correlation] = waiting
            raise
        worst = next((code for code in errors.values() if code), 0)
        for place, offset in waiting.commit.items():
            self._consumed.commit(place, offset, errors.get(place, 0), at_us)
        call.answer(ERROR if worst else OK, at_us)
        call.reason = f"error {worst}" if worst else "commit"
        self._ended(call)


_READ = frozenset({PRODUCE, FETCH, OFFSET_COMMIT, METADATA})


def _acks(reader: Reader, version: int) -> int:
    if version >= 3:
        reader.string()
    return reader.i16()


def _text(raw: bytes | None) -> Any:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"b64": b64encode(raw).decode()}


def _call(record: Record, place: Place, method: str, at_us: int) -> Call:
    topic, partition = place
    call = Call(at_us, method, topic, method.lower())
    arguments: dict[str, Any] = {"key": _text(record.key), "partition": partition}
    if method == "CONSUME":
        arguments["offset"] = record.offset
    if record.value is None:
        # A deletion in a compacted topic, which is not the same as an empty message.
        arguments["tombstone"] = True
    call.arguments = orjson.dumps(arguments).decode()
    value = record.value or b""
    call.truncated = len(value) > BODY_CAP
    call.body = b"" if call.truncated else value
    headers = [(name, (raw or b"").decode("utf-8", "backslashreplace")) for name, raw in record.headers]
    if call.truncated:
        headers.append(("size", str(len(value))))
    call.headers = Headers(headers)
    return call
