"""The gRPC stub: a server of HTTP/2 in cleartext that answers every stream from the capture.

Rules of this file: streams are answered as they are asked, independent of each other; a request is kept within the
decoder's own bounds, since its words must be the capture's; what a client's windows do not take waits.

A request that goes on and falls quiet is answered with what has come of it: its client waits for an answer before it
says more, as subscriptions and conversations do.
"""

import asyncio
import contextlib
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from ...capture.engines.listener import TapSpec
from ...capture.model import Failure, FailureKind
from ...capture.wire.grpc import MAX_KEPT, MAX_STREAMS
from ...capture.wire.header_blocks import MAX_HEADERS
from ...capture.wire.http2 import Http2Error
from ...capture.wire.http2_stream import Http2Stream, request_of
from ...capture.wire.turn import Budget
from .answers import Answered, Answers
from .grpc_answer import INTERNAL, Reset, Said, half_of, said_for_code, said_for_failure, said_for_response
from .servers import ToldServer

QUIET_S = 0.5
"""A request that goes on is answered once nothing more has come for so long."""
_WINDOW = 4 << 20  # bytes a client may send ahead
_CONNECTION_WINDOW = (1 << 30) - 65_535
_LARGEST_FRAME = 1 << 16


class GrpcStub(ToldServer["_Connection"]):
    """The server. A request that goes on is answered after `quiet_s` seconds of silence."""

    def __init__(self, spec: TapSpec, answers: Answers, *, quiet_s: float = QUIET_S) -> None:
        super().__init__(spec, answers)
        self.quiet_s = quiet_s

    def _connection(self, name: str) -> "_Connection":
        return _Connection(self, name)


class _Outgoing:
    """What is still to be sent on a stream."""

    __slots__ = ("at", "body", "breaks", "trailers")

    def __init__(self, said: Said, *, breaks: bool) -> None:
        self.body = said.body
        self.at = 0
        self.trailers = said.trailers
        self.breaks = breaks


