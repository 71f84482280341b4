"""Declared fakes of command-line tools: small scripts, put on PATH by the test, that note how they were called.

A fake is Python; it finds its arguments in `args`, its own folder in `here`, and may `start(port)` a real little server
and `stop()` it. `answers(verb)` is whether the test wants this verb to succeed.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_HEAD = """#!{python}
import json, os, pathlib, signal, subprocess, sys, time

here = pathlib.Path({here!r})
args = sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([pathlib.Path(sys.argv[0]).name, *args]) + "\\n")

def start():
    server = ("import http.server, sys\\n"
        "class H(http.server.BaseHTTPRequestHandler):\\n"
        "    def do_GET(self): self.send_response(200); self.send_header('content-length', '2'); self.end_headers(); self.wfile.write(b'ok')\\n"
        "    def log_message(self, *a): pass\\n"
        "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\\n"
        "print(s.server_port, flush=True); s.serve_forever()\\n")
    running = subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, text=True)
    port = int(running.stdout.readline())
    (here / "running").write_text(json.dumps([running.pid, port]))
    return port

def running():
    return json.loads((here / "running").read_text())

def stop():
    if (here / "running").exists():
        os.kill(running()[0], signal.SIGKILL)
        (here / "running").unlink()

def fail(word):
    if word in os.environ.get("FAKE_FAILS", "").split(","):
        print(word + " went wrong: password=hunter22", file=sys.stderr)
        sys.exit(7)
    if word in os.environ.get("FAKE_HANGS", "").split(","):
        time.sleep(600)

"""

# The options and the forms of output are those of `docker compose` 2.29.
DOCKER = """
assert args[0] == "compose" and args[1] == "-p" and args[3] == "-f", args
verb = "wait" if "--wait" in args else args[5]
fail(verb)
if verb == "up":
    (here / "told").write_text(os.environ["DATABASE_URL"])
    (here / "proxy").write_text(os.environ.get("HTTPS_PROXY", ""))
    start()
if verb == "ps":
    port = running()[1]
    print(json.dumps({"Service": "web", "State": "running", "Health": "starting", "ExitCode": 0, "Publishers":
        [{"URL": "0.0.0.0", "TargetPort": 8080, "PublishedPort": port, "Protocol": "tcp"}]}))
if verb == "logs":
    print("web-1  | 2026-01-01T00:00:00Z cannot open /etc/web.toml")
if verb == "down":
    stop()
"""


@dataclass
class Fakes:
    """A folder of fakes that is first on PATH."""

    folder: Path

    def write(self, name: str, body: str) -> None:
        """Make the tool `name`."""
        script = self.folder / name
        script.write_text(_HEAD.format(python=sys.executable, here=str(self.folder)) + body, encoding="utf-8")
        script.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """How the fakes were called, in order."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def is_running(self) -> bool:
        """Whether the server that a fake started has not been stopped."""
        return (self.folder / "running").exists()


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Fakes for one test."""
    folder = tmp_path / "fakes"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    # What an environment keeps of its logs stays in the test's folder.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Fakes(folder)
