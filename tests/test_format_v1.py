"""samples/formats/v1.seam, a capture of format version 1: every later Seamline reads it, field by field.

The file is frozen. It was made once, by the first Seamline, with

    with CaptureWriter(Path("samples/formats/v1.seam"), MANIFEST, block_target=400) as writer:
        for exchange in EXCHANGES:
            writer.write(exchange)
        writer.losses = LOSSES

and is never made again: if this test fails, a reader has forgotten version 1. The values below are written out in
full, so that no helper that changes later can change them.
"""

import hashlib
from pathlib import Path

import pytest

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
from seamline.capture.store.reader import open_capture

FILE = Path(__file__).parent.parent / "samples" / "formats" / "v1.seam"
SHA256 = "128c48cebd61ef4cf58606ea932a6c645fa2ece50ed9438fe5b5a6c709925cdd"

MANIFEST = Manifest(
    capture_id="cap-v1",
    created_us=1_793_527_200_000_000,
    tool="seamline 0.1.0",
    engine="tap",
    service="orders",
    hosts=("orders.internal:8080", "10.0.0.7:8080"),
    key_id="k-5f1d",
    rules="r-0a9b",
    replayed="cap-v0",
    notes={"listen": "127.0.0.1:8080", "näme": "wért"},
)

LOSSES = Losses(
    dropped=1,
    withheld=2,
    truncated=3,
    gaps=4,
    skipped=5,
    expired=6,
    reasons={"queue full": 1, "body: not JSON": 2, "body over the cap": 3, "bytes missing": 4, "not safe": 5, "old": 6},
)

EXCHANGES = (
    Exchange(
        id="v1-0",
        seq=0,
        role=Role.INBOUND,
        protocol="http",
        service="orders",
        session="s-1",
        started_us=1_793_527_200_000_001,
        latency_us=4_250,
        request=Request(
            "POST",
            "/orders?dry=1&dry=2",
            Headers([("Host", "orders"), ("Cookie", "a=1"), ("cookie", "b=2"), ("X-Latin", "caf\xe9")]),
            b'{"sku":"A-1","qty":2}',
            "1.1",
        ),
        response=Response(
            201,
            Headers([("Content-Type", "application/json"), ("Set-Cookie", "x"), ("Set-Cookie", "y")]),
            b"{}",
            "Created",
        ),
    ),
    Exchange(
        id="v1-1",
        seq=1,
        role=Role.OUTBOUND,
        protocol="http",
        service="pricing",
        session="s-1",
        started_us=1_793_527_200_001_000,
        latency_us=900,
        request=Request("GET", "http://pricing:7002/price/A-1", Headers(), b"", "1.0"),
        response=Response(200, Headers(), b'{"price":9.90}', "", "1.0"),
        links=(
            Link("v1-0", LinkKind.PROPAGATED, 1.0),
            Link("v1-9", LinkKind.VALUE, 0.75),
            Link("v1-8", LinkKind.LANE, 0.5),
            Link("v1-7", LinkKind.TIME, 0.25),
        ),
    ),
    *(
        Exchange(
            id=f"v1-{seq}",
            seq=seq,
            role=Role.OUTBOUND,
            protocol="http",
            service="payments",
            session="",
            started_us=1_793_527_200_002_000 + seq,
            latency_us=30_000_000,
            request=Request("PUT", "*", Headers(), b"", ""),
            failure=Failure(kind, f"detail of {kind.value}"),
        )
        for seq, kind in enumerate(FailureKind, 2)
    ),
    Exchange(
        id="v1-8",
        seq=8,
        role=Role.INBOUND,
        protocol="http",
        service="orders",
        session="s-2",
        started_us=1_793_527_200_003_000,
        latency_us=70,
        request=Request("POST", "/upload", Headers([("Content-Type", "image/png")]), bytes(range(256)) * 4),
        response=Response(200, Headers([("Content-Encoding", "gzip")]), b"\x1f\x8b\x08\x00\xff\xfe", "OK"),
        withheld=(
            Withheld("request.body", 1_234_567, "9c0ffee0", "not JSON"),
            Withheld("response.headers", 0, "", "parser gave up"),
        ),
    ),
    Exchange(
        id="v1-9",
        seq=9,
        role=Role.INBOUND,
        protocol="http",
        service="orders",
        session="s-2",
        started_us=-1,
        latency_us=5_000,
        request=Request("GET", "/\udcff☃", Headers([("Empty", "")])),
        response=Response(999, Headers(), b"", "Whatever"),
        failure=Failure(FailureKind.TRUNCATED, "cut at 1048576"),
        origin="cap-v0-17",
        truncated=True,
        lateness_us=1_500,
    ),
)


def test_the_file_is_the_one_that_was_frozen() -> None:
    assert FILE.stat().st_size < 50_000
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256


def test_the_manifest_is_read() -> None:
    with open_capture(FILE) as capture:
        assert capture.manifest == MANIFEST


def test_the_losses_are_read() -> None:
    with open_capture(FILE) as capture:
        assert (capture.losses, capture.complete, capture.count) == (LOSSES, True, len(EXCHANGES))


@pytest.mark.parametrize("place", range(len(EXCHANGES)), ids=lambda place: EXCHANGES[place].id)
def test_every_field_of_every_exchange_is_read(place: int) -> None:
    with open_capture(FILE) as capture:
        found = list(capture)[place]
    expected = EXCHANGES[place]
    for field in Exchange.__dataclass_fields__:
        assert getattr(found, field) == getattr(expected, field), field


def test_it_holds_every_kind_of_everything() -> None:
    assert {e.role for e in EXCHANGES} == set(Role)
    assert {e.failure.kind for e in EXCHANGES if e.failure} == set(FailureKind)
    assert {link.how for e in EXCHANGES for link in e.links} == set(LinkKind)


def test_it_has_more_than_one_block_and_an_index_of_them() -> None:
    with open_capture(FILE) as capture:
        assert capture.index is not None
        assert len(capture.index.entries) > 2
        assert capture.index.seqs == (0, 9)
