"""Messages to a NATS server, core with headers and JetStream, spoken by hand (docs.nats.io, "Client protocol").

A core message is followed by PING: the server's PONG says that it has it, an error before it that it has not. A message
that came out of a stream is published with an inbox, on which the stream acknowledges it.
"""

import asyncio
import secrets

import orjson

from ....capture.headers import Headers
from ....capture.model import FailureKind, Request
from .base import WITHIN_S, Access, Undelivered, arguments_of

_LONGEST_LINE = 1 << 20
_INBOX = "_INBOX.seamline"


class NatsProducer:
    """One connection to one server."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._inbox = f"{_INBOX}{secrets.token_hex(8)}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._turn = asyncio.Lock()
        self._sent = 0

    async def produce(self, message: Request) -> None:
        """Publish, and wait for the server's word; see `Producer`. One at a time: the server answers in order."""
        asked = arguments_of(message)
        kept = "stream" in asked
        async with self._turn:
            try:
                async with asyncio.timeout(WITHIN_S):
                    if self._writer is None:
                        await self._connect()
                    await self._publish(message, kept, replies=bool(asked.get("reply")))
            except TimeoutError as error:
                self._drop()
                raise Undelivered(FailureKind.TIMEOUT, f"no word from the server within {WITHIN_S:g} s") from error
            except (OSError, EOFError, ValueError) as error:
                self._drop()
                raise Undelivered(FailureKind.RESET, f"the connection to the bus broke: {error}") from error
            except Undelivered as error:
                if not error.unheard:
                    self._drop()
                raise

    async def close(self) -> None:
        """Close the connection."""
        self._drop()

    async def _connect(self) -> None:
        reader, writer = await self._access.connect(_LONGEST_LINE)
        self._reader, self._writer = reader, writer
        if not (await reader.readline()).startswith(b"INFO "):
            raise Undelivered(FailureKind.PROTOCOL, "the bus does not speak NATS")
        login: dict[str, object] = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
        login |= {"lang": "python", "version": "1", "protocol": 1, "tls_required": False}
        if self._access.password:
            login |= {"user": self._access.user, "pass": self._access.password}
        elif self._access.user:
            login["auth_token"] = self._access.user
        writer.write(b"CONNECT %b\r\nSUB %b.* 1\r\n" % (orjson.dumps(login), self._inbox.encode()))
        await self._known()

    async def _publish(self, message: Request, kept: bool, *, replies: bool) -> None:
        assert self._writer is not None
        self._sent += 1
        reply = f"{self._inbox}.{self._sent}" if kept or replies else ""
        self._writer.write(encode(message, reply))
        if kept:
            await self._acknowledged(reply.encode())
        else:
            await self._known()

    async def _known(self) -> None:
        """Until the server has seen everything that was written."""
        assert self._writer is not None
        self._writer.write(b"PING\r\n")
        while (await self._next())[0] != [b"PONG"]:
            pass

    async def _acknowledged(self, inbox: bytes) -> None:
        """Until the stream has answered on `inbox`."""
        while True:
            words, headers, body = await self._next()
            if words[0] not in (b"MSG", b"HMSG") or words[1] != inbox:
                continue
            if headers.startswith(b"NATS/1.0 503"):
                raise Undelivered(FailureKind.TIMEOUT, "no stream has the subject", unheard=True)
            _check_ack(body)
            return

    async def _next(self) -> tuple[list[bytes], bytes, bytes]:
        """The next thing the server says: its words, a message's headers and payload. Answers its pings."""
        assert self._reader is not None
        assert self._writer is not None
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise EOFError("closed by the server")
            words = line.split()
            verb = words[0].upper() if words else b""
            if verb == b"PING":
                self._writer.write(b"PONG\r\n")
            elif verb == b"-ERR":
                raise Undelivered(FailureKind.PROTOCOL, f"the bus refuses: {line[5:].strip().decode('latin-1')[:200]}")
            elif verb in (b"MSG", b"HMSG"):
                payload = await self._reader.readexactly(int(words[-1]) + 2)
                size = int(words[-2]) if verb == b"HMSG" else 0
                return words, payload[:size], payload[size:-2]
            elif verb == b"PONG":
                return [verb], b"", b""

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def encode(message: Request, reply: str = "") -> bytes:
    """The bytes that publish `message`. Headers go along as they are, but for what a server would check a stream by."""
    subject = _word(message.target)
    words = f"{subject} {_word(reply)}" if reply else subject
    headers = _headers(message.headers)
    body = message.body
    if not headers:
        return b"PUB %b %d\r\n%b\r\n" % (words.encode(), len(body), body)
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (words.encode(), len(headers), len(headers) + len(body), headers, body)


def _headers(headers: Headers) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in headers.items if not name.lower().startswith("nats-expected-")]
    if any("\r" in line[:-2] or "\n" in line[:-2] or ":" in line.partition(": ")[0] for line in lines):
        raise Undelivered(FailureKind.PROTOCOL, "a header would end its line early")
    return f"NATS/1.0\r\n{''.join(lines)}\r\n".encode("utf-8", "surrogateescape") if lines else b""


def _word(text: str) -> str:
    """A subject comes out of a capture: it must not become two words or two lines."""
    if not text or any(char <= " " or char == "\x7f" for char in text) or not text.isprintable():
        raise Undelivered(FailureKind.PROTOCOL, "the subject is none that can be published to")
    return text


def _check_ack(body: bytes) -> None:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = {}
    if not isinstance(said, dict) or "error" in said or "seq" not in said:
        raise Undelivered(FailureKind.PROTOCOL, "the stream has not taken it")
    if said.get("duplicate"):
        raise Undelivered(FailureKind.PROTOCOL, "the stream has had a message of this Nats-Msg-Id before")
