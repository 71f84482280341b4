"""Exchanges and captures for tests: a few plain ones, and a hypothesis strategy over all that a record may hold."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import (
    Exchange,
    Failure,
    FailureKind,
    Link,
    LinkKind,
    Losses,
    Manifest,
    Request,
    Response,
    Role,
    Withheld,
)
from seamline.capture.store.writer import CaptureWriter

START_US = 1_793_527_200_000_000  # 2026-11-01T10:00:00Z
MANIFEST = Manifest("cap-1", START_US, "seamline 0.1.0", "tap", service="orders", hosts=("10.0.0.7:8080",))


def an_exchange(number: int = 0, **changes: object) -> Exchange:
    """The `number`th exchange of a plain capture, with `changes` of its fields."""
    fields: dict[str, object] = {
        "id": f"t-{number}",
        "seq": number,
        "role": Role.INBOUND,
        "protocol": "http",
        "service": "orders",
        "session": f"s{number % 3}",
        "started_us": START_US + number * 1000,
        "latency_us": 1500 + number,
        "request": Request("GET", f"/orders/{number}?page=1", Headers([("Host", "orders"), ("Accept", "*/*")])),
        "response": Response(
            200, Headers([("Content-Type", "application/json")]), b'{"id":%d,"price":9.90}' % number, "OK"
        ),
    }
    return Exchange(**{**fields, **changes})  # type: ignore[arg-type]  # the table above and its changes are typed loosely


def write_capture(
    path: Path,
    exchanges: Sequence[Exchange],
    losses: Losses | None = None,
    *,
    manifest: Manifest = MANIFEST,
    block_target: int = 256 << 10,
) -> Path:
    """A finished capture at `path`."""
    with CaptureWriter(path, manifest, block_target=block_target) as writer:
        for exchange in exchanges:
            assert writer.write(exchange)
        writer.losses = losses or Losses()
    return path


IDS = st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30) | st.text(max_size=10)
HEADERS = st.lists(st.tuples(TEXT, TEXT), max_size=6).map(Headers)
SPANS = st.integers(-(1 << 53), 1 << 53)


def _exchange_strategy() -> st.SearchStrategy[Exchange]:
    responses = st.builds(Response, st.integers(0, 999), HEADERS, st.binary(max_size=80), TEXT, TEXT)
    return st.builds(
        Exchange,
        id=IDS,
        seq=st.integers(0, (1 << 53) - 1),
        role=st.sampled_from(Role),
        protocol=TEXT,
        service=TEXT,
        session=TEXT,
        started_us=st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
        latency_us=SPANS,
        request=st.builds(Request, TEXT, TEXT, HEADERS, st.binary(max_size=80), TEXT, TEXT, TEXT),
        response=st.none() | responses,
        failure=st.none() | st.builds(Failure, st.sampled_from(FailureKind), TEXT),
        links=st.lists(st.builds(Link, IDS, st.sampled_from(LinkKind), st.floats(0, 1)), max_size=3).map(tuple),
        origin=st.none() | IDS,
        truncated=st.booleans(),
        lateness_us=SPANS,
        withheld=st.lists(st.builds(Withheld, TEXT, st.integers(0, 1 << 60), TEXT, TEXT), max_size=2).map(tuple),
    )


EXCHANGES = _exchange_strategy()
