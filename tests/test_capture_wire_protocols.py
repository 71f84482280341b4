"""Every protocol that is offered has its decoder."""

import pytest

from seamline.capture.errors import UsageError
from seamline.capture.model import FailureKind
from seamline.capture.wire.call import Call
from seamline.capture.wire.protocols import CALL_PROTOCOLS, decoder_for


class Silent:
    """Events of a connection on which nothing may happen."""

    def begun(self, call: Call) -> None:
        raise AssertionError(call.method)

    ended = begun

    def gap(self, reason: str) -> None:
        raise AssertionError(reason)


@pytest.mark.parametrize("protocol", CALL_PROTOCOLS)
def test_a_connection_without_bytes_has_no_calls(protocol: str) -> None:
    decoder = decoder_for(protocol)("c-1", Silent())
    assert not decoder.in_flight
    decoder.lost(FailureKind.CANCELLED, "the client left", 1)


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(UsageError, match='"gopher" is not recorded'):
        decoder_for("gopher")
