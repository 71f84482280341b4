"""Exchange and its parts."""

from dataclasses import FrozenInstanceError, replace

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Losses, Request, Response, Role

SAMPLE = Exchange(
    id="a-1",
    seq=1,
    role=Role.OUTBOUND,
    protocol="http",
    service="pricing",
    session="s",
    started_us=1_000_000,
    latency_us=5_000,
    request=Request("GET", "/", Headers()),
)


def test_parent_is_the_best_link() -> None:
    links = (Link("a-0", LinkKind.PROPAGATED, 1.0), Link("a-9", LinkKind.TIME, 0.5))
    assert SAMPLE.parent is None
    assert replace(SAMPLE, links=links).parent == "a-0"


def test_service_time_leaves_lateness_out() -> None:
    assert replace(SAMPLE, lateness_us=2_000).service_us == 3_000


def test_exchanges_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SAMPLE.seq = 2  # type: ignore[misc]  # the point of the test


def test_losses_add_up_with_their_reasons() -> None:
    total = Losses(dropped=1, reasons={"queue full": 1}) + Losses(
        dropped=2, truncated=1, reasons={"queue full": 2, "body over the cap": 1}
    )
    assert total == Losses(dropped=3, truncated=1, reasons={"queue full": 3, "body over the cap": 1})


def test_the_status_is_the_answers() -> None:
    assert SAMPLE.status is None
    assert replace(SAMPLE, response=Response(404, Headers())).status == 404
