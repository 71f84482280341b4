"""`seamline replay` from outside: real servers, real runs, exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, FailureKind, LinkKind, Request, Role, Withheld
from seamline.capture.store.reader import open_capture
from seamline.cli.main import run
from support.captures import MANIFEST, START_US, an_exchange, write_capture
from support.services import write_server
from support.tree import ROOT


class Target:
    """A server that remembers what it was asked and may misbehave: `dies_after` so many requests it goes away."""

    def __init__(self, dies_after: int | None = None, stalls: bool = False) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.released = threading.Event()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                target.seen.append((self.command, self.path, dict(self.headers), body))
                if stalls:
                    target.released.wait(30)
                answer = json.dumps({"path": self.path}).encode()
                self.send_response(302 if self.path == "/moved" else 200)
                self.send_header("Location", f"http://127.0.0.1:{target.port}/elsewhere")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                if dies_after is not None and len(target.seen) >= dies_after:
                    self.close_connection = True
                    # A listener that is closed here and now refuses the very next connection.
                    target.server.socket.close()

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A client that leaves is part of the test."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.seen]


@contextmanager
def serving(**how: Any) -> Iterator[Target]:
    target = Target(**how)
    threading.Thread(target=_serve, args=(target,), daemon=True).start()
    try:
        yield target
    finally:
        target.released.set()
        if target.server.socket.fileno() >= 0:
            target.server.shutdown()
        target.server.server_close()


def _serve(target: Target) -> None:
    try:
        target.server.serve_forever(0.01)
    except (OSError, ValueError):
        # The listener was closed under it: it has died, as it was told to.
        return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def a_write(number: int) -> Exchange:
    headers = Headers([("Host", "orders"), ("Content-Length", "7")])
    return an_exchange(number, request=Request("POST", f"/orders/{number}", headers, b'{"n":1}'))


def capture_of(folder: Path, *exchanges: Exchange) -> Path:
    return write_capture(folder / "a.seam", exchanges)


def read(path: Path) -> list[Exchange]:
    with open_capture(path) as capture:
        assert capture.complete
        return sorted(capture, key=lambda exchange: exchange.seq)


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEAMLINE_KEY", raising=False)


def test_a_run_is_a_capture_whose_exchanges_name_their_origin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = capture_of(tmp_path, *(an_exchange(number) for number in range(6)))
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "-o", "r.seam"]) == 0
        assert sorted(target.paths) == sorted(f"/orders/{number}?page=1" for number in range(6))
        assert all(headers["Host"] == "orders" for _, _, headers, _ in target.seen), "the recorded Host, byte-true"
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[-1].startswith("replayed 6, failed 0, skipped 0, late p50 ")
    exchanges = read(tmp_path / "r.seam")
    assert {each.origin for each in exchanges} == {f"t-{number}" for number in range(6)}
    assert len({each.id for each in exchanges} | {f"t-{number}" for number in range(6)}) == 12
    for each in exchanges:
        assert each.response is not None
        assert json.loads(each.response.body) == {"path": each.request.target}
        assert (each.role, each.service) == (Role.INBOUND, "orders")
    with open_capture(tmp_path / "r.seam") as replayed:
        manifest = replayed.manifest
    assert (manifest.replayed, manifest.engine, manifest.hosts) == (MANIFEST.capture_id, "replay", MANIFEST.hosts)


def test_quiet_leaves_the_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = capture_of(tmp_path, an_exchange(1), a_write(2))
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "-o", "r.seam", "--quiet"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("replayed 1, failed 0, skipped 1, late p50 ")


def test_sessions_and_their_order_are_kept(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, *(an_exchange(number) for number in range(60)))
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "--pace", "max", "-o", "r.seam", "--quiet"]) == 0
        for session in range(3):
            order = [number for path in target.paths if (number := int(path.split("/")[2][:-7])) % 3 == session]
            assert order == sorted(order)
            assert len(order) == 20
    assert {each.session for each in read(tmp_path / "r.seam")} == {"s0", "s1", "s2"}


def test_pseudonyms_of_the_capture_stay_as_they_are(tmp_path: Path) -> None:
    headers = Headers([("Host", "orders"), ("Authorization", "Bearer pseudo-7f3a9c2e5b1d48f6a0c4e8b2")])
    capture = capture_of(tmp_path, an_exchange(1, request=Request("GET", "/who", headers)))
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "-o", "r.seam", "--quiet"]) == 0
    assert read(tmp_path / "r.seam")[0].request.headers == headers


def test_writes_need_leave(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = capture_of(tmp_path, an_exchange(1), a_write(2), a_write(3))
    with serving() as target:
        asked = ["replay", str(capture), "--target", target.url, "-o", "r.seam"]
        assert run(asked) == 0
        assert len(target.seen) == 1
        assert "2 requests with side effects are skipped: --allow-writes sends them" in capsys.readouterr().err
        with open_capture(tmp_path / "r.seam") as replayed:
            assert replayed.losses.skipped == 2
            assert replayed.losses.reasons == {"write not allowed": 2}
        assert run([*asked, "--allow-writes"]) == 0
        assert [(method, body) for method, _, _, body in target.seen[2:]] == [("POST", b'{"n":1}')] * 2


def test_only_writes_is_nothing_to_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = capture_of(tmp_path, a_write(2))
    assert run(["replay", str(capture), "--target", "http://127.0.0.1:9", "-o", "r.seam"]) == 3
    assert "nothing to replay; 1 write not allowed (--allow-writes" in capsys.readouterr().err
    assert not (tmp_path / "r.seam").exists()


def test_what_cannot_be_replayed_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = Request("GET", "/a\r\nX: y", Headers([("Host", "h")]))
    capture = capture_of(
        tmp_path,
        an_exchange(1),
        an_exchange(2, request=evil),
        an_exchange(3, protocol="grpc"),
        an_exchange(4, withheld=(Withheld("request.body", 3, "d", "unclean"),)),
        an_exchange(5, role=Role.OUTBOUND),
    )
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "-o", "r.seam"]) == 0
        assert len(target.seen) == 1
    err = capsys.readouterr().err
    assert "replayed 1, failed 0, skipped 3" in err
    assert "1 requests are skipped: protocol grpc" in err


def test_redirects_are_not_followed(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, an_exchange(1, request=Request("GET", "/moved", Headers([("Host", "h")]))))
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "-o", "r.seam", "--quiet"]) == 0
        assert target.paths == ["/moved"]
    response = read(tmp_path / "r.seam")[0].response
    assert response is not None
    assert response.status == 302


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "http://192.0.2.1:80", "-o", "r.seam"], "is not a loopback address"),
        (["--target", "http://10.0.0.7:8080", "-o", "r.seam"], "the recorded service itself"),
        (["--target", "ftp://h", "-o", "r.seam"], "is not a base URL"),
        (["--target", "http://127.0.0.1:1"], "no run to write"),
        (["--target", "http://127.0.0.1:1", "-o", "-"], "no run to write"),
        (["--target", "http://127.0.0.1:1", "-o", "a.seam"], "must not replace its capture"),
        (["--target", "http://127.0.0.1:1", "-o", "none/r.seam"], "no such directory"),
        (["-o", "r.seam"], "one target is needed"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--pace", "fast"], "--pace"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--shard", "3/2"], "--shard"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--timeout", "nan"], "--timeout nan"),
        (["--target", "http://shop..example", "-o", "r.seam"], "is not a host's name"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--where", "nope =="], "where"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--tap", "p=kafka:127.0.0.1:0=stub"], "no stub for kafka"),
        (
            ["--target", "http://127.0.0.1:1", "-o", "r.seam", *["--tap", "p=http:127.0.0.1:0=stub"] * 2],
            'two taps are called "p"',
        ),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--fault", "p=reset"], 'there is no downstream "p"'),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--fault", "reset"], "names no downstream"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--tap", "p=gopher:127.0.0.1:0=127.0.0.1:1"], "gopher"),
        (["--target", "http://127.0.0.1:1", "-o", "r.seam", "--config", "none.toml"], "no such file"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    capture_of(tmp_path, an_exchange(1))
    assert run(["replay", "a.seam", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.startswith("seamline: ")
    assert not (tmp_path / "r.seam").exists()


def test_no_capture_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.seam").write_bytes(b"not a capture")
    for name in ("none.seam", "b.seam"):
        assert run(["replay", name, "--target", "http://127.0.0.1:1", "-o", "r.seam"]) == 2
        assert name in capsys.readouterr().err


def test_a_damaged_capture_fires_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = write_capture(tmp_path / "a.seam", [an_exchange(number) for number in range(60)], block_target=1000)
    raw = bytearray(capture.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    capture.write_bytes(raw)
    with serving() as target:
        assert run(["replay", str(capture), "--target", target.url, "-o", "r.seam"]) == 2
        assert target.seen == []
    err = capsys.readouterr().err
    assert "damaged at byte" in err
    assert "capture repair" in err
    assert not (tmp_path / "r.seam").exists()


def test_nobody_at_the_target_is_no_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = capture_of(tmp_path, *(an_exchange(number) for number in range(5)))
    asked = ["replay", str(capture), "--target", f"http://127.0.0.1:{free_port()}", "-o", "r.seam"]
    assert run(asked) == 3
    err = capsys.readouterr().err
    assert "replayed 5, failed 5, skipped 0" in err
    assert "nothing was answered" in err.splitlines()[-1]
    kinds = {each.failure.kind for each in read(tmp_path / "r.seam") if each.failure}
    assert kinds == {FailureKind.CONNECT}


def test_a_target_that_dies_midway_is_no_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exchanges = [an_exchange(number, session="s") for number in range(400)]
    capture = capture_of(tmp_path, *exchanges)
    with serving(dies_after=10) as target:
        assert run(["replay", str(capture), "--target", target.url, "--pace", "max", "-o", "r.seam"]) == 3
    assert "the target went away" in capsys.readouterr().err.splitlines()[-1]
    replayed = read(tmp_path / "r.seam")
    assert len(replayed) == 400
    assert sum(each.response is not None for each in replayed) == 10


def test_a_stalled_answer_is_a_failure(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, an_exchange(1))
    with serving(stalls=True) as target:
        asked = ["replay", str(capture), "--target", target.url, "--timeout", "0.2", "-o", "r.seam", "--quiet"]
        assert run(asked) == 3
    failure = read(tmp_path / "r.seam")[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT


def test_where_and_shard_choose(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, *(an_exchange(number) for number in range(30)))
    with serving() as target:
        asked = ["replay", str(capture), "--target", target.url, "--pace", "max", "--quiet", "-o"]
        assert run([*asked, "one.seam", "--where", 'id == "t-7"']) == 0
        assert target.paths == ["/orders/7?page=1"]
        target.seen.clear()
        for index in (1, 2):
            assert run([*asked, f"s{index}.seam", "--shard", f"{index}/2"]) == 0
        assert sorted(target.paths) == sorted(f"/orders/{number}?page=1" for number in range(30))
    parts = [{each.session for each in read(tmp_path / f"s{index}.seam")} for index in (1, 2)]
    assert not parts[0] & parts[1]
    assert run([*asked, "none.seam", "--where", 'id == "nobody"']) == 3


def test_a_rate_takes_its_time(tmp_path: Path) -> None:
    capture = capture_of(tmp_path, *(an_exchange(number, started_us=START_US) for number in range(21)))
    with serving() as target:
        asked = ["replay", str(capture), "--target", target.url, "--pace", "100/s", "-o", "r.seam", "--quiet"]
        assert run(asked) == 0
    started = [each.started_us for each in read(tmp_path / "r.seam")]
    assert max(started) - min(started) == 200_000


def test_a_tap_records_the_downstream_calls_with_their_cause(tmp_path: Path) -> None:
    """The service under test is a real process that calls a downstream through the tap, trace headers passed on."""
    answer = """
