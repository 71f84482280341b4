"""`python -m bench.realworld`: published applications, an old version against a new one, and each against itself.

Nobody here wrote these applications, and their changelogs say what changed: the report has to say it too, and has
to be quiet where nothing did. Each version runs in a virtual environment of its own (made on the first run); a real
client drives the old one through `seamline record`; `seamline verify` does the rest. docs/realworld.md keeps what
was found.
"""

import argparse
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from seamline.diffing.report.formats import render
from seamline.diffing.report.model import Report, Severity
from seamline.diffing.report.stored import parse_report

from . import realworld_data as data
from . import realworld_traffic as traffic

SEAMLINE = (sys.executable, "-m", "seamline.cli")


@dataclass(frozen=True, slots=True)
class Application:
    """One application: what to install for each version, how to start it, what a client asks of it.

    `start` is a shell command; `$BIN` is the version's virtual environment, `$DATA` the prepared data and `$PORT`
    the port to listen on. `expected` are what the changelog announces, as `surface.kind` with words of the place;
    none means that nothing may rise above info.
    """

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    start: str
    prepare: Callable[[Path], None]
    drive: Callable[[httpx.Client], None]
    expected: tuple[tuple[str, ...], ...]


APPLICATIONS = (
    Application(
        "datasette",
        ("datasette==0.64.8", "setuptools<80"),
        ("datasette==1.0a19", "setuptools<80"),
        "exec $BIN/datasette serve $DATA/shop.db --host 127.0.0.1 --port $PORT --setting num_sql_threads 1",
        data.database,
        traffic.datasette,
        (
            ("field_added", "$.ok"),
            ("type_changed", "$.rows[*]"),
            ("field_removed", "$."),
            ("status.changed", "GET /shop.json", "200→302"),
        ),
    ),
    Application(
        "httpbin",
        ("httpbin==0.7.0", "flask<2.1", "werkzeug<2.1", "markupsafe<2.1", "jinja2<3.1", "itsdangerous<2.1", "gunicorn"),
        ("httpbin==0.10.4", "gunicorn"),
        "exec $BIN/gunicorn --bind 127.0.0.1:$PORT --log-level error httpbin:app",
        data.nothing,
        traffic.httpbin,
        (("header.", "header.location"), ("status.changed", "/json")),
    ),
    Application(
        "pypiserver",
        ("pypiserver==1.5.2", "setuptools<80", "legacy-cgi"),
        ("pypiserver==2.4.2", "setuptools<80"),
        "exec $BIN/pypi-server run -i 127.0.0.1 -p $PORT $DATA/packages || "
        "exec $BIN/pypi-server -i 127.0.0.1 -p $PORT $DATA/packages",
        data.packages,
        traffic.pypiserver,
        (),
    ),
)

CONFIG = """[service]
name    = "{name}"
command = "sh -c '{start}'"
env     = {{ BIN = "{old}", DATA = "{data}", DATASETTE_SECRET = "only-for-this-run" }}
listen  = {{ env = "PORT" }}
ready   = {{ http = "/", timeout = "60s" }}

[record]
listen = "127.0.0.1:0"
output = "{name}.seam"

[verify]
capture = ["{name}.seam"]
budget  = "300s"
repeats = 3

[baseline]
env = {{ BIN = "{baseline}" }}

[candidate]
env = {{ BIN = "{candidate}" }}
"""


def main() -> int:
    """Compare; 1 where a report does not say what it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(application.name for application in APPLICATIONS)])
    parser.add_argument("--folder", type=Path, default=Path(".seamline/realworld"))
    options = parser.parse_args()
    verdicts = [
        compare(application, options.folder.absolute() / application.name)
        for application in APPLICATIONS
        if not options.names or application.name in options.names
    ]
    return 0 if all(verdicts) else 1


def compare(application: Application, folder: Path) -> bool:
    """Old against new, old against old, new against new."""
    folder.mkdir(parents=True, exist_ok=True)
    bins = {side: environment(folder / side, packages) for side, packages in sides_of(application).items()}
    application.prepare(folder)
    configure(application, folder, bins["old"], bins["old"], bins["new"])
    record(application, folder)
    pairs = {
        "old against new": ("old", "new"),
        "old against itself": ("old", "old"),
        "new against itself": ("new", "new"),
    }
    held = []
    for title, (baseline, candidate) in pairs.items():
        configure(application, folder, bins["old"], bins[baseline], bins[candidate])
        report = verify(folder, title.replace(" ", "-"))
        held.append(judge(application, title, report))
    return all(held)


def sides_of(application: Application) -> dict[str, tuple[str, ...]]:
    """What to install for each side."""
    return {"old": application.old, "new": application.new}


def environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """A virtual environment with `packages`, made once; its folder of programs."""
    bin_ = folder / Path(sysconfig.get_path("scripts")).name
    done = folder / ".installed"
    if not done.exists() or done.read_text() != "\n".join(packages):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(bin_ / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        done.write_text("\n".join(packages))
    return bin_


def configure(application: Application, folder: Path, old: Path, baseline: Path, candidate: Path) -> None:
    """The seamline.toml of one comparison."""
    text = CONFIG.format(
        name=application.name, start=application.start, data=folder, old=old, baseline=baseline, candidate=candidate
    )
    (folder / "seamline.toml").write_text(text, encoding="utf-8")


def record(application: Application, folder: Path) -> None:
    """Drive the old version through `seamline record`."""
    command = [*SEAMLINE, "record", "--config", "seamline.toml"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as recorder:
        assert recorder.stderr is not None
        address = re.search(r"http://[\d.:]+", recorder.stderr.readline())
        if address is None:
            raise RuntimeError(recorder.stderr.read())
        with httpx.Client(base_url=address.group(), timeout=30) as client:
            application.drive(client)
        recorder.send_signal(signal.SIGINT)
        print(f"{application.name}: {recorder.stderr.read().strip().splitlines()[-1]}", flush=True)


def verify(folder: Path, name: str) -> Report:
    """One `seamline verify`; its report, also kept as HTML."""
    stored = folder / f"{name}.json"
    command = [*SEAMLINE, "verify", "--config", "seamline.toml", "--quiet", "--format", "json", "-o", str(stored)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"verify ended with exit code {done.returncode}: {done.stderr[-1000:]}")
    report = parse_report(stored.read_text(encoding="utf-8"))
    stored.with_suffix(".html").write_text(render("html", report), encoding="utf-8")
    return report


def judge(application: Application, title: str, report: Report) -> bool:
    """Print what was found; whether it is what should have been."""
    print(f"\n== {application.name}, {title}: {report.verdict} {report.reason or ''}", flush=True)
    alarms = [finding for finding in report.findings if finding.severity > Severity.INFO]
    lines = [
        f"{finding.surface}.{finding.kind} {finding.endpoint} {finding.path or ''} {finding.transition}"
        for finding in report.findings
    ]
    for finding, line in zip(report.findings, lines, strict=True):
        print(f"  {finding.severity.word:8} {line} ({finding.requests} of {finding.of})")
    wanted = application.expected if title == "old against new" else ()
    missing = [want for want in wanted if not any(all(word in line for word in want) for line in lines)]
    held = not missing and bool(wanted) == bool(alarms)
    print(
        f"  {'as announced' if held else f'NOT AS ANNOUNCED: missing {missing}, {len(alarms)} above info'}", flush=True
    )
    return held


if __name__ == "__main__":
    sys.exit(main())
