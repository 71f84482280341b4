"""A service whose every id, token and cursor is drawn anew at each start, and somebody who uses all of it.

What the candidate does otherwise is chosen by the variable MODE.
"""

import asyncio
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from seamline.replay.environments.ports import free_ports
from seamline.replay.environments.ready import await_ready
from seamline.replay.environments.spec import Ready

from .recordings import environment, recording
from .services import write_script

_SERVICE = """
import base64, http.server, json, os, random, secrets, signal, sys, urllib.parse, uuid

MODE = os.environ.get("MODE", "")
numbers = iter(range(random.randrange(10**6, 10**8), 10**9))
tokens, forms, notes, orders, cursors, keys = set(), {}, {}, {}, {}, []

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.text = raw.decode()
        status, body, headers = self.answer()
        told = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(told), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_GET

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        parts, query = url.path.strip("/").split("/"), dict(urllib.parse.parse_qsl(url.query))
        match [self.command, *parts]:
            case ["GET", "healthz"]:
                return 200, "ok", {}
            case ["POST", "login"]:
                tokens.add(token := secrets.token_urlsafe(24))
                if "TOKENS" in os.environ:
                    with open(os.environ["TOKENS"], "a") as file:
                        file.write(token + "\\n")
                return 200, {"token": token, "kind": "bearer"}, {}
            case ["GET", "form"]:
                session, csrf = secrets.token_hex(12), secrets.token_hex(16)
                forms[session] = csrf
                page = f'<form method="post"><input type="hidden" name="csrf" value="{csrf}"><input name="text"></form>'
                return 200, page, {"Content-Type": "text/html", "Set-Cookie": f"sid={session}; Path=/"}
            case ["POST", "form"]:
                given = dict(urllib.parse.parse_qsl(self.text))
                cookie = self.headers.get("cookie", "").removeprefix("sid=")
                if forms.get(cookie) != given.get("csrf"):
                    return 403, {"error": "forged"}, {}
                note = str(uuid.uuid4())
                notes[note] = given.get("text")
                return 303, "", {"Location": f"/notes/{note}"}
            case ["GET", "notes", note]:
                return (200, {"text": notes[note]}, {}) if note in notes else (404, {"error": "no such note"}, {})
            case ["GET", "items"]:
                begin = cursors.get(query["cursor"]) if "cursor" in query else 0
                if begin is None:
                    return 400, {"error": "bad cursor"}, {}
                cursors[cursor := base64.urlsafe_b64encode(secrets.token_bytes(15)).decode()] = begin + 2
                return 200, {"items": [f"item {n}" for n in range(begin, begin + 2)], "next": cursor}, {}
        if self.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return 401, {"error": "who are you"}, {}
        match [self.command, *parts]:
            case ["POST", "orders"]:
                if MODE == "broken" and json.loads(self.text)["qty"] == 2:
                    return 500, {"error": "out of cheese"}, {}
                keys.append(self.headers.get("idempotency-key"))
                orders[number := str(next(numbers))] = {"qty": json.loads(self.text)["qty"], "paid": False}
                named = "number" if MODE == "renamed" else "id"
                return 201, {named: int(number), "status": "open"}, {}
            case ["POST", "orders", number, "pay"] if number in orders:
                orders[number]["paid"] = True
                return 200, {"id": int(number), "paid": True}, {}
            case ["GET", "orders", number] if number in orders:
                return 200, {"id": int(number), **orders[number], "keys": len(set(keys))}, {}
        return 404, {"error": "not here"}, {}

    def log_message(self, *args):
        pass

signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
_CONFIG = """
[service]
name = "desk"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}

[verify]
capture = ["desk.seam"]
budget = "60s"
repeats = 2

"""
REQUESTS = 24
"""How many requests `use` sends."""


class Visitor:
    """A client with a connection of its own."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> str:
        """One request; the answer's body. A body that is no text is sent as JSON."""
        raw = body if isinstance(body, str) or body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if raw is not body else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, raw, {**kind, **named})
        answer = self._connection.getresponse()
        self.statuses.append(answer.status)
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.read().decode()


def use(port: int) -> list[int]:
    """Log in and order, fill a form, page through a list: two visitors each; the statuses that came."""
    statuses: list[int] = []
    for _ in range(2):
        buyer, writer, reader = Visitor(port), Visitor(port), Visitor(port)
        token = json.loads(buyer.ask("POST", "/login", {"user": "ann"}))["token"]
        known = f"Bearer {token}"
        for qty in (1, 2):
            body = {"qty": qty, "at": "2026-03-01"}
            order = json.loads(buyer.ask("POST", "/orders", body, Authorization=known, Idempotency_Key="k-1"))
            buyer.ask("POST", f"/orders/{order['id']}/pay", {"order": order["id"]}, Authorization=known)
            buyer.ask("GET", f"/orders/{order['id']}", Authorization=known)
        page = writer.ask("GET", "/form")
        cookie = writer.headers["set-cookie"].partition(";")[0]
        csrf = re.search(r'name="csrf" value="(\w+)"', page)
        assert csrf is not None
        form = urlencode({"csrf": csrf[1], "text": "hello there"})
        writer.ask("POST", "/form", form, Cookie=cookie, Content_Type="application/x-www-form-urlencoded")
        writer.ask("GET", urlsplit(writer.headers["location"]).path, Cookie=cookie)
        cursor = json.loads(reader.ask("GET", "/items"))["next"]
        reader.ask("GET", "/items?" + urlencode({"cursor": cursor}))
        for visitor in (buyer, writer, reader):
            statuses += visitor.statuses
    return statuses


@contextmanager
def desk(folder: Path, tokens: Path | None = None) -> Iterator[int]:
    """The service, running; its port. It notes the tokens that it hands out in the file `tokens`."""
    script = folder / "desk.py"
    if not script.exists():
        write_script(folder, _SERVICE, script.name)
    [port] = free_ports(1)
    noted = {"TOKENS": str(tokens)} if tokens is not None else {}
    process = subprocess.Popen([sys.executable, str(script)], env={**environment(), **noted, "PORT": str(port)})
    try:
        asyncio.run(await_ready(("127.0.0.1", port), Ready(), lambda: None, "the desk"))
        yield port
    finally:
        process.terminate()
        process.wait(10)


def write_project(folder: Path, sides: str = "") -> Path:
    """A recording of `use`, and the configuration, ended by `sides`; its path."""
    with desk(folder) as port:
        upstream = f"http://127.0.0.1:{port}"
        with recording("--upstream", upstream, "--listen", "127.0.0.1:0", "-o", "desk.seam", cwd=folder) as running:
            statuses = use(running.port)
            code, lines = running.stop()
    assert (len(statuses), max(statuses), code) == (REQUESTS, 303, 0), lines
    config = folder / "seamline.toml"
    config.write_text(_CONFIG.format(command=f"{sys.executable} desk.py") + sides, encoding="utf-8")
    return config
