"""`python -m bench.valuelinks`: value links in the traffic of published applications, which nobody here wrote.

Each application is started twice, at states that deal out different ids, and the same client talks to both. What differs
between the two requests of a pair is a value that the application gave. The links found in the first conversation are
followed in the second one's answers: a link is right where the request becomes the second client's, and each value that
differs needs one. Run by hand, because it downloads the applications.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.replay.values import walk
from seamline.replay.values.bodies import JSON, Body
from seamline.replay.values.links import find_links
from seamline.replay.values.read import replaced, values_at
from seamline.replay.values.urls import pairs_of, url_parts

from . import valuelinks_traffic as traffic
from .processes import free_port, wait_for_port
from .realworld import environment

PRECISION, RECALL = 0.999, 0.99
_FRAMING = frozenset({"host", "content-length", "content-type"})


@dataclass(frozen=True, slots=True)
class Application:
    """One application: what to install, how to start it (a shell command with `$BIN`, `$PORT`, `$TURN`: 0 and 1, `$DATA`,
    and `$PROGRAM`, a file with `program` in it), and what a client asks."""

    name: str
    packages: tuple[str, ...]
    start: str
    drive: Callable[[httpx.Client], None]
    program: str = ""


_OWN = "exec $BIN/python $PROGRAM $PORT $TURN $DATA"
APPLICATIONS = (
    Application("kinto", ("kinto==26.5.0", "setuptools<81"), _OWN, traffic.kinto, traffic.KINTO),
    Application("django-admin", ("django==5.2.*", "waitress"), _OWN, traffic.django, traffic.DJANGO),
    Application("moto", ("moto[s3,iam,server]==5.*",), "exec $BIN/moto_server -H 127.0.0.1 -p $PORT", traffic.moto),
)


class Recorder:
    """What a client says and hears, as exchanges."""

    def __init__(self, port: int) -> None:
        self.exchanges: list[Exchange] = []
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [self._take]},
            timeout=30,
        )

    def _take(self, answer: httpx.Response) -> None:
        answer.read()
        asked = answer.request
        request = Request(asked.method, asked.url.raw_path.decode(), _headers(asked.headers), asked.content)
        response = Response(answer.status_code, _headers(answer.headers), answer.content)
        number, now = len(self.exchanges), time.time_ns() // 1000
        took = int(answer.elapsed.total_seconds() * 1e6)
        # The clock is finer than the client is fast, so that no two exchanges touch.
        exchange = Exchange(
            f"x{number}", number, Role.INBOUND, "http", "app", "one", now - took, took - 1, request, response
        )
        self.exchanges.append(exchange)


def _headers(headers: httpx.Headers) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)


def conversations(application: Application, folder: Path) -> list[list[Exchange]]:
    """The same conversation with two fresh starts of the application."""
    bin_ = environment(folder / f"{application.name}-env", application.packages)
    program = folder / f"{application.name}-program.py"
    program.write_text(application.program, encoding="utf-8")
    spoken = []
    for turn in (0, 1):
        port, output = free_port(), folder / f"{application.name}-{turn}.txt"
        data = folder / f"{application.name}-{turn}"
        own = {"BIN": bin_, "PORT": port, "TURN": turn, "DATA": data, "PROGRAM": program}
        env = {**os.environ, **{name: str(value) for name, value in own.items()}}
        with (
            output.open("wb") as sink,
            subprocess.Popen(application.start, shell=True, stdout=sink, stderr=sink, env=env) as app,
        ):
            try:
                wait_for_port(port, app, output)
                recorder = Recorder(port)
                application.drive(recorder.client)
                spoken.append(recorder.exchanges)
            finally:
                app.terminate()
    return spoken


@dataclass
class Tally:
    """Places linked rightly and wrongly, and values that differ and are not linked."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


def compared(recorded: Sequence[Exchange], asked: Sequence[Exchange], live: Sequence[Exchange]) -> Tally:
    """How the links of `recorded` do in `live`; `asked` are the recorded exchanges before they were sanitized."""
    links = find_links(recorded)
    there = {each.id: each for each in live}
    tally = Tally()
    for exchange, plain in zip(recorded, asked, strict=True):
        values = []
        for link in links.of(exchange.id):
            answer = there[link.producer].response
            found = values_at((link.source,), answer) if answer is not None else {}
            values += [(link, value) for value in found.values()]
        made, wanted, was = (
            leaves(each) for each in (replaced(exchange.request, values), there[exchange.id].request, plain.request)
        )
        linked = {(link.sink.part, link.sink.path) for link in links.of(exchange.id)}
        for leaf, value in wanted.items():
            if leaf in linked:
                is_right = made.get(leaf) == value
                tally.right += is_right
                tally.wrong += not is_right
            else:
                tally.missed += was.get(leaf) != value
    return tally


def leaves(request: Request) -> dict[tuple[str, str], str]:
    """Every leaf of a request by its place."""
    _, path, query = url_parts(request.target)
    found = {("path", str(number)): segment for number, segment in enumerate(path.split("/")[1:])}
    found |= {("query", where): value for _, value, where in pairs_of(query[1:])}
    for name, value in request.headers:
        if name.lower() == "cookie":
            pairs = (pair.strip().partition("=") for pair in value.split(";"))
            found |= {("cookie", cookie): text for cookie, _, text in pairs}
        elif name.lower() not in _FRAMING:
            found["header", name.lower()] = value
    body = Body(request.headers, request.body)
    if body.kind == JSON:
        found |= {("body", walk.path_of(spot, key)): str(value) for spot, key, value in walk.leaves(body.document)}
    return found | {("body", leaf.path): leaf.text for leaf in body.leaves()}


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="the name of one application")
    parser.add_argument("--folder", type=Path, help="where environments are kept for the next time")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="seamline-valuelinks-"))
    folder.mkdir(parents=True, exist_ok=True)
    is_met = True
    for application in APPLICATIONS:
        if options.only in (None, application.name):
            recorded, live = conversations(application, folder)
            sanitizer = Sanitizer(b"a key for one benchmark")
            cleaned = [sanitizer.clean(each) for each in recorded]
            for what, exchanges in (("as it was", recorded), ("sanitized", cleaned)):
                tally = compared(exchanges, recorded, live)
                is_met = is_met and tally.precision >= PRECISION and tally.recall >= RECALL
                print(f"{application.name}, {what}: {len(recorded)} exchanges, {tally}, ", end="")
                print(f"precision {tally.precision:.4f}, recall {tally.recall:.4f}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
