"""Which protocols have a filter, and that it passes on what it does not understand."""

import pytest

from seamline.capture.wire.filters import filter_for
from seamline.capture.wire.protocols import CALL_PROTOCOLS


def test_most_protocols_pass_unchanged() -> None:
    assert filter_for("tcp") is None
    assert filter_for("redis") is None


@pytest.mark.parametrize("protocol", CALL_PROTOCOLS)
def test_what_is_not_the_protocol_passes_unchanged(protocol: str) -> None:
    factory = filter_for(protocol)
    if factory is not None:
        # Long enough that nothing is kept back for want of a whole message.
        noise = b"\xff" * 100
        made = factory(("127.0.0.1", 1))
        assert made.client(noise) == (noise, b"")
        assert made.server(noise) == noise
