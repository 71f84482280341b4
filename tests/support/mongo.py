"""A MongoDB-compatible server for tests, in this process."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def mongo_server(folder: Path) -> Iterator[tuple[str, int]]:
    """The server's address; its data is in `folder`."""
    secantus = pytest.importorskip("secantus", reason="SecantusDB is not installed")
    with secantus.SecantusDBServer(storage_path=str(folder)) as server:
        host, _, port = server.uri.removeprefix("mongodb://").partition("/")[0].partition(":")
        yield host, int(port)
