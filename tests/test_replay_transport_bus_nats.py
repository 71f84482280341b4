"""Messages to a real nats-server, read by a real client."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind, Request
from seamline.capture.wire.nats_frames import FrameReader
from seamline.replay.transport.bus.base import Access, Undelivered
from seamline.replay.transport.bus.nats import NatsProducer, encode
from support.nats_server import nats_server

nats = pytest.importorskip("nats")


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, int]]:
    with nats_server() as address:
        yield address


def message(subject: str, body: bytes = b"x", *headers: tuple[str, str], **arguments: object) -> Request:
    return Request("CONSUME", subject, Headers(headers), body, "", "consume", json.dumps(arguments))


def test_a_core_message_arrives_as_it_was(broker: tuple[str, int]) -> None:
    async def main() -> None:
        client = await nats.connect(f"nats://{broker[0]}:{broker[1]}")
        heard = await client.subscribe("orders.*")
        await client.flush()
        producer = NatsProducer(Access(broker))
        try:
            await producer.produce(
                message("orders.new", b'{"id":1}', ("traceparent", "00-1"), ("x-a", "1"), ("x-a", "2"))
            )
            await producer.produce(message("orders.new", b""))
            first, second = await heard.next_msg(timeout=5), await heard.next_msg(timeout=5)
        finally:
            await producer.close()
            await client.close()
        assert (first.subject, first.data, first.headers["traceparent"]) == ("orders.new", b'{"id":1}', "00-1")
        assert (second.data, second.headers, second.reply) == (b"", None, "")

    asyncio.run(main())


def test_a_request_has_somewhere_to_answer(broker: tuple[str, int]) -> None:
    async def main() -> None:
        client = await nats.connect(f"nats://{broker[0]}:{broker[1]}")
        heard = await client.subscribe("ask")
        await client.flush()
        producer = NatsProducer(Access(broker))
        await producer.produce(message("ask", reply=True))
        asked = await heard.next_msg(timeout=5)
        await asked.respond(b"42")
        await client.flush()
        await producer.produce(message("ask"))
        await producer.close()
        await client.close()
        assert asked.reply.startswith("_INBOX.seamline")

    asyncio.run(main())


def test_a_stream_acknowledges_and_says_what_it_has_had(broker: tuple[str, int]) -> None:
    async def main() -> None:
        client = await nats.connect(f"nats://{broker[0]}:{broker[1]}")
        streams = client.jetstream()
        producer = NatsProducer(Access(broker))
        said = message("kept.a", b"1", ("Nats-Msg-Id", "7"), ("Nats-Expected-Last-Sequence", "99"), stream="KEPT")
        with pytest.raises(Undelivered, match="no stream") as unheard:
            await producer.produce(said)
        assert unheard.value.unheard
        await streams.add_stream(name="KEPT", subjects=["kept.*"])
        await producer.produce(said)
        with pytest.raises(Undelivered, match="before"):
            await producer.produce(said)
        await producer.produce(message("kept.a", b"2", stream="KEPT"))
        info = await streams.stream_info("KEPT")
        await producer.close()
        await client.close()
        assert info.state.messages == 2

    asyncio.run(main())


def test_who_comes_is_told_and_a_refusal_is_a_failure() -> None:
    async def main(address: tuple[str, int]) -> None:
        producer = NatsProducer(Access(address, "ada", "secret"))
        await producer.produce(message("a"))
        await producer.close()
        other = NatsProducer(Access(address, "ada", "wrong"))
        with pytest.raises(Undelivered, match="refuses") as refused:
            await other.produce(message("a"))
        assert (refused.value.kind, refused.value.unheard) == (FailureKind.PROTOCOL, False)
        assert "wrong" not in refused.value.detail

    with nats_server("--user", "ada", "--pass", "secret") as address:
        asyncio.run(main(address))


def test_nobody_there_is_a_failure() -> None:
    async def main() -> None:
        listener = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        address = listener.sockets[0].getsockname()[:2]
        with pytest.raises(Undelivered, match="does not speak NATS"):
            await NatsProducer(Access(address)).produce(message("a"))
        listener.close()
        await listener.wait_closed()
        with pytest.raises(Undelivered) as refused:
            await NatsProducer(Access(address)).produce(message("a"))
        assert refused.value.kind is FailureKind.CONNECT

    asyncio.run(main())


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB evil 0", "a\x00", "a\u2028b"])
def test_a_subject_cannot_become_two_words(subject: str) -> None:
    with pytest.raises(Undelivered):
        encode(message(subject))


@given(
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3),
    st.binary(max_size=40),
    st.text(max_size=9),
)
def test_one_message_is_one_frame_whatever_it_holds(headers: list[tuple[str, str]], body: bytes, subject: str) -> None:
    try:
        raw = encode(message(subject, body, *headers))
    except (Undelivered, UnicodeEncodeError):
        return
    frames: list[object] = []
    FrameReader().feed(raw, frames)  # type: ignore[arg-type]  # only their number and ends are looked at
    assert len(frames) == 1
    assert raw.endswith(body + b"\r\n")
