"""A gRPC service without generated code: messages are bytes, as they stand on the wire."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc

Address = tuple[str, int]
SERVICE = "shop.Orders"


def _echo(request: bytes, context: grpc.ServicerContext) -> bytes:
    metadata = dict(context.invocation_metadata())
    if "x-initial" in metadata:
        context.send_initial_metadata((("x-initial", metadata["x-initial"]),))
    context.set_trailing_metadata((("x-trailing", "last"), ("x-detail-bin", b"\x00\xff")))
    return request


def _count(request: bytes, _: grpc.ServicerContext) -> Iterator[bytes]:
    for number in range(int(request)):
        yield b"%d" % number


def _join(requests: Iterator[bytes], _: grpc.ServicerContext) -> bytes:
    return b"|".join(requests)


def _reverse(requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
    for request in requests:
        yield request[::-1]


def _refuse(_: bytes, context: grpc.ServicerContext) -> bytes:
    context.abort(grpc.StatusCode.NOT_FOUND, "no such order: é")
    return b""


def _first(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    next(requests)
    context.abort(grpc.StatusCode.ABORTED, "enough")
    return b""


class _Waiting:
    """A method that answers when the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.asked = threading.Event()

    def __call__(self, _: bytes, __: grpc.ServicerContext) -> bytes:
        self.asked.set()
        self.over.wait(20)
        return b"late"


def _handlers(waiting: _Waiting) -> grpc.GenericRpcHandler:
    methods: dict[str, Any] = {
        "Echo": grpc.unary_unary_rpc_method_handler(_echo),
        "Count": grpc.unary_stream_rpc_method_handler(_count),
        "Join": grpc.stream_unary_rpc_method_handler(_join),
        "Reverse": grpc.stream_stream_rpc_method_handler(_reverse),
        "Refuse": grpc.unary_unary_rpc_method_handler(_refuse),
        "First": grpc.stream_unary_rpc_method_handler(_first),
        "Wait": grpc.unary_unary_rpc_method_handler(waiting),
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)


class GrpcService:
    """A running service: its address, and `asked`, which is set once somebody waits."""

    def __init__(self, address: Address, asked: threading.Event) -> None:
        self.address = address
        self.asked = asked


@contextlib.contextmanager
def grpc_service() -> Iterator[GrpcService]:
    """A server of grpcio on a free port, until the block ends."""
    waiting = _Waiting()
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)],
        compression=None,
    )
    server.add_generic_rpc_handlers((_handlers(waiting),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield GrpcService(("127.0.0.1", port), waiting.asked)
    finally:
        waiting.over.set()
        server.stop(0).wait(5)


@contextlib.contextmanager
def channel_to(address: Address, **options: Any) -> Iterator[grpc.Channel]:
    """A client's channel of its own (grpcio shares connections between equal channels)."""
    own = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", 64 << 20),
        ("grpc.max_send_message_length", 64 << 20),
    ]
    with grpc.insecure_channel(f"{address[0]}:{address[1]}", options=own, **options) as channel:
        yield channel
