"""The demonstration: the sample shop as a repository of its own, and the commands that its user would type.

Nothing here reaches into Seamline: `record` and `verify` run as processes, their reports are read from files.
"""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..capture.errors import CouldNotCheck, UsageError
from ..capture.text import printable
from ..diffing.report.formats import render
from ..diffing.report.model import Finding, Report, Severity, Verdict
from ..diffing.report.stored import parse_report

MARKER = ".seamline-demo"
USUAL_PORTS = {5432: "postgres", 6379: "redis", 4222: "nats"}
SEAMLINE = (sys.executable, "-m", "seamline.cli")


@dataclass(frozen=True, slots=True)
class Case:
    """A change and what it must lead to: for a regression the kind of a finding, and words of the place it names."""

    name: str
    what: str
    kind: str | None = None
    place: tuple[str, ...] = ()


CASES = (
    Case("no-change", "the shop against itself"),
    Case("field-type", "total becomes a string", "response.type_changed", ("GET /api/orders/{id}", "$.total")),
    Case(
        "header-dropped",
        "traceparent lost two hops deep",
        "propagation.missing_header",
        ("pricing", "header.traceparent"),
    ),
    Case("query-per-line", "a query for each line", "sql.count_scaling", ("GET /api/orders/{id}", "db")),
    Case(
        "missing-call",
        "cancelled goods not put back",
        "http.missing",
        ("POST /api/orders/{id}/cancel", "inventory", "POST /releases"),
    ),
    Case("event-field", "an event loses a field", "bus.payload_changed", ("POST /api/orders", "bus", "$.items")),
    Case("slower-endpoint", "quotes take 8 ms longer", "latency.location", ("GET /api/quote",)),
    Case("calls-in-parallel", "refactoring: independent calls at once"),
    Case("tidy-json", "refactoring: key order, white space, client name"),
)
MORE = (
    Case("rounding", "tax rounded half up", "response.value_changed", ("$.tax",)),
    Case("n-plus-one", "a stock call for each line", "http.count_scaling", ("GET /api/orders/{id}", "inventory")),
)
"""Further changes, for whoever has more than a minute."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The sample's repository and where its reports go."""

    folder: Path
    console: Console

    @property
    def repository(self) -> Path:
        return self.folder / "shop"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verification of a case came to."""

    case: Case
    report: Report
    page: Path

    @property
    def hit(self) -> Finding | None:
        """The finding that the case is about."""
        return next((finding for finding in self.alarms if matches(finding, self.case)), None)

    @property
    def alarms(self) -> list[Finding]:
        """The findings above info."""
        return [finding for finding in self.report.findings if finding.severity > Severity.INFO]

    @property
    def as_expected(self) -> bool:
        """Found at its place; or, for a harmless change, judged the same with nothing above info."""
        if self.case.kind is None:
            return self.report.verdict is Verdict.SAME and not self.alarms
        return self.hit is not None


def chosen(names: Sequence[str], *, everything: bool = False) -> list[Case]:
    """The cases of these names, or those that fit into a minute, or all."""
    known = {case.name: case for case in (*CASES, *MORE)}
    for name in names:
        if name not in known:
            raise UsageError(f"no such change: {name}", f"one of {', '.join(known)}")
    return [known[name] for name in names] or list(known.values() if everything else CASES)


def matches(finding: Finding, case: Case) -> bool:
    """Whether `finding` is of the case's kind and names each word of its place."""
    named = (finding.endpoint, finding.path, finding.service, finding.operation)
    return f"{finding.surface}.{finding.kind}" == case.kind and all(word in named for word in case.place)


_ENDS_WITHIN_S = 30


@contextmanager
def servers(console: Console) -> Iterator[Mapping[str, int]]:
    """The database, the cache and the bus that the shop runs on, as a process of their own; their ports by name."""
    command = [sys.executable, "-m", "seamline.samples.shop.servers"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), process_group=0
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            ports = process.stdout.readline()
            if not ports:
                words = printable((process.stderr.read().strip().splitlines() or ["without a word"])[-1], 400)
                raise CouldNotCheck(f"the shop's servers did not start: {words}", "pip install 'seamline[demo]'")
            console.print("PostgreSQL, Redis and NATS are up.")
            yield json.loads(ports)
        finally:
            _end(process)


def prepare(folder: Path, console: Console, ports: Mapping[str, int]) -> Shop:
    """A fresh repository with the shop on `main`, its servers at `ports`. Only a folder that an earlier demo made is
    cleared."""
    if shutil.which("git") is None:
        raise UsageError("git is not on PATH", "the demo's baseline is a git revision: install git")
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise UsageError(f"{folder} is not empty and was not made by a demo", "give another folder with -o")
        shutil.rmtree(folder)
    shop = Shop(folder, console)
    (shop.repository / "shop").mkdir(parents=True)
    shop.reports.mkdir()
    (folder / MARKER).touch()
    source = files("seamline.samples.shop")
    for item in source.iterdir():
        if item.name.endswith((".py", ".sql")):
            (shop.repository / "shop" / item.name).write_bytes(item.read_bytes())
    config = (source / "seamline.toml").read_text(encoding="utf-8")
    for usual, protocol in USUAL_PORTS.items():
        config = config.replace(f'"127.0.0.1:{usual}"', f'"127.0.0.1:{ports[protocol]}"')
    (shop.repository / "seamline.toml").write_text(config, encoding="utf-8")
    (shop.repository / ".gitignore").write_text("__pycache__/\n.seamline/\ncaptures/\n", encoding="utf-8")
    git(shop, "init", "-q", "-b", "main")
    git(shop, "add", "-A")
    git(shop, "-c", "user.name=demo", "-c", "user.email=demo@example.com", "commit", "-q", "-m", "The shop")
    return shop


