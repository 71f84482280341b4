"""A service that lives on messages, recorded in front of a real broker: the project that verifies it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.environments.ports import free_ports
from seamline.replay.transport.bus.door import open_producer

from .services import write_script

# Takes orders, tells mail. MODE is the change: "" (none), "less" (the event lacks a field), "mute" (nothing is told any
# more), "deaf" (nothing is consumed). With KIND "blind" no trace is passed on; with "own" it takes its own mail too.
_COMMON = '''
import asyncio, json, os, signal, sys, threading

MODE, PREFIX, KIND = os.environ.get("MODE", ""), os.environ["PREFIX"], os.environ.get("KIND", "")


def event_of(body):
    order = json.loads(body)
    event = {"order": order["id"], "total": order["price"] * 2, "to": order["name"]}
    if MODE == "less":
        del event["total"]
    return None if MODE == "mute" else json.dumps(event).encode()


def trace_of(headers):
    found = dict(headers or {})
    return {"traceparent": found["traceparent"]} if "traceparent" in found and "blind" not in KIND else {}


def done():
    if "DONE" in os.environ:
        with open(os.environ["DONE"], "a") as told:
            told.write("x")


def serve():
    """Be healthy, on a thread of its own; ends with the process."""
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


'''
_NATS = """
import nats


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bus = await nats.connect(os.environ["BUS_URL"])
    js = bus.jetstream()

    async def on_order(message):
        event = event_of(message.data)
        await asyncio.sleep(0.01)
        if KIND == "reply":
            await message.respond(event)
        elif event:
            await bus.publish(f"{PREFIX}.mail", event, headers=trace_of(message.headers) or None)
        if KIND == "stream":
            await message.ack()
        done()

    async def on_mail(message):
        await asyncio.sleep(0.005)
        await bus.publish(f"{PREFIX}.stored", message.data, headers=trace_of(message.headers) or None)

    if KIND.startswith("own"):
        await bus.subscribe(f"{PREFIX}.mail", cb=on_mail)
    if MODE != "deaf" and KIND == "stream":
        name = PREFIX.replace(".", "_")
        await js.add_stream(name=name, subjects=[f"{PREFIX}.orders.*"])
        await js.subscribe(f"{PREFIX}.orders.new", durable="worker", cb=on_order, manual_ack=True)
    elif MODE != "deaf":
        await bus.subscribe(f"{PREFIX}.orders.new", cb=on_order)
    await bus.flush()
    serve()
    await stop.wait()
    await bus.close()


asyncio.run(main())
"""
_REDIS = """
import redis

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
client = redis.Redis.from_url(os.environ["BUS_URL"])
heard = client.pubsub()
heard.subscribe("unused" if MODE == "deaf" else f"{PREFIX}.orders.new")
heard.get_message(timeout=5)
serve()
for message in heard.listen():
    if message["type"] == "message":
        event = event_of(message["data"])
        if event:
            client.publish(f"{PREFIX}.mail", event)
        done()
"""
_AMQP = """
import pika

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
channel = pika.BlockingConnection(pika.URLParameters(os.environ["BUS_URL"])).channel()
channel.exchange_declare(f"{PREFIX}.shop", "topic")
channel.queue_declare(f"{PREFIX}.orders")
channel.queue_bind(f"{PREFIX}.orders", f"{PREFIX}.shop", "orders.*")


def on_order(_, method, properties, body):
    event = event_of(body)
    if event:
        told = pika.BasicProperties(headers=trace_of(properties.headers))
        channel.basic_publish(f"{PREFIX}.shop", "mail.send", event, told)
    channel.basic_ack(method.delivery_tag)
    done()


if MODE != "deaf":
    channel.basic_consume(f"{PREFIX}.orders", on_order)
serve()
channel.start_consuming() if MODE != "deaf" else signal.pause()
"""
_KAFKA = """
import confluent_kafka

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
where = {"bootstrap.servers": os.environ["BUS_URL"]}
producer = confluent_kafka.Producer({**where, "linger.ms": 0})
consumer = confluent_kafka.Consumer({**where, "group.id": f"{PREFIX}-worker", "auto.offset.reset": "earliest"})
producer.list_topics(f"{PREFIX}-orders", timeout=10)
consumer.subscribe([f"{PREFIX}-orders"])
serve()
while True:
    message = consumer.poll(0.2)
    if message is None or message.error() or MODE == "deaf":
        continue
    event = event_of(message.value())
    if event:
        producer.produce(f"{PREFIX}-mail", event, key=message.key(), headers=list(trace_of(message.headers()).items()))
        producer.flush(5)
    done()
