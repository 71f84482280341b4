"""`python -m bench.stubbed`: a published application whose database is stopped, and whose code is then changed.

Kinto (PyPI) keeps everything in PostgreSQL. It is recorded with its database, the database is stopped, and what was
recorded is replayed with the database's answers from the capture: the answers have to be those of the recording. Then
one query is removed from its code, one is changed, one is added: each verification, still without a database, has to
name it. Run by hand, because it downloads an application; docs/realworld.md keeps what was found.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from seamline.capture.model import Exchange, Role
from seamline.capture.store.reader import open_capture
from seamline.diffing.report.formats import render
from seamline.diffing.report.model import Report, Severity, Surface, Verdict
from seamline.diffing.report.stored import parse_report
from seamline.samples.shop import servers

from .realworld import SEAMLINE, environment
from .stubbed_traffic import kinto

PACKAGES = ("kinto[postgresql]==26.5.0", "setuptools<81")
STORAGE = "kinto/core/storage/postgresql/__init__.py"
SAME_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a query: `old` becomes `new` in `file`, and a finding of one of `kinds` has to name `words`."""

    name: str
    file: str
    old: str
    new: str
    kinds: tuple[str, ...]
    words: tuple[str, ...]


CHANGES = (
    Change(
        "removed",
        STORAGE,
        "        return rows[0].total_count\n",
        "        return rows[0].total_count\n\n    def count_all(self, *args: Any, **kwargs: Any) -> int:\n        return 0\n",
        ("missing",),
        ("SELECT COUNT(*)", "objects"),
    ),
    Change(
        "changed",
        STORAGE,
        "            SELECT id, as_epoch(last_modified) AS last_modified, data\n            FROM objects\n"
        "            WHERE {parent_id_filter}\n            AND resource_name = :resource_name\n",
        "            SELECT id, as_epoch(last_modified) AS last_modified, data\n            FROM objects\n"
        "            WHERE {parent_id_filter}\n",
        ("fingerprint_changed",),
        ("SELECT id", "objects"),
    ),
    Change(
        "added",
        STORAGE,
        '        query = """\n        SELECT as_epoch(last_modified) AS last_modified, data\n',
        "        with self.client.connect(readonly=True) as conn:\n"
        '            conn.execute(sa.text("SELECT COUNT(*) AS seen FROM objects WHERE id = :id"), dict(id=object_id))\n'
        '        query = """\n        SELECT as_epoch(last_modified) AS last_modified, data\n',
        ("extra",),
        ("SELECT COUNT(*)", "seen"),
    ),
)

INI = """[app:main]
use = egg:kinto
kinto.userid_hmac_secret = only-for-this-run
multiauth.policies = basicauth
kinto.storage_backend = kinto.core.storage.postgresql
kinto.cache_backend = kinto.core.cache.postgresql
kinto.permission_backend = kinto.core.permission.postgresql
kinto.bucket_create_principals = system.Authenticated
kinto.includes = kinto.plugins.history
"""

CONFIG = """[service]
name    = "kinto"
command = "{python} {serve} {ini}"
listen  = {{ env = "PORT" }}
ready   = {{ http = "/v1/__lbheartbeat__", timeout = "60s" }}

[[downstream]]
name     = "db"
protocol = "postgres"
address  = "127.0.0.1:{port}"
env      = {{ KINTO_STORAGE_URL = "{url}", KINTO_CACHE_URL = "{url}", KINTO_PERMISSION_URL = "{url}" }}
mode     = "{mode}"

[record]
listen = "127.0.0.1:0"
output = "kinto.seam"

[sanitize]
rules = "sanitize.toml"

[verify]
capture = ["kinto.seam"]
budget  = "300s"
repeats = 2

[candidate]
env = {{ PYTHONPATH = "{changed}" }}
"""

RULES = """# A cursor that Kinto hands out and takes back: it looks like a secret by its name, and is none.
[keep]
keys = ["_token"]
"""

VARYING = (
    re.compile(rb"basicauth:[0-9a-f]{64}"),  # a hash of the credentials, which are pseudonyms in a capture
    re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),  # a new note's id
    re.compile(rb'"Access-Control-Expose-Headers":"[^"]*"'),  # a set, in the order of a process's hashes
)

SERVE = """import os, sys
from pyramid.paster import get_app
from waitress import serve
serve(get_app(sys.argv[1]), host="127.0.0.1", port=int(os.environ["PORT"]), threads=8)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """The application's folder, its Python, and where its database was."""

    folder: Path
    bin: Path
    port: int

    def configure(self, mode: str, changed: str = "") -> None:
        """The seamline.toml: `changed` is a folder with changed code that the candidate runs."""
        (self.folder / "serve.py").write_text(SERVE, encoding="utf-8")
        (self.folder / "sanitize.toml").write_text(RULES, encoding="utf-8")
        (self.folder / "kinto.ini").write_text(INI, encoding="utf-8")
        text = CONFIG.format(
            python=self.bin / "python",
            serve=self.folder / "serve.py",
            ini=self.folder / "kinto.ini",
            port=self.port,
            url="postgresql://shop@{tap}/kinto",
            mode=mode,
            changed=changed,
        )
        (self.folder / "seamline.toml").write_text(text, encoding="utf-8")