def record(shop: Shop, seed: int, requests: int) -> None:
    """Record `requests` seeded requests through `seamline record`, as its user would."""
    command = [*SEAMLINE, "record", "--config", "seamline.toml"]
    with subprocess.Popen(
        command, cwd=shop.repository, stderr=subprocess.PIPE, text=True, env=environment()
    ) as recorder:
        assert recorder.stderr is not None
        try:
            first = recorder.stderr.readline()
            address = re.search(r"http://[\d.:]+", first)
            if address is None:
                raise CouldNotCheck(f"the recorder did not start: {printable(first + recorder.stderr.read()).strip()}")
            traffic = [sys.executable, "-m", "shop.traffic", address.group(), "--seed", str(seed)]
            run([*traffic, "--requests", str(requests)], shop.repository)
            recorder.send_signal(signal.SIGINT)
            shop.console.print(recorder.stderr.read().strip().splitlines()[-1])
        finally:
            _end(recorder)
    if recorder.returncode:
        raise CouldNotCheck(f"recording ended with exit code {recorder.returncode}")


def verify(shop: Shop, case: Case, seed: int) -> Outcome:
    """Make the change in the working tree, verify it against `main`, take it back."""
    patch = files("seamline.samples.shop") / "changes" / f"{case.name}.patch"
    changed = case.name != "no-change"
    if changed:
        git(shop, "apply", "-", text=patch.read_text(encoding="utf-8"))
    stored = shop.reports / f"{case.name}.json"
    command = [*SEAMLINE, "verify", "--config", "seamline.toml", "--seed", str(seed), "--quiet"]
    try:
        run([*command, "--format", "json", "-o", str(stored)], shop.repository, accepted=(0, 1))
    finally:
        if changed:
            git(shop, "checkout", "-q", "--", ".")
    report = parse_report(stored.read_text(encoding="utf-8"))
    page = stored.with_suffix(".html")
    page.write_text(render("html", report), encoding="utf-8")
    outcome = Outcome(case, report, page)
    mark = "as expected" if outcome.as_expected else "NOT AS EXPECTED"
    shop.console.print(f"{case.name}: {report.verdict}, {mark}")
    return outcome


def table(outcomes: Sequence[Outcome], *, no_color: bool) -> str:
    """What was found where, and the page to open."""
    rows = Table(title="Each change verified against main", title_justify="left")
    for column in ("change", "what it does", "verdict", "found", "where", "as expected"):
        rows.add_column(column, overflow="fold")
    for outcome in outcomes:
        rows.add_row(
            outcome.case.name,
            outcome.case.what,
            str(outcome.report.verdict),
            counts(outcome),
            where(outcome),
            "yes" if outcome.as_expected else "NO",
        )
    regressions = [outcome for outcome in outcomes if outcome.case.kind is not None]
    harmless = [outcome for outcome in outcomes if outcome.case.kind is None]
    found = sum(outcome.as_expected for outcome in regressions)
    quiet = sum(outcome.as_expected for outcome in harmless)
    out = io.StringIO()
    console = Console(file=out, width=120, no_color=no_color or "NO_COLOR" in os.environ, highlight=False)
    console.print(rows)
    console.print(f"{found} of {len(regressions)} regressions found at their place,", end=" ")
    console.print(f"{quiet} of {len(harmless)} harmless changes left in peace.")
    page = next((outcome.page for outcome in outcomes if outcome.alarms), outcomes[0].page)
    console.print(f"Report: {page}", soft_wrap=True)
    return out.getvalue()


def counts(outcome: Outcome) -> str:
    """How many findings of each severity."""
    numbers = {
        severity.word: sum(finding.severity is severity for finding in outcome.report.findings)
        for severity in sorted(Severity, reverse=True)
    }
    return ", ".join(f"{number} {word}" for word, number in numbers.items() if number) or "nothing"


def where(outcome: Outcome) -> str:
    """The place of the finding that matters, in one line."""
    finding = outcome.hit or (outcome.alarms[0] if outcome.alarms else None)
    if finding is None:
        return "–"
    parts = (finding.endpoint, finding.path, finding.service, finding.operation, finding.transition)
    return printable(f"{finding.surface}.{finding.kind}: " + " · ".join(part for part in parts if part), 200)


def git(shop: Shop, *arguments: str, text: str | None = None) -> None:
    """One git command in the sample's repository."""
    run(["git", *arguments], shop.repository, text=text)


def run(command: list[str], cwd: Path, *, accepted: tuple[int, ...] = (0,), text: str | None = None) -> None:
    """Run `command`; CouldNotCheck with its last words where it fails."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment()
    ) as process:
        try:
            out, err = process.communicate(text)
        except BaseException:
            _end(process)
            raise
    if process.returncode not in accepted:
        words = printable((err or out).strip()[-600:])
        raise CouldNotCheck(f"{' '.join(command[:4])} … ended with exit code {process.returncode}: {words}")


def _end(process: subprocess.Popen[str]) -> None:
    """Have it take down what it has started, and wait for that: after a Ctrl-C nothing else does."""
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def environment() -> dict[str, str]:
    """This process's environment, with its Python first on PATH: the sample's command says `python`."""
    own = str(Path(sys.executable).parent)
    return os.environ | {"PATH": f"{own}{os.pathsep}{os.environ.get('PATH', '')}"}
