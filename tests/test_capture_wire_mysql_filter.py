"""The filter: a greeting that offers no encryption, whatever chunks it comes in."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.filters import filter_for
from seamline.capture.wire.mysql.encode import OFFERED, greeting
from seamline.capture.wire.mysql.filter import MysqlFilter
from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import framed

ADDRESS = ("127.0.0.1", 3306)
OFFER = framed(0, greeting("8.0", 7, b"c" * 20, 2, OFFERED | Capability.SSL | Capability.COMPRESS))
PLAIN = framed(0, greeting("8.0", 7, b"c" * 20, 2, OFFERED))


def test_the_table_of_filters_knows_it() -> None:
    assert filter_for("mysql") is MysqlFilter


def test_a_greeting_loses_encryption_and_compression() -> None:
    for step in (1, 5, len(OFFER)):
        made = MysqlFilter(ADDRESS)
        assert b"".join(made.server(OFFER[at : at + step]) for at in range(0, len(OFFER), step)) == PLAIN
        assert made.is_done


def test_what_follows_the_greeting_passes() -> None:
    made = MysqlFilter(ADDRESS)
    assert made.server(OFFER + b"more") == PLAIN + b"more"


def test_a_refusal_passes() -> None:
    refusal = framed(0, b"\xff\x10\x04Too many connections")
    made = MysqlFilter(ADDRESS)
    assert made.server(refusal) == refusal
    assert made.is_done


def test_the_clients_bytes_pass() -> None:
    assert MysqlFilter(ADDRESS).client(b"early") == (b"early", b"")


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_no_bytes_raise_and_only_a_greeting_is_changed(chunks: list[bytes]) -> None:
    made = MysqlFilter(ADDRESS)
    passed = b""
    for chunk in chunks:
        passed += made.server(chunk) if not made.is_done else chunk
    whole = b"".join(chunks)
    assert len(passed) == len(whole) or (whole.startswith(passed) and not made.is_done)
