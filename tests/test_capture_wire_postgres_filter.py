"""Encryption is declined, everything else passes."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.postgres.filter import PostgresFilter
from seamline.capture.wire.postgres.messages import GSSENC_REQUEST, SSL_REQUEST
from support import pg_messages as pg

START = pg.startup(user="app")


def test_a_client_that_asks_for_encryption_hears_no() -> None:
    made = PostgresFilter(("127.0.0.1", 1))
    assert made.client(pg.special(GSSENC_REQUEST)) == (b"", b"N")
    assert not made.is_done
    assert made.client(pg.special(SSL_REQUEST)) == (b"", b"N")
    assert made.client(START) == (START, b"")
    assert made.is_done
    assert made.server(b"R") == b"R"


def test_a_request_in_pieces_with_what_follows() -> None:
    made = PostgresFilter(("127.0.0.1", 1))
    raw = pg.special(SSL_REQUEST)
    assert made.client(raw[:3]) == (b"", b"")
    assert made.client(raw[3:] + START) == (START, b"N")


@given(st.binary(min_size=8, max_size=60))
def test_no_byte_is_lost_or_made_up(data: bytes) -> None:
    made = PostgresFilter(("127.0.0.1", 1))
    passed, answer = made.client(data)
    assert data.endswith(passed)
    assert len(data) - len(passed) == 8 * len(answer) or not made.is_done
