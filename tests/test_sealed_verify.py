"""`seamline verify` of a service that has a network of its own: taps, stubs and inner hops in it, nothing else."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Request, Response, Role
from seamline.capture.store.reader import open_capture
from seamline.diffing.report.model import Verdict
from support.captures import an_exchange, write_capture
from support.redis_server import redis_server
from support.sealed import check_namespaces
from support.services import write_server
from support.verifications import a_plan, verify

_ANSWER = """
import socket, threading
import redis

cache = redis.Redis.from_url(os.environ["CACHE_URL"])

def reached(*place):
    try:
        socket.create_connection(place, 5).close()
    except OSError as error:
        return type(error).__name__
    return "reached"

def answer(handler):
    path, trace = handler.path, {"traceparent": handler.headers.get("traceparent") or ""}
    number = path.rpartition("/")[2]
    if path.startswith("/price/"):
        return 200, json.dumps({"price": int(number) * 10})
    told = {name: json.loads(get(os.environ[f"{name}_URL"] + f"/{name.lower()}/{number}", trace)[1])
            for name in ("PRICE", "RATE", "TAX")}
    cache.set("last:" + number, number)
    told["cached"] = cache.get("last:" + number).decode()
    told["out"] = get("http://api.example.com/")[0]
    told["raw"] = reached("203.0.113.9", 5432)
    if "WIDER" in os.environ:
        reached("telemetry.example", 4317)
        reached("127.0.0.1", int(os.environ["WIDER"]))
    return 200, json.dumps(told)
"""
_MAIN = """
threading.Thread(target=serve(int(os.environ["PRICE_PORT"])).serve_forever, daemon=True).start()
serve(int(os.environ["PORT"])).serve_forever()
"""
_CONFIG = """
[service]
name = "quotes"
command = "{command}"
listen = {listen}
ready = {{ http = "/healthz", timeout = "20s" }}
egress = "sealed"
env = {{ {env} }}

[[downstream]]
name = "price"
address = {{ env = "PRICE_PORT" }}
env = {{ PRICE_URL = "http://{{tap}}" }}

[[downstream]]
name = "rate"
address = "127.0.0.1:{rates}"
env = {{ RATE_URL = "http://{{tap}}" }}

[[downstream]]
name = "tax"
address = "127.0.0.1:9"
mode = "stub"
env = {{ TAX_URL = "http://{{tap}}" }}

[[downstream]]
name = "cache"
protocol = "redis"
address = "{cache[0]}:{cache[1]}"
env = {{ CACHE_URL = "redis://{{tap}}/{{database}}" }}
isolate = {{ database = "auto" }}

[verify]
capture = ["quotes.seam"]
budget = "50s"
repeats = 2

[candidate]
env = {{ {candidate} }}
"""


class _Rates(http.server.BaseHTTPRequestHandler):
    """A downstream that lives where everybody does."""

    def do_GET(self) -> None:
        body = json.dumps({"rate": self.path}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def rates() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Rates) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def cache() -> Iterator[tuple[str, int]]:
    pytest.importorskip("redis")
    with redis_server() as address:
        yield address


def recorded() -> list[Exchange]:
    """Requests, each with the call to the tax service that it made."""
    found = []
    for number in range(8):
        asked = an_exchange(
            2 * number, session=f"s{number}", request=Request("GET", f"/quote/{number}", Headers([("Host", "q")]))
        )
        call = an_exchange(
            2 * number + 1,
            role=Role.OUTBOUND,
            service="tax",
            links=(Link(asked.id, LinkKind.PROPAGATED, 1.0),),
            request=Request("GET", f"/tax/{number}", Headers([("Host", "tax")])),
            response=Response(200, Headers([("Content-Type", "application/json")]), b'{"tax":%d}' % number, "OK"),
        )
        found += [asked, call]
    return found


def project(
    folder: Path,
    rates: int,
    cache: tuple[str, int],
    *,
    candidate: str = "",
    listen: str = '{ env = "PORT" }',
    env: str = "",
) -> Path:
    command = write_server(folder, _ANSWER, _MAIN)
    write_capture(folder / "quotes.seam", recorded())
    config = folder / "seamline.toml"
    config.write_text(
        _CONFIG.format(command=command, rates=rates, cache=cache, candidate=candidate, listen=listen, env=env)
    )
    return config


def answers(run: Path) -> list[dict[str, object]]:
    with open_capture(run) as capture:
        return [
            json.loads(each.response.body)
            for each in capture
            if each.role is Role.INBOUND and each.response is not None
        ]


@pytest.mark.slow
def test_calls_to_downstreams_work_and_all_others_are_refused_and_named(
    tmp_path: Path, rates: int, cache: tuple[str, int]
) -> None:
    check_namespaces()
    config = project(tmp_path, rates, cache, candidate=f'WIDER = "{rates}"')
    report, said, folder = verify(a_plan(config))
    # Both sides call out; what the candidate alone does is a change of its own.
    assert report.verdict is Verdict.DIVERGED, said
    new = {(one.surface, one.kind, one.service) for one in report.findings}
    assert new == {("http", "extra", "telemetry.example:4317"), ("http", "extra", f"127.0.0.1:{rates}")}
    for run in ("baseline-1", "candidate-1"):
        told = answers(folder / f"{run}.seam")
        assert sorted(each["cached"] for each in told) == [str(number) for number in range(8)]  # type: ignore[type-var]  # texts
        number = told[0]["cached"]
        assert told[0] == {
            "PRICE": {"price": int(str(number)) * 10},
            "RATE": {"rate": f"/rate/{number}"},
            "TAX": {"tax": int(str(number))},
            "cached": number,
            "out": 403,
            "raw": "ConnectionRefusedError",
        }
        with open_capture(folder / f"{run}.seam") as capture:
            calls = {(each.service, each.protocol) for each in capture if each.role is Role.OUTBOUND and each.service}
        assert calls == {("price", "http"), ("rate", "http"), ("tax", "http"), ("cache", "redis")}
    lines = "\n".join(said)
    refused = "which is no downstream: it was refused"
    for side in ("baseline", "candidate"):
        for place in ("api.example.com:80", "203.0.113.9:5432"):
            assert f"{side} tried to reach {place}, {refused}" in lines
    # What runs on this machine is not there either, without a tap.
    for place in ("telemetry.example:4317", f"127.0.0.1:{rates}"):
        assert f"candidate tried to reach {place}, {refused}" in lines
        assert f"baseline tried to reach {place}" not in lines


@pytest.mark.slow
def test_a_fixed_port_is_each_sides_own(tmp_path: Path, rates: int, cache: tuple[str, int]) -> None:
    check_namespaces()
    # Taken outside, by the rates.
    report, said, _ = verify(
        a_plan(project(tmp_path, rates, cache, listen=f"{{ port = {rates} }}", env=f'PORT = "{rates}"'))
    )
    assert report.verdict is Verdict.SAME, said
    assert not [line for line in said if "one after another" in line or "share" in line]