def answer(handler):
    trace = handler.headers.get("traceparent") or ""
    status, body = get(os.environ["DOWNSTREAM"] + handler.path, [("traceparent", trace)])
    return 200, body.decode()
"""
    capture = capture_of(tmp_path, *(an_exchange(number) for number in range(8)))
    tap, service = free_port(), free_port()
    command = write_server(tmp_path, answer)
    with serving() as downstream:
        env = {**os.environ, "PORT": str(service), "DOWNSTREAM": f"http://127.0.0.1:{tap}"}
        process = subprocess.Popen(command.split(), cwd=tmp_path, env=env)
        try:
            _await_port(service)
            asked = ["--tap", f"prices=http:127.0.0.1:{tap}=127.0.0.1:{downstream.port}", "-o", "r.seam", "--quiet"]
            assert run(["replay", str(capture), "--target", f"http://127.0.0.1:{service}", *asked]) == 0
        finally:
            process.terminate()
            process.wait(20)
    exchanges = read(tmp_path / "r.seam")
    inbound = {each.id: each for each in exchanges if each.role is Role.INBOUND}
    outbound = [each for each in exchanges if each.role is Role.OUTBOUND]
    assert (len(inbound), len(outbound)) == (8, 8)
    for call in outbound:
        assert (call.service, call.links[0].how) == ("prices", LinkKind.PROPAGATED)
        assert inbound[call.links[0].parent].request.target == call.request.target


def _await_port(port: int) -> None:
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        signal.sigtimedwait([], 0.02)
    raise AssertionError("the service does not listen")


def test_a_configured_service_is_started_and_may_be_written_to(tmp_path: Path) -> None:
    command = write_server(tmp_path)
    (tmp_path / "seamline.toml").write_text(
        f'[service]\nname = "orders"\ncommand = "{command}"\nlisten = {{ env = "PORT" }}\n'
        'ready = { http = "/healthz", timeout = "20s" }\n',
        encoding="utf-8",
    )
    capture = capture_of(tmp_path, an_exchange(1), a_write(2))
    asked = ["replay", str(capture), "--config", "seamline.toml", "-o", "r.seam", "--quiet"]
    assert run(asked) == 0
    exchanges = read(tmp_path / "r.seam")
    assert sorted(each.request.method for each in exchanges) == ["GET", "POST"]
    assert all(each.response is not None and each.response.status == 200 for each in exchanges)


def test_a_service_that_does_not_start_is_no_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seamline.toml").write_text('[service]\ncommand = "false"\nlisten = { env = "PORT" }\n')
    capture = capture_of(tmp_path, an_exchange(1))
    assert run(["replay", str(capture), "--config", "seamline.toml", "-o", "r.seam"]) == 3
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "r.seam").exists()


def test_a_signal_stops_and_the_run_says_what_it_lacks(tmp_path: Path) -> None:
    exchanges = [an_exchange(number, started_us=START_US + number * 3_600_000_000) for number in range(3)]
    capture = capture_of(tmp_path, *exchanges)
    with serving() as target:
        process = subprocess.Popen(
            [sys.executable, "-m", "seamline.cli", "replay", str(capture), "--target", target.url, "-o", "r.seam"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / ".typing")}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not target.seen:
            assert process.poll() is None
            signal.sigtimedwait([], 0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "replayed 1, failed 0, skipped 2" in err
    assert err.splitlines()[-1] == "seamline: stopped before 2 of 3 requests were sent"
    with open_capture(tmp_path / "r.seam") as replayed:
        assert replayed.losses.skipped == 2
        assert len(list(replayed)) == 1


def test_a_want_of_files_is_no_failure_of_the_target(tmp_path: Path) -> None:
    count = 120
    capture = capture_of(tmp_path, *(an_exchange(n, session=f"s{n}", started_us=START_US) for n in range(count)))
    with serving() as target:
        few = ["sh", "-c", 'ulimit -n 96 && exec "$@"', "sh"]
        command = [sys.executable, "-m", "seamline.cli", "replay", str(capture), "--target", target.url, "-o", "r.seam"]
        done = subprocess.run(
            [*few, *command], check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / ".typing")},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "at most 32 requests are under way at once" in done.stderr
    assert f"replayed {count}, failed 0, skipped 0" in done.stderr
    assert len(read(tmp_path / "r.seam")) == count
