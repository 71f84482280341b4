"""The filter: what is changed, whatever chunks it comes in, and that all else passes."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.filters import filter_for
from seamline.capture.wire.kafka.filter import KafkaFilter
from support.kafka_talk import i16, i32, metadata, request, response, string

TAP = ("127.0.0.1", 9999)


def passed(made: KafkaFilter, pieces: list[tuple[str, bytes]], step: int = 1 << 20) -> bytes:
    out = b""
    for who, data in pieces:
        for at in range(0, len(data), step):
            if who == "client":
                assert made.client(data[at : at + step]) == (data[at : at + step], b"")
            else:
                out += made.server(data[at : at + step])
    return out


FIND = response(3, i32(0) + i16(0) + string(None) + i32(1) + string("b") + i32(1))
TALK = [
    request(18, 0, 1, b""), request(3, 8, 2, b"x" * 2000), request(10, 2, 3, b"group"), request(12, 3, 4, b"beat"),
    response(1, i16(0) + i32(1) + i16(0) + i16(3) + i16(12)), metadata(2, (1, "b", 1)), FIND, response(4, b"y" * 3000),
]  # fmt: skip
EXPECTED = b"".join(
    piece[1]
    for piece in (
        response(1, i16(0) + i32(1) + i16(0) + i16(3) + i16(8)),
        metadata(2, (1, *TAP)),
        response(3, i32(0) + i16(0) + string(None) + i32(1) + string(TAP[0]) + i32(TAP[1])),
        response(4, b"y" * 3000),
    )
)


def test_the_table_of_filters_knows_it() -> None:
    assert filter_for("kafka") is KafkaFilter


def test_versions_and_addresses_are_changed_in_any_chunks() -> None:
    for step in (1, 7, 100, 1 << 20):
        assert passed(KafkaFilter(TAP), TALK, step) == EXPECTED


def test_several_brokers_stay_where_they_are() -> None:
    several = metadata(2, (1, "a", 1), (2, "b", 2))
    talk = [request(3, 8, 2, b""), request(10, 2, 3, b"group"), several, FIND]
    assert passed(KafkaFilter(TAP), talk) == several[1] + FIND[1]


def test_a_wildcard_is_advertised_as_this_host() -> None:
    made = KafkaFilter(("0.0.0.0", 9999))
    assert passed(made, [request(3, 8, 2, b""), metadata(2, (1, "b", 1))]) == metadata(2, (1, "localhost", 9999))[1]


def test_another_protocol_passes_and_the_filter_is_done() -> None:
    made = KafkaFilter(TAP)
    assert made.client(b"\x16\x03\x01" + b"\xff" * 600)[0] == b"\x16\x03\x01" + b"\xff" * 600
    assert made.is_done


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=40)), max_size=8))
def test_hostile_bytes_pass_unchanged(pieces: list[tuple[str, bytes]]) -> None:
    made = KafkaFilter(TAP)
    out = b""
    for who, data in pieces:
        if who == "client":
            assert made.client(data) == (data, b"")
        else:
            out += data if made.is_done else made.server(data)
    said = b"".join(data for who, data in pieces if who == "server")
    assert said.startswith(out)
    assert len(said) - len(out) < 8
