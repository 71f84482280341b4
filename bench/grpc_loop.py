"""A gRPC service and a client that calls it in a loop, on grpcio, messages as bytes: no generated code.

`python -m bench.grpc_loop serve PORT`, `python -m bench.grpc_loop load PORT SECONDS CONCURRENT`; the load prints
the number of calls and the seconds that they took.
"""

import signal
import struct
import sys
import threading
import time
from concurrent import futures

import grpc

METHOD = "/shop.Orders/Get"
_ANSWER = b"\x0a\x0aorder-4711\x12\x10customer@shop.io\x18\x8f\x0a\x22\x08Assam 25"
"""A message of four fields: two texts, a number, a text."""


def serve(port: int) -> None:
    """Answer until SIGINT."""
    method = grpc.unary_unary_rpc_method_handler(lambda request, context: _ANSWER)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", {"Get": method}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    over = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: over.set())
    over.wait()
    server.stop(0)


def load(port: int, seconds: float, concurrent: int) -> tuple[int, float]:
    """Keep `concurrent` calls under way on one connection; how many were answered, and in how many seconds."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(10)
        call = channel.unary_unary(METHOD)
        until = time.perf_counter() + seconds
        started = time.perf_counter()
        if concurrent == 1:
            count = _loop(call, until, 0)
        else:
            with futures.ThreadPoolExecutor(concurrent) as pool:
                count = sum(pool.map(lambda number: _loop(call, until, number), range(concurrent)))
        return count, time.perf_counter() - started


def _loop(call: "grpc.UnaryUnaryMultiCallable[bytes, bytes]", until: float, number: int) -> int:
    count = 0
    while time.perf_counter() < until:
        # Each order is another one: a field of 4 bytes that changes.
        call(b"\x0d" + struct.pack("<I", number << 24 | count))
        count += 1
    return count


def main() -> None:
    """Be one of the two."""
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        count, seconds = load(int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
        print(count, seconds)


if __name__ == "__main__":
    main()