"""
_SERVICES = {"nats": _NATS, "redis": _REDIS, "amqp": _AMQP, "kafka": _KAFKA}
_URLS = {"nats": "nats://{}", "redis": "redis://{}/0", "amqp": "amqp://guest:guest@{}/", "kafka": "{}"}
_CONFIG = """
[service]
name = "mailer"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}
env = {{ KIND = "{kind}" }}

[[downstream]]
name = "events"
protocol = "{protocol}"
address = "{address}"
env = {{ BUS_URL = "{url}", PREFIX = "{prefix}" }}
{isolate}

[verify]
capture = ["orders.seam"]
budget = "60s"
repeats = 2

"""


def an_order(protocol: str, kind: str, prefix: str, number: int) -> Request:
    """The `number`th order, as a consumed message."""
    order = json.dumps({"id": f"order-{number}", "price": 10 + number, "name": "Ada"}).encode()
    target, arguments = f"{prefix}.orders.new", {}
    if protocol == "amqp":
        target, arguments = f"{prefix}.orders", {"exchange": f"{prefix}.shop", "routing_key": "orders.new"}
    elif protocol == "kafka":
        target, arguments = f"{prefix}-orders", {"key": "Ada"}
    elif kind in ("stream", "reply"):
        arguments = {kind: True}
    return Request("CONSUME", target, Headers(), order, "", "consume", json.dumps(arguments))


def write_mailer(
    folder: Path,
    address: tuple[str, int],
    *,
    protocol: str = "nats",
    kind: str = "core",
    sides: str = "",
    count: int = 6,
    isolated: bool = True,
) -> Path:
    """The project, recorded: `count` orders under a prefix of the recording's own. The path of its configuration."""
    command = write_script(folder, _COMMON + _SERVICES[protocol])
    at = f"{address[0]}:{address[1]}"
    (listen,) = free_ports(1)
    place = f"live{listen}"
    told = folder / "done"
    url = _URLS[protocol].format(f"127.0.0.1:{listen}")
    env = {"BUS_URL": url, "PREFIX": place, "KIND": kind, "DONE": str(told)}

    async def orders() -> None:
        producer = open_producer(protocol, address, ())
        for number in range(count):
            await producer.produce(an_order(protocol, kind, place, number))
            while not told.exists() or told.stat().st_size <= number:
                await asyncio.sleep(0.02)
        await producer.close()

    record(folder, f"events={protocol}:127.0.0.1:{listen}={at}", env, command, orders)
    config = folder / "seamline.toml"
    config.write_text(
        _CONFIG.format(
            command=command,
            address=at,
            kind=kind,
            protocol=protocol,
            url=_URLS[protocol].format("{tap}"),
            prefix="{prefix}" if isolated else place,
            isolate='isolate = { prefix = "auto" }' if isolated else "",
        )
        + sides,
        encoding="utf-8",
    )
    return config


def record(
    folder: Path, tap: str, env: Mapping[str, str], command: str, traffic: Callable[[], Awaitable[None]]
) -> Path:
    """Record a service behind one tap (NAME=PROTOCOL:LISTEN=UPSTREAM) while `traffic` goes on; the capture."""
    capture = folder / "orders.seam"
    words = [sys.executable, "-m", "seamline.cli", "record", "--tap", tap, "-o", str(capture)]
    with subprocess.Popen(words, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True) as recorder:
        assert recorder.stderr is not None
        while not (line := recorder.stderr.readline()).startswith("recording"):
            assert line, "the recording has not begun"
        (port,) = free_ports(1)
        with subprocess.Popen(command.split(), cwd=folder, env=environment(PORT=str(port), **env)) as service:
            try:
                asyncio.run(while_up(port, traffic))
            finally:
                service.terminate()
                service.wait(20)
                recorder.send_signal(signal.SIGINT)
                recorder.stderr.read()
                recorder.wait(20)
    return capture


async def while_up(port: int, traffic: Callable[[], Awaitable[None]]) -> None:
    """Let `traffic` go on once the service at `port` is up."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        await traffic()


def environment(**more: str) -> dict[str, str]:
    """Ours, with the way to Seamline."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "NO_COLOR": "1", **more}
