"""A real MariaDB for tests: data of its own in a temporary folder, on a free loopback port."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from seamline.replay.environments.ports import free_ports

PASSWORD = "secret"


@dataclass(frozen=True)
class MariadbServer:
    """Where it listens; "root" is its administrator."""

    host: str
    port: int

    def run(self, *statements: str, database: str | None = None, user: str = "root") -> list[tuple[object, ...]]:
        """Run statements one after the other; the rows of the last one."""
        connection = pymysql.connect(
            host=self.host, port=self.port, user=user, password=PASSWORD, database=database, autocommit=True
        )
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()


@contextlib.contextmanager
def mariadb_server() -> Iterator[MariadbServer]:
    """A server that is up, and gone afterwards."""
    server, install = shutil.which("mariadbd", path=_PATH), shutil.which("mariadb-install-db", path=_PATH)
    if server is None or install is None:
        pytest.skip("MariaDB is not installed")
    # As root it would refuse to start without a user to become.
    user = "mysql" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="seamline-my-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        setup = folder / "setup.sql"
        setup.write_text(
            f"CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        setup.chmod(0o644)
        made = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        subprocess.run([*made, "--skip-test-db"], user=user, cwd=folder, capture_output=True, check=True)
        [port] = free_ports(1)
        options = [
            f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}",
            f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve",
            f"--init-file={setup}",
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [server, "--no-defaults", *options], stdout=log, stderr=log, cwd=folder, user=user
            )
        try:
            found = MariadbServer("127.0.0.1", port)
            _await(process, found, folder / "log")
            yield found
        finally:
            process.kill()
            process.wait(timeout=30)


_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def _await(process: "subprocess.Popen[bytes]", server: MariadbServer, log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            server.run("SELECT 1")
        except pymysql.MySQLError:
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.05)
        else:
            return
