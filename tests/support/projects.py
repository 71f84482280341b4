"""A tiny project to verify: a service with one inner hop, its configuration, and a capture of requests to it.

The service answers GET /quote/N by asking the inner hop for a price. What the candidate does otherwise is chosen by
the variable MODE, so that one script is every change.
"""

from collections.abc import Sequence
from pathlib import Path

from seamline.capture.headers import Headers
from seamline.capture.model import Request

from .captures import an_exchange, write_capture
from .services import write_server

_ANSWER = """
import threading, time

MODE = os.environ.get("MODE", "")
asked = []

def answer(handler):
    path, trace = handler.path, handler.headers.get("traceparent") or ""
    if path.startswith("/price/"):
        return 200, json.dumps({"price": int(path.rpartition("/")[2]) * 10})
    asked.append(path)
    if MODE == "die" and len(asked) == 3:
        print("out of cheese", flush=True)
        os._exit(9)
    if MODE == "mute":
        handler.close_connection = True
        raise ConnectionAbortedError
    if MODE == "slow":
        time.sleep(0.2)
    if path.startswith("/stock"):
        return 200, json.dumps({"count": len(asked)})
    number = path.rpartition("/")[2]
    for _ in range(2 if MODE == "calls" else 1):
        told = json.loads(get(f"{os.environ['PRICES_URL']}/price/{number}", {"traceparent": trace})[1])
    price = told["price"]
    if MODE == "flaky":
        price = int(time.time() * 1e6)
    return 200, json.dumps({"id": number, "price": str(price) if MODE == "type" else price, "at": time.time()})
"""
_MAIN = """
if "PRICES_PORT" in os.environ:
    threading.Thread(target=serve(int(os.environ["PRICES_PORT"])).serve_forever, daemon=True).start()
serve(int(os.environ["PORT"])).serve_forever()
"""
_CONFIG = """
[service]
name = "quotes"
command = "{command}"
listen = {listen}
ready = {{ http = "/healthz", timeout = "20s" }}

[[downstream]]
name = "prices"
address = {{ env = "PRICES_PORT" }}
env = {{ PRICES_URL = "http://{{tap}}" }}

[verify]
capture = ["quotes.seam"]
budget = "50s"
repeats = 2

"""


def write_service(folder: Path) -> str:
    """The service's script in `folder`; the command that starts it."""
    return write_server(folder, _ANSWER, _MAIN)


def write_project(folder: Path, sides: str = "", *, listen: str = '{ env = "PORT" }') -> Path:
    """Service, capture of 12 requests and seamline.toml, ended by `sides`; the configuration's path."""
    command = write_service(folder)
    write_requests(folder / "quotes.seam", [f"/quote/{number}" for number in range(1, 13)])
    config = folder / "seamline.toml"
    config.write_text(_CONFIG.format(command=command, listen=listen) + sides, encoding="utf-8")
    return config


def write_requests(path: Path, targets: Sequence[str], *, method: str = "GET") -> Path:
    """A capture of requests, one session of three requests after the other."""
    headers = Headers([("Host", "quotes"), ("Accept", "*/*")])
    return write_capture(
        path,
        [
            an_exchange(number, session=f"s{number // 3}", request=Request(method, target, headers))
            for number, target in enumerate(targets)
        ],
    )