class _Connection(asyncio.Protocol):
    """One client's connection: h2 reads and writes the frames, a task asks for each stream's answer."""

    def __init__(self, stub: GrpcStub, name: str) -> None:
        self._stub = stub
        self._name = name
        self._h2 = H2Connection(
            H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False)
        )
        self._streams: dict[int, Http2Stream] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._quiet: dict[int, asyncio.TimerHandle] = {}
        self._outgoing: dict[int, _Outgoing] = {}
        self._budget = Budget(MAX_KEPT)
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        self._is_closing = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADERS,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)
        self._write()

    def data_received(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
            for event in events:
                self._heard(event)
        except (H2Error, Http2Error):
            # h2 has made a GOAWAY of what breaks the protocol; the connection cannot go on.
            self._write()
            self._close()
            return
        self._pump()

    def eof_received(self) -> None:
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        for task in self._tasks.values():
            task.cancel()
        for timer in self._quiet.values():
            timer.cancel()
        self._streams.clear()
        self._outgoing.clear()
        self._transport = None
        self._stub.gone(self)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._pump()

    # What the stub calls.

    def close_when_idle(self) -> None:
        """Close once no stream is open."""
        self._is_closing = True
        self._close_if_idle()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # What the client says.

    def _heard(self, event: Event) -> None:
        match event:
            case RequestReceived(headers=headers, stream_id=stream) if headers is not None and stream is not None:
                pairs = tuple([(str(name), str(value)) for name, value in headers])
                asked = request_of(stream, pairs, self._stub.answers.now_us(), self._budget)
                self._streams[stream] = asked
                self._hear_on(stream)
            case DataReceived(data=data, stream_id=stream, flow_controlled_length=size) if stream is not None:
                if size:
                    self._h2.acknowledge_received_data(size, stream)
                if stream in self._streams and data:
                    self._streams[stream].request.add(bytes(data))
                    self._hear_on(stream)
            case TrailersReceived(headers=headers, stream_id=stream) if stream in self._streams:
                pairs = tuple([(str(name), str(value)) for name, value in headers or ()])
                self._streams[stream].add_headers(pairs)
            case StreamEnded(stream_id=stream) if stream in self._streams:
                self._streams[stream].is_whole = True
                self._ask(stream)
            case StreamReset(stream_id=stream) if stream is not None:
                self._forget(stream)
            case ConnectionTerminated():
                self._close()
            case WindowUpdated() | RemoteSettingsChanged():
                pass  # `_pump` follows

    def _hear_on(self, stream: int) -> None:
        """Wait for more of a request that goes on, for a while."""
        timer = self._quiet.pop(stream, None)
        if timer is not None:
            timer.cancel()
        if stream not in self._tasks:
            loop = asyncio.get_running_loop()
            self._quiet[stream] = loop.call_later(self._stub.quiet_s, self._fell_quiet, stream)

    def _fell_quiet(self, stream: int) -> None:
        self._quiet.pop(stream, None)
        asked = self._streams.get(stream)
        # Without one whole message, what has fallen quiet is the network.
        if asked is not None and asked.at_boundary():
            self._ask(stream)

    def _ask(self, stream: int) -> None:
        timer = self._quiet.pop(stream, None)
        if timer is not None:
            timer.cancel()
        if stream not in self._tasks:
            self._tasks[stream] = asyncio.get_running_loop().create_task(self._answer(stream, self._streams[stream]))

    async def _answer(self, stream: int, asked: Http2Stream) -> None:
        asked.settle()
        call = asked.call
        call.truncated = asked.request.cut
        try:
            answered = await self._stub.answers.answer(call, self._name)
        except Exception as error:
            # The client has to hear of it, and the other streams go on. The error's text could quote what it sent.
            self._say(stream, said_for_code(INTERNAL, f"seamline: the stub failed: {type(error).__name__}"))
            return
        if answered.delay_us > 0:
            await asyncio.sleep(answered.delay_us / 1e6)
        self._play(stream, answered, is_grpc=asked.is_grpc)

    # What is said to it.

    def _play(self, stream: int, answered: Answered, *, is_grpc: bool) -> None:
        if answered.response is not None:
            said = said_for_response(answered.response, is_grpc=is_grpc)
            self._say(stream, half_of(said) if answered.cut else said, breaks=answered.cut)
            return
        failure = answered.failure or Failure(FailureKind.PROTOCOL, "no answer")
        played = said_for_failure(failure, is_grpc=is_grpc)
        if isinstance(played, Said):
            self._say(stream, played)
        elif isinstance(played, Reset) and stream in self._streams:
            self._reset(stream, played.code)
            self._pump()

    def _say(self, stream: int, said: Said, *, breaks: bool = False) -> None:
        if stream not in self._streams:
            return
        is_all = not said.body and not said.trailers and not breaks
        try:
            self._h2.send_headers(stream, said.head, end_stream=is_all)
        except H2Error:
            self._forget(stream)
            return
        if is_all:
            self._done(stream)
        else:
            self._outgoing[stream] = _Outgoing(said, breaks=breaks)
        self._pump()

    def _pump(self) -> None:
        """Send what the windows take, a piece of each stream in turn."""
        progress = True
        while progress and not self._is_paused and self._transport is not None:
            progress = False
            for stream, outgoing in list(self._outgoing.items()):
                try:
                    progress = self._send_some(stream, outgoing) or progress
                except H2Error:
                    self._forget(stream)
            self._write()
        self._write()
        self._close_if_idle()

    def _send_some(self, stream: int, outgoing: _Outgoing) -> bool:
        """The next frame of a stream; whether there was room for one."""
        left = len(outgoing.body) - outgoing.at
        if left:
            room = min(
                left, self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size, _LARGEST_FRAME
            )
            if room <= 0:
                return False
            is_last = room == left and not outgoing.trailers and not outgoing.breaks
            self._h2.send_data(stream, outgoing.body[outgoing.at : outgoing.at + room], end_stream=is_last)
            outgoing.at += room
            if is_last:
                self._done(stream)
            if room < left or is_last:
                return True
        if outgoing.breaks:
            self._write()
            self._forget(stream)
            self._close()
            return False
        if stream in self._outgoing:
            self._h2.send_headers(stream, outgoing.trailers, end_stream=True)
            self._done(stream)
        return True

    def _done(self, stream: int) -> None:
        """Everything is said. A client that still speaks is told that it need not (RFC 9113, 8.1)."""
        asked = self._streams.get(stream)
        if asked is not None and not asked.is_whole:
            self._reset(stream, ErrorCodes.NO_ERROR)
        self._forget(stream)

    def _reset(self, stream: int, code: int) -> None:
        with contextlib.suppress(H2Error):
            self._h2.reset_stream(stream, code)
        self._forget(stream)

    def _forget(self, stream: int) -> None:
        self._outgoing.pop(stream, None)
        asked = self._streams.pop(stream, None)
        if asked is not None:
            asked.release()
        timer = self._quiet.pop(stream, None)
        if timer is not None:
            timer.cancel()
        task = self._tasks.pop(stream, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def _write(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close_if_idle(self) -> None:
        if self._is_closing and not self._streams:
            with contextlib.suppress(H2Error):
                self._h2.close_connection()
            self._write()
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
