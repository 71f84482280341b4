import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.wire.call import BODY_CAP
from seamline.capture.wire.nats_frames import LONGEST_LINE, Frame, FrameReader, Malformed, is_printable, parse_headers


def frames(data: bytes, step: int = 0) -> list[Frame]:
    out: list[Frame] = []
    reader = FrameReader()
    for begin in range(0, len(data), step or len(data) or 1):
        reader.feed(data[begin : begin + step] if step else data, out)
    return out


ALL = (
    b"INFO {\"a\": 1}\r\nCONNECT {}\r\nPING\r\nPONG\r\n+OK\r\n-ERR 'no'\r\nSUB a.* 1\r\nUNSUB 1 5\r\n"
    b"pub a 3\r\na\r\n\r\nMSG a 1 b 0\r\n\r\nHPUB a b 12 13\r\nNATS/1.0\r\n\r\nx\r\nHMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n"
)


@pytest.mark.parametrize("step", [0, 1, 2, 5, 13])
def test_every_verb_in_any_split(step: int) -> None:
    got = frames(ALL, step)
    assert [frame.verb for frame in got] == [
        b"INFO", b"CONNECT", b"PING", b"PONG", b"+OK", b"-ERR", b"SUB", b"UNSUB", b"PUB", b"MSG", b"HPUB", b"HMSG",
    ]  # fmt: skip
    assert got[8].payload == b"a\r\n"
    assert (got[10].payload, got[10].headers) == (b"NATS/1.0\r\n\r\nx", 12)


@pytest.mark.parametrize("step", [0, 70_000])
def test_a_payload_beyond_the_cap_is_hashed(step: int) -> None:
    data = b"PUB a %d\r\n" % (BODY_CAP + 1) + b"x" * (BODY_CAP + 1) + b"\r\n"
    first, second, ping = frames(data + data + b"PING\r\n", step)
    assert first == second
    assert (first.payload, first.size, len(first.digest)) == (b"", BODY_CAP + 1, 32)
    assert ping.verb == b"PING"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"\r\n", b"PUB a x\r\n", b"PUB 5\r\n", b"PUB a -5\r\n",
        b"HPUB a 9 5\r\n", b"HPUB a 5\r\n", b"PUB a 99999999999\r\n", b"INFO " + b"x" * (LONGEST_LINE + 1),
    ],
)  # fmt: skip
def test_what_is_no_nats_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        frames(data)


@given(st.binary(max_size=200), st.integers(1, 20))
def test_random_bytes_are_read_or_refused(data: bytes, step: int) -> None:
    for raw in (data, ALL[: len(data)] + data):
        try:
            frames(raw, step)
        except Malformed as error:
            assert "b'" not in str(error)


@pytest.mark.parametrize(
    ("block", "headers", "status"),
    [
        (b"NATS/1.0\r\nA: 1\r\nA:2\r\n\r\n", (("A", "1"), ("A", "2")), ""),
        (b"NATS/1.0 404 No Messages\r\n\r\n", (), "404"),
        (b"NATS/1.0 503\r\nNats-Subject: x\r\n\r\n", (("Nats-Subject", "x"),), "503"),
        (b"NATS/1.0\r\n\xff: \xff\r\nno colon\r\n\r\n", (("\xff", "\xff"),), ""),
        (b"", (), ""),
    ],
)
def test_header_blocks(block: bytes, headers: tuple[tuple[str, str], ...], status: str) -> None:
    assert parse_headers(block) == (Headers(headers), status)


def test_what_a_line_begins_with() -> None:
    assert is_printable(b"P"[0])
    assert not is_printable(0x16)