def main() -> int:
    """Record, stop the database, replay, change; 1 where something was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path(".seamline/stubbed"))
    folder: Path = parser.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    case = Case(folder, environment(folder / "venv", PACKAGES), servers.free_ports(1)[0])
    recorded(case)
    held = [same_answers(case)]
    held += [named(case, change) for change in CHANGES]
    return 0 if all(held) else 1


def recorded(case: Case) -> None:
    """Record the application with its database, which is gone when this returns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        with servers.postgres(folder, case.port):
            with psycopg.connect(servers.url(case.port), autocommit=True) as connection:
                connection.execute("CREATE DATABASE kinto")
            case.configure("real")
            url = servers.url(case.port, "kinto")
            urls = {f"KINTO_{part}_URL": url for part in ("STORAGE", "CACHE", "PERMISSION")}
            migrate = [str(case.bin / "kinto"), "migrate", "--ini", str(case.folder / "kinto.ini")]
            subprocess.run(migrate, env=urls, check=True, capture_output=True)
            record(case)


def record(case: Case) -> None:
    """Drive the application through `seamline record`."""
    command = [*SEAMLINE, "record", "--config", "seamline.toml"]
    with subprocess.Popen(command, cwd=case.folder, stderr=subprocess.PIPE, text=True) as recorder:
        assert recorder.stderr is not None
        first = recorder.stderr.readline()
        address = re.search(r"http://[\d.:]+", first)
        if address is None:
            raise RuntimeError(first + recorder.stderr.read())
        with httpx.Client(base_url=address.group(), timeout=30) as client:
            kinto(client)
        recorder.send_signal(signal.SIGINT)
        print(recorder.stderr.read().strip().splitlines()[-1], flush=True)


def same_answers(case: Case) -> bool:
    """The application against itself without a database: the verdict, and its answers against the recorded ones."""
    case.configure("stub")
    report = verify(case, "unchanged")
    asked = {each.id: each for each in inbound(case.folder / "kinto.seam")}
    answers = inbound(newest_run(case.folder, "candidate"))
    same = sum(answered(one) == answered(asked[one.origin or ""]) for one in answers)
    exactly = sum(one.response == asked[one.origin or ""].response for one in answers)
    print(
        f"unchanged: {report.verdict}; of {len(asked)} answers {same} are the recorded ones, {exactly} with all headers"
    )
    for each in report.findings:
        if each.severity > Severity.INFO:
            print(f"  {each.surface}.{each.kind} {each.endpoint} {each.path} {each.transition}")
    return report.verdict is Verdict.SAME and len(answers) == len(asked) and same >= SAME_SHARE * len(asked)


def named(case: Case, change: Change) -> bool:
    """Whether the verification of a changed query names it."""
    changed = case.folder / change.name
    package = next((case.folder / "venv").glob("lib/python*/site-packages/kinto"))
    shutil.rmtree(changed, ignore_errors=True)
    shutil.copytree(package, changed / "kinto")
    source = (changed / change.file).read_text(encoding="utf-8")
    if change.old not in source:
        raise RuntimeError(f"{change.name}: {change.file} is not what it was")
    (changed / change.file).write_text(source.replace(change.old, change.new, 1), encoding="utf-8")
    case.configure("stub", str(changed))
    report = verify(case, change.name)
    sql = [each for each in report.findings if each.surface is Surface.SQL and each.severity > Severity.INFO]
    hits = [
        each
        for each in sql
        if each.kind in change.kinds and all(word in (each.operation or "") for word in change.words)
    ]
    print(f"query {change.name}: {report.verdict}, {'named' if hits else 'NOT NAMED'}", flush=True)
    for each in sql:
        print(f"  {each.surface}.{each.kind} {each.endpoint} {each.operation} {each.transition}")
    return bool(hits)


def verify(case: Case, name: str) -> Report:
    """One `seamline verify`; its report, also kept as HTML."""
    stored = case.folder / f"{name}.json"
    command = [*SEAMLINE, "verify", "--config", "seamline.toml", "--quiet", "--format", "json", "-o", str(stored)]
    done = subprocess.run(command, cwd=case.folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"verify ended with exit code {done.returncode}: {done.stderr[-1000:]}")
    report = parse_report(stored.read_text(encoding="utf-8"))
    stored.with_suffix(".html").write_text(render("html", report), encoding="utf-8")
    return report


def newest_run(folder: Path, side: str) -> Path:
    """The run that the last verification wrote for a side."""
    return max((folder / ".seamline" / "runs").glob(f"**/{side}-1.seam"), key=lambda path: path.stat().st_mtime)


def inbound(path: Path) -> list[Exchange]:
    """What was asked of the application."""
    with open_capture(path) as capture:
        return [each for each in capture if each.role is Role.INBOUND]


def answered(exchange: Exchange) -> tuple[int | None, bytes]:
    """What makes two answers the same: status and body, but for what is another one in every run."""
    body = exchange.response.body if exchange.response is not None else b""
    for varying in VARYING:
        body = varying.sub(b"*", body)
    return exchange.status, body


if __name__ == "__main__":
    sys.exit(main())
