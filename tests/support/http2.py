"""An HTTP/2 server for the tests: answers each request with what it was."""

import asyncio
from collections import defaultdict

import h2.config
import h2.connection
import h2.events


async def echo_http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection: `METHOD PATH HTTP/2|AUTHORITY|BODY`, with a trailer behind it."""
    config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    heads: dict[int, dict[str, str]] = {}
    bodies: dict[int, bytes] = defaultdict(bytes)
    writer.write(connection.data_to_send())
    while data := await reader.read(65_535):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                heads[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                _answer(connection, event.stream_id, heads.pop(event.stream_id), bodies.pop(event.stream_id, b""))
        writer.write(connection.data_to_send())
        await writer.drain()
    writer.close()


def _answer(connection: h2.connection.H2Connection, stream: int, head: dict[str, str], body: bytes) -> None:
    if head[":path"] == "/reset":
        connection.reset_stream(stream, error_code=2)
        return
    told = f"{head[':method']} {head[':path']} HTTP/2|{head[':authority']}|{len(body)}".encode()
    headers = [(":status", "200"), ("content-length", str(len(told))), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
    connection.send_headers(stream, headers)
    connection.send_data(stream, told)
    connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)
