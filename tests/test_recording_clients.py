"""`seamline record` with the clients that people have: curl, httpx, wrk, a browser, through both engines."""

import base64
import hashlib
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from seamline.capture.model import Exchange
from seamline.capture.store.reader import open_capture
from support.browser import CHROMIUM, needs_browser
from support.recordings import Recording, recording
from support.site import SECRETS, Site, site
from support.tls import Certificate, make_certificate

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH")
needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not on PATH")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not on PATH")

BODY = json.dumps({"password": SECRETS["password"], "email": SECRETS["email"], "card_number": SECRETS["card"]})
HEADERS = {
    "Authorization": f"Bearer {SECRETS['authorization']}",
    "Cookie": f"sid={SECRETS['cookie']}",
    "Content-Type": "application/json",
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def shop(certificate: Certificate) -> Iterator[Site]:
    with site(certificate) as started:
        yield started


@pytest.fixture(autouse=True)
def upstream_trust(monkeypatch: pytest.MonkeyPatch, certificate: Certificate) -> None:
    """The recorder trusts the shop's authority as other programs do. Clients get the recorder's, by hand."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))


@dataclass
class Taken:
    """A recording that is running, and afterwards what it has."""

    folder: Path
    run: Recording
    exchanges: list[Exchange] = field(default_factory=list)
    summary: str = ""

    @property
    def port(self) -> int:
        return self.run.port

    @property
    def authority(self) -> Path:
        """What a client is told to trust."""
        (found,) = self.folder.glob(".seamline/*/ca-cert.pem")
        return found

    def versions(self) -> set[str]:
        return {each.request.version for each in self.exchanges}


@contextmanager
def taken(folder: Path, *args: str) -> Iterator[Taken]:
    """Record while inside; read the capture and look for the secrets afterwards."""
    with recording("--listen", "127.0.0.1:0", *args, "-o", "a.seam", cwd=folder) as run:
        record = Taken(folder, run)
        yield record
        code, lines = run.stop()
    assert code == 0, lines
    assert not [line for line in lines if any(secret in line for secret in SECRETS.values())]
    record.summary = lines[-1]
    with open_capture(folder / "a.seam") as capture:
        assert capture.complete
        record.exchanges = list(capture)
    raw = (folder / "a.seam").read_bytes()
    held = [name for name, secret in SECRETS.items() if secret in repr(record.exchanges) or secret.encode() in raw]
    assert held == []


def curl(*args: str) -> tuple[dict[str, Any], str]:
    """Ask with curl: the JSON that came, and the HTTP version it was asked with."""
    asked = ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_version}", "--data-binary", BODY]
    for name, value in HEADERS.items():
        asked += ["-H", f"{name}: {value}"]
    done = subprocess.run([*asked, *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told, _, version = done.stdout.rpartition("\n")
    return json.loads(told), version


def spki(authority: Path) -> str:
    """The hash by which Chromium can be told to accept one key, and no other (certificates of the proxy share it)."""
    key = x509.load_pem_x509_certificate(authority.read_bytes()).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def browse(url: str, profile: Path, *flags: str) -> str:
    """The document of `url` in a headless Chromium, once its scripts are done."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={profile}", *flags, "--virtual-time-budget=5000", "--dump-dom", url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def check_asked(exchanges: list[Exchange], count: int, target: str) -> None:
    """Every request is there with its whole answer, and nothing else."""
    assert [each.request.target for each in exchanges] == [target] * count
    assert [each.request.method for each in exchanges] == ["POST"] * count
    for each in exchanges:
        assert each.response is not None
        assert (each.response.status, each.truncated, each.withheld) == (200, False, ())
        sent, told = json.loads(each.request.body), json.loads(each.response.body)
        assert list(sent) == ["password", "email", "card_number"]
        assert (told["path"], told["method"]) == ("/api/items", "POST")
        # One address, one pseudonym, in the request and in the answer.
        assert sent["email"] == told["email"]


@needs_curl
def test_curl_through_the_tap(tmp_path: Path, shop: Site) -> None:
    with taken(tmp_path, "--upstream", f"http://127.0.0.1:{shop.http}") as record:
        for _ in range(3):
            assert curl(f"http://127.0.0.1:{record.port}/api/items")[1] == "1.1"
    check_asked(record.exchanges, 3, "/api/items")
    assert record.summary == "recorded 3, dropped 0, withheld 0, truncated 0"
    assert record.versions() == {"1.1"}


@needs_curl
@pytest.mark.parametrize(("flag", "spoken", "version"), [("--http1.1", "1.1", "1.1"), ("--http2", "2", "2.0")])
def test_curl_through_a_reverse_proxy_for_https(
    tmp_path: Path, shop: Site, flag: str, spoken: str, version: str
) -> None:
    with taken(tmp_path, "--upstream", f"https://localhost:{shop.https}") as record:
        for _ in range(3):
            url = f"https://127.0.0.1:{record.port}/api/items"
            assert curl(flag, "--cacert", str(record.authority), url)[1] == spoken
    check_asked(record.exchanges, 3, "/api/items")
    assert record.summary == "recorded 3, dropped 0, withheld 0, truncated 0"
    assert record.versions() == {version}


@needs_curl
@pytest.mark.parametrize(("flag", "spoken", "version"), [("--http1.1", "1.1", "1.1"), ("--http2", "2", "2.0")])
def test_curl_through_a_forward_proxy(tmp_path: Path, shop: Site, flag: str, spoken: str, version: str) -> None:
    url = f"https://localhost:{shop.https}/api/items"
    with taken(tmp_path) as record:
        proxy = ("-x", f"http://127.0.0.1:{record.port}", "--cacert", str(record.authority))
        for _ in range(3):
            assert curl(flag, *proxy, url)[1] == spoken
        assert curl(*proxy, f"http://localhost:{shop.http}/api/items")[1] == "1.1"
    check_asked(record.exchanges[:3], 3, url)
    check_asked(record.exchanges[3:], 1, f"http://localhost:{shop.http}/api/items")
    assert {each.request.version for each in record.exchanges[:3]} == {version}


@needs_curl
@needs_nginx
@pytest.mark.parametrize("forward", [False, True])
def test_curl_and_nginx_speak_http2_through_the_proxy(
    tmp_path: Path, certificate: Certificate, forward: bool, unused_port: int
) -> None:
    with nginx(tmp_path / "nginx", certificate, unused_port):
        upstream = f"https://localhost:{unused_port}"
        with taken(tmp_path, *(() if forward else ("--upstream", upstream))) as record:
            trust = ("--http2", "--cacert", str(record.authority))
            if forward:
                told = curl(*trust, "-x", f"http://127.0.0.1:{record.port}", f"{upstream}/api/items")
            else:
                told = curl(*trust, f"https://localhost:{record.port}/api/items")
            assert told == ({"server": "nginx", "protocol": "HTTP/2.0"}, "2")
    (one,) = record.exchanges
    assert one.response is not None
    assert (one.request.version, one.response.version) == ("2.0", "2.0")
    assert json.loads(one.response.body) == {"server": "nginx", "protocol": "HTTP/2.0"}


def test_httpx_through_the_tap(tmp_path: Path, shop: Site) -> None:
    with (
        taken(tmp_path, "--upstream", f"http://127.0.0.1:{shop.http}") as record,
        httpx.Client(base_url=f"http://127.0.0.1:{record.port}", headers=HEADERS) as client,
    ):
        for _ in range(20):
            assert client.post("/api/items", content=BODY).json()["email"] == SECRETS["email"]
    check_asked(record.exchanges, 20, "/api/items")
    assert len({each.session for each in record.exchanges}) == 1


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("forward", [False, True])
def test_httpx_through_the_proxy(tmp_path: Path, shop: Site, http2: bool, forward: bool) -> None:
    upstream = f"https://localhost:{shop.https}"
    with taken(tmp_path, *(() if forward else ("--upstream", upstream))) as record:
        trust = ssl.create_default_context(cafile=record.authority)
        base = upstream if forward else f"https://localhost:{record.port}"
        proxy = f"http://127.0.0.1:{record.port}" if forward else None
        with httpx.Client(base_url=base, verify=trust, proxy=proxy, http2=http2, headers=HEADERS) as client:
            answers = [client.post("/api/items", content=BODY) for _ in range(20)]
    assert {each.http_version for each in answers} == {"HTTP/2" if http2 else "HTTP/1.1"}
    check_asked(record.exchanges, 20, f"{upstream}/api/items" if forward else "/api/items")
    assert record.versions() == {"2.0" if http2 else "1.1"}
    assert record.summary == "recorded 20, dropped 0, withheld 0, truncated 0"


@needs_wrk
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["tap", "proxy"])
def test_wrk(tmp_path: Path, shop: Site, engine: str) -> None:
    """What wrk counts is in the capture; what it breaks off at its end is recorded as cancelled."""
    connections = 8
    upstream = f"http://127.0.0.1:{shop.http}" if engine == "tap" else f"https://localhost:{shop.https}"
    with taken(tmp_path, "--upstream", upstream) as record:
        scheme = "http" if engine == "tap" else "https"
        asked = ["wrk", "-t1", f"-c{connections}", "-d3s", "-H", f"Authorization: {HEADERS['Authorization']}"]
        url = f"{scheme}://127.0.0.1:{record.port}/api/items"
        done = subprocess.run([*asked, url], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+) requests in", done.stdout)
    assert found is not None
    assert "Socket errors" not in done.stdout
    assert "Non-2xx" not in done.stdout
    answered = [each for each in record.exchanges if each.response is not None]
    dropped = int(record.summary.split("dropped ")[1].split(",")[0])
    # An answer can be on its way, read by nobody, when wrk leaves.
    assert int(found[1]) <= len(answered) + dropped <= int(found[1]) + connections
    assert len(record.exchanges) - len(answered) <= connections
    assert {each.request.target for each in record.exchanges} == {"/api/items"}


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("how", ["tap", "reverse", "forward"])
def test_chromium(tmp_path: Path, shop: Site, how: str) -> None:
    upstream = {"tap": f"http://127.0.0.1:{shop.http}", "reverse": f"https://localhost:{shop.https}", "forward": ""}[
        how
    ]
    with taken(tmp_path, *(("--upstream", upstream) if upstream else ())) as record:
        flags: tuple[str, ...] = ()
        page = f"http://127.0.0.1:{record.port}/page.html"
        if how != "tap":
            flags = (f"--ignore-certificate-errors-spki-list={spki(record.authority)}",)
            page = f"https://localhost:{record.port}/page.html"
        if how == "forward":
            # Chromium goes to loopback directly unless it is told not to.
            flags += (f"--proxy-server=http://127.0.0.1:{record.port}", "--proxy-bypass-list=<-loopback>")
            page = f"https://localhost:{shop.https}/page.html"
        document = browse(page, tmp_path / "profile", *flags)
    assert "sum 15" in document
    base = f"https://localhost:{shop.https}" if how == "forward" else ""
    ours = [each for each in record.exchanges if each.request.target.startswith(f"{base}/")]
    asked = sorted(each.request.target.removeprefix(base) for each in ours)
    assert asked == [*(f"/api/items?n={n}" for n in range(1, 6)), "/app.js", "/page.html"]
    assert {each.request.version for each in ours} == {"1.1" if how == "tap" else "2.0"}
    for each in ours:
        assert each.response is not None
        assert (each.response.status, each.truncated) == (200, False)
        if each.request.method == "POST":
            assert json.loads(each.request.body)["n"] == json.loads(each.response.body)["n"]
            assert each.request.headers.get("cookie")


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago, for a server that cannot say which it has taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2; ssl_certificate {chain}; ssl_certificate_key {key};
    location / {{ default_type application/json; return 200 '{{"server": "nginx", "protocol": "$server_protocol"}}'; }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, certificate: Certificate, port: int) -> Iterator[None]:
    """A real web server that speaks HTTP/2 over TLS."""
    assert NGINX is not None
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, chain=certificate.chain, key=certificate.key))
    process = subprocess.Popen([NGINX, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        trust = ssl.create_default_context(cafile=certificate.authority)
        transport = httpx.HTTPTransport(verify=trust, retries=8)
        with httpx.Client(transport=transport) as client:
            assert client.get(f"https://localhost:{port}/").status_code == 200
        yield
    finally:
        process.terminate()
        process.wait(10)
