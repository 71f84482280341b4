"""`seamline record` from outside: real processes, real clients, signals."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from seamline.capture.store.reader import open_capture
from support.recordings import echo_server, recording, refused
from support.services import write_server

SECRET = "c2VjcmV0LXRva2VuLW5vYm9keS1tYXktc2Vl"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_records_until_a_signal_and_says_what_it_has(tmp_path: Path, number: int) -> None:
    with (
        echo_server() as upstream,
        recording(
            "--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{upstream}", "-o", "a.seam", cwd=tmp_path
        ) as run,
    ):
        assert run.lines == [f"recording http://127.0.0.1:{run.port} -> http://127.0.0.1:{upstream} into a.seam"]
        connection = http.client.HTTPConnection("127.0.0.1", run.port)
        for path in ("/a?x=1", "/b"):
            connection.request("POST", path, b'{"n":1}', {"Authorization": f"Bearer {SECRET}"})
            assert connection.getresponse().read().startswith(b'{"path":')
        with httpx.Client(base_url=f"http://127.0.0.1:{run.port}") as client:
            assert client.get("/c", headers={"Cookie": f"sid={SECRET}"}).json() == {"path": "/c", "size": 0}
            assert client.head("/d").status_code == 200
        code, lines = run.stop(number)
    assert code == 0
    assert lines[1:] == ["recorded 4, dropped 0, withheld 0, truncated 0"]
    with open_capture(tmp_path / "a.seam") as capture:
        assert capture.complete
        assert capture.manifest.hosts == (f"127.0.0.1:{upstream}",)
        exchanges = list(capture)
    assert [each.request.target for each in exchanges] == ["/a?x=1", "/b", "/c", "/d"]
    assert SECRET not in repr(exchanges)
    assert exchanges[0].session == exchanges[1].session != exchanges[2].session


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_sees_the_same_through_the_tap(tmp_path: Path) -> None:
    with (
        echo_server() as upstream,
        recording(
            "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{upstream}", "-o", "a.seam", cwd=tmp_path
        ) as run,
    ):
        big = tmp_path / "big"
        big.write_bytes(b"x" * 2_000_000)
        url = f"http://127.0.0.1:{run.port}/up"
        asked = ["curl", "-sS", "--data-binary", f"@{big}", "-H", "Content-Type: text/plain"]
        through = subprocess.run([*asked, url], capture_output=True, text=True, check=True)
        assert through.stdout == '{"path":"/up","size":2000000}'
        assert run.stop()[0] == 0


def test_a_tap_of_a_downstream_is_outbound(tmp_path: Path) -> None:
    with (
        echo_server() as upstream,
        recording(
            *("--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{upstream}", "--service", "shop"),
            *("--tap", f"prices=http:127.0.0.1:0=127.0.0.1:{upstream}", "-o", "a.seam"),
            cwd=tmp_path,
        ) as run,
    ):
        tap = int(run.lines[0].split(" -> ")[0].rpartition(":")[2])
        assert run.lines[0] == f"tap prices: 127.0.0.1:{tap} -> 127.0.0.1:{upstream}"
        httpx.get(f"http://127.0.0.1:{tap}/price")
        httpx.get(f"http://127.0.0.1:{run.port}/order")
        run.stop()
    with open_capture(tmp_path / "a.seam") as capture:
        assert [(each.role, each.service) for each in capture] == [("outbound", "prices"), ("inbound", "shop")]


def test_enough_exchanges_end_it(tmp_path: Path) -> None:
    with (
        echo_server() as upstream,
        recording(
            *("--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{upstream}"),
            *("--max-exchanges", "2", "--quiet", "-o", "a.seam"),
            cwd=tmp_path,
            ready=False,
        ) as run,
    ):
        assert run.process.stderr is not None
        # --quiet says nothing, so the port has to be looked for.
        port = _listening(run.process.pid)
        for _ in range(2):
            httpx.get(f"http://127.0.0.1:{port}/")
        assert run.ended() == (0, ["recorded 2, dropped 0, withheld 0, truncated 0"])


def test_its_time_ends_it(tmp_path: Path) -> None:
    with recording(
        *("--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1", "--duration", "200ms", "-o", "a.seam"),
        cwd=tmp_path,
    ) as run:
        code, lines = run.ended()
    assert (code, lines[-1]) == (0, "recorded 0, dropped 0, withheld 0, truncated 0")


def test_a_body_over_the_limit_is_truncated_and_said(tmp_path: Path) -> None:
    with (
        echo_server() as upstream,
        recording(
            *("--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{upstream}"),
            *("--max-body", "1k", "-o", "a.seam"),
            cwd=tmp_path,
        ) as run,
    ):
        httpx.post(f"http://127.0.0.1:{run.port}/", content=b"x" * 1025)
        assert run.stop()[1][-1] == "recorded 1, dropped 0, withheld 0, truncated 1"


def test_a_dead_sanitizer_lets_the_traffic_go_on_and_exits_with_3(tmp_path: Path) -> None:
    with (
        echo_server() as upstream,
        recording(
            "--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{upstream}", "-o", "a.seam", cwd=tmp_path
        ) as run,
    ):
        children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
        assert len(children) == 1
        os.kill(int(children[0]), signal.SIGKILL)
        for _ in range(3):
            assert httpx.get(f"http://127.0.0.1:{run.port}/").status_code == 200
        code, lines = run.stop()
    assert code == 3
    assert lines[-1].startswith("recorded 0, dropped 3, ")
    assert any("sanitizer process" in line for line in lines)


def test_a_config_starts_the_service_with_its_taps(tmp_path: Path) -> None:
    start = write_server(
        tmp_path,
        answer="def answer(handler):\n    return get(os.environ['PRICES'] + '/price')[0], json.dumps({'ok': 1})\n",
    )
    with echo_server() as prices, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = probe.getsockname()[1]
        probe.close()
        (tmp_path / "seamline.toml").write_text(f"""
