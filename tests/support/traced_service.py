"""A service that is instrumented with the real OpenTelemetry SDK, run as a process. It draws a number from Redis for each
request, by a command that is the same for all of them, and answers with the number.

Its spans are those of the instrumentations for aiohttp and redis-py (OpenTelemetry semantic conventions, HTTP and
database spans); the SDK and its exporter are told by the environment alone where spans go.
"""

import asyncio
import os
import random

import redis.asyncio
from aiohttp import web
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

spread = random.Random(3)
provider = TracerProvider()
if "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ:
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = trace.get_tracer("traced", tracer_provider=provider)
cache = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], max_connections=50)


async def work():
    await asyncio.sleep(spread.expovariate(1 / 0.03))


async def number(request):
    known = {"http.request.method": request.method, "url.path": request.path}
    outer = extract(request.headers)
    with tracer.start_as_current_span(request.path, outer, kind=SpanKind.SERVER, attributes=known):
        await work()
        # redis-py sends INCRBY, and its instrumentation masks what stands behind a command.
        asked = {"db.system.name": "redis", "db.operation.name": "INCRBY", "db.query.text": "INCRBY ? ?"}
        with tracer.start_as_current_span("INCRBY", kind=SpanKind.CLIENT, attributes=asked):
            drawn = await cache.incr("numbers")
        await work()
    return web.json_response({"drawn": drawn})


async def health(_request):
    return web.Response(text="ok")


async def flush(_app):
    await asyncio.to_thread(provider.shutdown)
    await cache.aclose()


app = web.Application()
app.router.add_get("/healthz", health)
app.router.add_get("/{place}/number", number)
app.on_cleanup.append(flush)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
