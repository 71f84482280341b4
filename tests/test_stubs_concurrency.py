"""Two hundred requests at once at a service whose downstream is a stub: no answer ever reaches another request."""

import json
import os
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Request, Response, Role
from seamline.capture.store.reader import open_capture
from seamline.cli.main import run
from seamline.replay.environments.ports import free_ports
from support.captures import START_US, an_exchange, write_capture
from support.services import write_script
from support.stubbed_service import SCRIPT

COUNT = 200


def marker(number: int) -> str:
    return f"quote-{number}-{(number * 2654435761) % 2**32:08x}"


def call(number: int, place: int, method: str, target: str, body: bytes = b"") -> Exchange:
    """The `place`th call of the `number`th request, answered with its marker."""
    headers = [("Host", "pricing"), ("Accept", "*/*")]
    if body:
        headers.append(("Content-Type", "application/json"))
    return an_exchange(
        1000 + number * 3 + place,
        role=Role.OUTBOUND,
        service="pricing",
        started_us=START_US + number * 10_000 + place * 1_000,
        request=Request(method, target, Headers(headers), body),
        response=Response(
            200, Headers([("Content-Type", "application/json")]), b'{"marker":"%s"}' % marker(number).encode(), "OK"
        ),
        links=(Link(f"t-{number}", LinkKind.PROPAGATED, 1.0),),
    )


def capture_of(folder: Path) -> Path:
    exchanges = []
    for number in range(COUNT):
        request = Request("GET", f"/quote/{marker(number)}", Headers([("Host", "quotes"), ("Accept", "*/*")]))
        exchanges.append(
            an_exchange(number, session=f"s{number}", started_us=START_US + number * 10_000, request=request)
        )
        exchanges.append(call(number, 0, "GET", f"/prices/{marker(number)}"))
        body = b'{"country":"DE","for":"%s"}' % marker(number).encode()
        exchanges.append(call(number, 1, "POST", "/taxes", body))
        exchanges.append(call(number, 2, "GET", "/mine"))
    return write_capture(folder / "quotes.seam", exchanges)


@contextmanager
def service(folder: Path, pricing: int, **env: str) -> Iterator[int]:
    """The service under test, told that its downstream is at the port `pricing`."""
    [port] = free_ports(1)
    command = write_script(folder, SCRIPT).split()
    told = {**os.environ, "PORT": str(port), "PRICING_URL": f"http://127.0.0.1:{pricing}", **env}
    process = subprocess.Popen(command, cwd=folder, env=told)
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once it is served; a service that has ended will never be."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the service has ended")


def answers(path: Path) -> list[dict[str, Any]]:
    with open_capture(path) as capture:
        assert capture.complete
        inbound = [exchange for exchange in capture if exchange.role is Role.INBOUND]
    assert all(exchange.response is not None and exchange.response.status == 200 for exchange in inbound)
    return [json.loads(exchange.response.body) for exchange in inbound if exchange.response is not None]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEAMLINE_KEY", "0123456789abcdef")


def replayed(folder: Path, **env: str) -> list[dict[str, Any]]:
    """The answers of a replay in which all requests are under way at once."""
    capture = capture_of(folder)
    [pricing] = free_ports(1)
    with service(folder, pricing, **env) as port:
        args = ["replay", str(capture), "--target", f"http://127.0.0.1:{port}", "--pace", "max", "--concurrency", "200"]
        assert run([*args, "--tap", f"pricing=http:127.0.0.1:{pricing}=stub", "-o", "run.seam"]) == 0
    found = answers(folder / "run.seam")
    assert sorted(each["marker"] for each in found) == sorted(marker(number) for number in range(COUNT))
    return found


def test_with_a_trace_passed_on_every_call_gets_the_answer_of_its_own_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in replayed(tmp_path, PROPAGATE="1"):
        for name in ("price", "tax", "mine"):
            assert each[name] == [200, each["marker"], None], name
    assert "stubs answered 600: exact 600" in capsys.readouterr().err


def test_without_any_what_was_asked_decides_and_what_is_ambiguous_is_refused(tmp_path: Path) -> None:
    found = replayed(tmp_path)
    for each in found:
        # The marker stands in the call: it is answered, and with that marker.
        assert each["price"][:2] == each["tax"][:2] == [200, each["marker"]]
        # Nothing in this call tells whose it is.
        status, told, step = each["mine"]
        assert (status, told, step) == (502, None, "missed") or (status, told) == (200, each["marker"])
    refused = Counter(each["mine"][2] for each in found)["missed"]
    assert refused, "two hundred equal calls at once, differently answered, cannot all be told apart"
    with open_capture(tmp_path / "run.seam") as capture:
        missed = [each for each in capture if each.response is not None and each.response.status == 502]
    assert len(missed) == refused
    assert all(b"differ" in each.response.body for each in missed if each.response is not None)
