"""A service that lives on messages, recorded in front of a real broker: the project that verifies it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from seamline.replay.environments.ports import free_ports

from .services import write_script

# Takes orders.new, tells mail.send. MODE is the change: "" (none), "less" (the event lacks a field), "mute" (nothing is
# told any more), "deaf" (nothing is consumed).
_NATS_SERVICE = '''
import asyncio, json, os, signal
import nats

MODE, PREFIX, KIND = os.environ.get("MODE", ""), os.environ["PREFIX"], os.environ.get("KIND", "core")


async def healthz(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n")
    await writer.drain()
    writer.close()


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bus = await nats.connect(os.environ["NATS_URL"])
    js = bus.jetstream()

    async def on_order(message):
        order = json.loads(message.data)
        await asyncio.sleep(0.01)
        if MODE != "mute":
            event = {"order": order["id"], "total": order["price"] * 2, "to": order["name"]}
            if MODE == "less":
                del event["total"]
            trace = {k: v for k, v in (message.headers or {}).items() if k == "traceparent"} if KIND != "blind" else {}
            await bus.publish(f"{PREFIX}.mail.send", json.dumps(event).encode(), headers=trace or None)
        if KIND == "stream":
            await message.ack()

    if MODE != "deaf" and KIND == "stream":
        name = PREFIX.replace(".", "_")
        await js.add_stream(name=name, subjects=[f"{PREFIX}.orders.*"])
        await js.subscribe(f"{PREFIX}.orders.new", durable="worker", cb=on_order, manual_ack=True)
    elif MODE != "deaf":
        await bus.subscribe(f"{PREFIX}.orders.new", cb=on_order)
    await bus.flush()
    server = await asyncio.start_server(healthz, "127.0.0.1", int(os.environ["PORT"]))
    await stop.wait()
    server.close()
    await bus.close()


asyncio.run(main())
'''
_CONFIG = """
[service]
name = "mailer"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}
env = {{ KIND = "{kind}" }}

[[downstream]]
name = "events"
protocol = "nats"
address = "{address}"
env = {{ NATS_URL = "nats://{{tap}}", PREFIX = "{{prefix}}" }}
isolate = {{ prefix = "auto" }}

[verify]
capture = ["orders.seam"]
budget = "60s"
repeats = 2

"""


def environment(**more: str) -> dict[str, str]:
    """Ours, with the way to Seamline."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "NO_COLOR": "1", **more}


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
                asyncio.run(_while_up(port, traffic))
            finally:
                service.terminate()
                service.wait(20)
                recorder.send_signal(signal.SIGINT)
                recorder.stderr.read()
                recorder.wait(20)
    return capture


async def _while_up(port: int, traffic: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        await traffic()


def write_mailer(folder: Path, address: tuple[str, int], *, kind: str = "core", sides: str = "", count: int = 6) -> Path:
    """The project, recorded: `count` orders at the prefix "live". The path of its configuration."""
    command = write_script(folder, _NATS_SERVICE)
    at = f"{address[0]}:{address[1]}"
    (listen,) = free_ports(1)
    place = f"live{listen}"
    env = {"NATS_URL": f"nats://127.0.0.1:{listen}", "PREFIX": place, "KIND": kind}

    async def orders() -> None:
        import nats

        bus = await nats.connect(f"nats://{at}")
        told = await bus.subscribe(f"{place}.mail.send")
        await bus.flush()
        for number in range(count):
            order = {"id": f"order-{number}", "price": 10 + number, "name": "Ada"}
            await bus.publish(f"{place}.orders.new", json.dumps(order).encode())
            await told.next_msg(timeout=10)
        await bus.close()

    record(folder, f"events=nats:127.0.0.1:{listen}={at}", env, command, orders)
    config = folder / "seamline.toml"
    config.write_text(_CONFIG.format(command=command, address=at, kind=kind) + sides, encoding="utf-8")
    return config
