"""Small real services for tests: scripts of the standard library, written where the test wants them."""

import sys
from pathlib import Path

# Answers GET /healthz, and everything else through the function `answer(handler) -> (status, body)`.
_SERVER = """
import http.server, json, os, signal, sys, urllib.error, urllib.request

def get(url, headers=()):
    request = urllib.request.Request(url, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()

{answer}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        self.payload = self.rfile.read(length)
        status, body = (200, "ok") if self.path == "/healthz" else answer(self)
        raw = body.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *args):
        pass

def serve(port):
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)

signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
{main}
"""
_ECHO = """
def answer(handler):
    return 200, json.dumps({"path": handler.path, "greeting": os.environ.get("GREETING", "hello")})
"""
_MAIN = 'serve(int(os.environ["PORT"])).serve_forever()'


def write_server(folder: Path, answer: str = _ECHO, main: str = _MAIN, name: str = "service.py") -> str:
    """Write a server into `folder`; the command that starts it there (it listens on $PORT)."""
    return write_script(folder, _SERVER.replace("{answer}", answer).replace("{main}", main), name)


def write_script(folder: Path, text: str, name: str = "service.py") -> str:
    """Write a Python script into `folder`; the command that runs it there."""
    (folder / name).write_text(text, encoding="utf-8")
    return f"{sys.executable} {name}"
