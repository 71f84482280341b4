"""Written messages are those that a client reads: here, the decoder's own reader; a real client in the stub's tests."""

from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.messages import Column, Framer, parse_fields, parse_row_description


def read(raw: bytes) -> list[tuple[str, bytes]]:
    return [(chr(kind), body) for kind, body, _ in Framer().feed(raw)]


def test_the_short_ones() -> None:
    short = (
        write.PARSE_COMPLETE
        + write.BIND_COMPLETE
        + write.CLOSE_COMPLETE
        + write.NO_DATA
        + write.EMPTY_QUERY
        + write.SUSPENDED
        + write.COPY_DONE
    )
    assert [kind for kind, _ in read(short)] == list("123nIsc")
    assert read(write.AUTHENTICATED) == [("R", b"\0\0\0\0")]


def test_the_others() -> None:
    assert read(write.ready(b"T")) == [("Z", b"T")]
    assert read(write.parameter("a", "b")) == [("S", b"a\0b\0")]
    assert read(write.key_data(1, 2)) == [("K", b"\0\0\0\1\0\0\0\2")]
    assert read(write.negotiated()) == [("v", b"\0\3\0\0\0\0\0\0")]
    assert read(write.complete("SELECT 1")) == [("C", b"SELECT 1\0")]
    assert read(write.copy_response(b"G", 2)) == [("G", b"\0\0\2\0\0\0\0")]
    columns = (Column("a", 23, 1),)
    assert parse_row_description(read(write.row_description(columns))[0][1]) == columns


def test_a_zero_byte_ends_no_text_early() -> None:
    assert parse_fields(read(write.error({"M": "a\0b", "C": "1"}))[0][1]) == {"M": "ab", "C": "1"}
