import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.filters import filter_for
from seamline.capture.wire.nats_filter import NatsFilter

ELSEWHERE = b'INFO {"server_id":"x","connect_urls":["10.0.0.1:4222"],"ws_connect_urls":["10.0.0.1:80"],"port":4222}\r\n'
HERE = b'INFO {"server_id":"x","port":4222}\r\n'
PAYLOAD = b"MSG a 1 %d\r\n%b\r\n" % (len(ELSEWHERE), ELSEWHERE)


def through(data: bytes, step: int = 0) -> tuple[bytes, NatsFilter]:
    made = NatsFilter(("127.0.0.1", 1))
    out = b"".join(
        made.server(data[begin : begin + step] if step else data) for begin in range(0, len(data), step or len(data))
    )
    return out, made


def test_the_table_of_filters_knows_it() -> None:
    assert filter_for("nats") is NatsFilter


@pytest.mark.parametrize("step", [0, 1, 3, 50])
def test_other_servers_are_left_out_wherever_they_are_told(step: int) -> None:
    data = ELSEWHERE + b"PING\r\n+OK\r\n" + PAYLOAD + ELSEWHERE + b"-ERR 'x'\r\n"
    out, made = through(data, step)
    assert out == HERE + b"PING\r\n+OK\r\n" + PAYLOAD + HERE + b"-ERR 'x'\r\n"
    assert not made.is_done


def test_an_info_line_that_names_nobody_passes_as_it_is() -> None:
    line = b'INFO { "server_id": "x",  "tls_required": true }\r\n'
    assert through(line)[0] == line
    assert through(b"INFO no json\r\n")[0] == b"INFO no json\r\n"
    assert through(b"INFO 5\r\n")[0] == b"INFO 5\r\n"


def test_tls_is_left_as_the_server_says_it() -> None:
    out, _ = through(b'INFO {"tls_required":true,"tls_available":true,"connect_urls":["x"]}\r\n')
    assert orjson.loads(out[5:]) == {"tls_required": True, "tls_available": True}


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x03\x00\x7a", b"HTTP/1.1 200 OK\r\n\r\n", b"MSG a 1 x\r\n", b"MSG a 1 -9\r\n"]
)
def test_what_is_no_nats_passes_and_ends_the_filter(data: bytes) -> None:
    out, made = through(HERE + data)
    assert out == HERE + data
    assert made.is_done


def test_a_client_passes() -> None:
    assert NatsFilter(("h", 1)).client(b"CONNECT {}\r\n") == (b"CONNECT {}\r\n", b"")


@given(st.binary(min_size=1, max_size=200), st.integers(1, 30))
def test_bytes_without_info_lines_pass_unchanged(data: bytes, step: int) -> None:
    if b"INFO" in data.upper():
        return
    out, made = through(data, step)
    assert data.startswith(out)
    # What is held back is a line that has not ended.
    assert out == data or b"\r\n" not in data[len(out) :]
    assert made.is_done or len(data) - len(out) <= len(data)