[service]
name = "orders"
command = "{start}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}
[[downstream]]
name = "prices"
address = "127.0.0.1:{prices}"
env = {{ PRICES = "http://{{tap}}" }}
[record]
listen = "127.0.0.1:{listen}"
output = "captures/orders.seam"
""")
        with recording("--config", "seamline.toml", cwd=tmp_path) as run:
            assert httpx.get(f"http://127.0.0.1:{run.port}/order").json() == {"ok": 1}
            code, lines = run.stop()
    assert (code, lines[-1]) == (0, "recorded 2, dropped 0, withheld 0, truncated 0")
    with open_capture(tmp_path / "captures/orders.seam") as capture:
        outbound, inbound = sorted(capture, key=lambda each: each.role, reverse=True)
    assert (outbound.service, inbound.service) == ("prices", "orders")
    assert outbound.parent == inbound.id


def test_a_service_that_does_not_start_is_the_environments_and_leaves_no_capture(tmp_path: Path) -> None:
    (tmp_path / "seamline.toml").write_text(
        """
[service]
command = "false"
listen = { env = "PORT" }
[record]
listen = "127.0.0.1:0"
output = "a.seam"
""".replace("127.0.0.1:0", "127.0.0.1:18")
    )
    code, said = refused("--config", "seamline.toml", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert code == 3
    assert said.count("\n") == 1
    assert not (tmp_path / "a.seam").exists()


LISTEN = ("--listen", "127.0.0.1:0")
TO = ("--upstream", "http://127.0.0.1:1")
OUT = ("-o", "a.seam")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((*LISTEN, *TO), "-o CAPTURE"),
        (OUT, "nothing to record"),
        ((*TO, *OUT), "nowhere to listen"),
        (("--listen", "8080", *TO, *OUT), '"8080" is not an address'),
        ((*LISTEN, "--upstream", "http://a/base", *OUT), "path"),
        ((*LISTEN, *TO, "-o", "none/a.seam"), "none: no such directory"),
        ((*LISTEN, *TO, "-o", "."), "directory"),
        ((*LISTEN, *TO, "-o", "-"), "a capture is a file"),
        ((*LISTEN, *TO, *OUT, "--rules", "none.toml"), "none.toml"),
        ((*LISTEN, *TO, *OUT, "--max-body", "many"), "--max-body"),
        ((*LISTEN, *TO, *OUT, "--max-body", "1g"), "limit"),
        ((*LISTEN, *TO, *OUT, "--duration", "soon"), "--duration"),
        ((*LISTEN, *TO, *OUT, "--sample", "0"), "--sample"),
        ((*LISTEN, *TO, *OUT, "--tap", "x"), "is not a tap"),
        ((*LISTEN, *TO, *OUT, "--tap", "x=http:127.0.0.1:0=stub"), "stub"),
        ((*LISTEN, *TO, *OUT, *("--tap", "x=http:127.0.0.1:0=127.0.0.1:1") * 2), 'two taps are called "x"'),
        ((*LISTEN, *TO, *OUT, "--tap", "x=gopher:127.0.0.1:0=127.0.0.1:1"), "gopher"),
        (("--engine", "wire", *OUT), "wire is not in this version"),
        (("--engine", "mirror", *LISTEN, *OUT), "mirror is not in this version"),
        (("--read", "a.pcap", *OUT), "--read"),
        ((*LISTEN, *OUT, "--engine", "tap"), "cleartext"),
        (("--config", "none.toml"), "none.toml"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    code, text = refused(*args, cwd=tmp_path)
    assert code == 2
    assert said in text
    assert "Traceback" not in text
    assert not (tmp_path / "a.seam").exists()


def test_an_address_in_use_costs_no_capture(tmp_path: Path) -> None:
    with echo_server() as port:
        (tmp_path / "a.seam").write_bytes(b"precious")
        code, text = refused("--listen", f"127.0.0.1:{port}", *TO, *OUT, cwd=tmp_path)
    assert code == 2
    assert "Address already in use" in text
    assert (tmp_path / "a.seam").read_bytes() == b"precious"


def _listening(process_id: int) -> int:
    """The TCP port that a process listens on, once it does."""
    while True:
        inodes = set()
        for link in Path(f"/proc/{process_id}/fd").iterdir():
            try:
                inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
            except FileNotFoundError:
                continue
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                return int(words[1].rpartition(":")[2], 16)
