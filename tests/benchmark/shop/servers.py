"""`python -m tests.benchmark.shop.servers`: the sample shop's PostgreSQL, Redis and NATS, with this shop's template.

The addresses are printed as a line of JSON.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psycopg

from seamline.samples.shop import servers

from .catalog import PRODUCTS

TEMPLATE = "benchmark_template"


@contextmanager
def running(ports: servers.Ports | None = None) -> Iterator[servers.Ports]:
    """The three servers, until the block is left."""
    with servers.running(ports) as known:
        make_template(known.postgres)
        yield known


def make_template(port: int) -> None:
    """The database that every side gets a copy of."""
    with psycopg.connect(servers.url(port), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    with psycopg.connect(servers.url(port, TEMPLATE)) as connection:
        connection.execute(Path(__file__).with_name("schema.sql").read_bytes())
        for product in PRODUCTS.values():
            connection.execute("INSERT INTO stock VALUES (%s, %s)", (product.sku, product.stock))
            connection.execute("INSERT INTO prices VALUES (%s, %s)", (product.sku, product.price))


def main() -> None:
    """Run until told to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with running() as ports:
        sys.stdout.write(json.dumps(asdict(ports)) + "\n")
        sys.stdout.flush()
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
