"""Addresses and versions in responses."""

import pytest

from seamline.capture.wire.kafka.addresses import brokers_of, coordinator_moved, versions_capped, with_address
from seamline.capture.wire.kafka.frames import Malformed
from support.kafka_talk import i16, i32, metadata, string

TAP = ("tap.example", 9999)


@pytest.mark.parametrize("version", [0, 1, 3, 8])
def test_a_brokers_address_is_found_and_moved(version: int) -> None:
    body = metadata(7, (1, "broker.internal", 9092), version=version)[1][4:]
    (broker,) = brokers_of(body, version)
    assert (broker.node, broker.host, broker.port) == (1, "broker.internal", 9092)
    assert with_address(body, broker.start, broker.end, TAP) == metadata(7, (1, *TAP), version=version)[1][4:]


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_coordinator_is_moved_unless_there_is_none(version: int) -> None:
    def body(error: int, host: str, port: int) -> bytes:
        start = i32(0) if version else b""
        return i32(7) + start + i16(error) + (string(None) if version else b"") + i32(1) + string(host) + i32(port)

    assert coordinator_moved(body(0, "b", 1), version, TAP) == body(0, *TAP)
    assert coordinator_moved(body(15, "", -1), version, TAP) == body(15, "", -1)


def test_versions_are_capped_in_both_forms() -> None:
    plain = (
        i32(7) + i16(0) + i32(3) + i16(0) + i16(3) + i16(12) + i16(1) + i16(14) + i16(16) + i16(18) + i16(0) + i16(4)
    )
    capped = versions_capped(plain, 0)
    # Produce is lowered; a Fetch that starts beyond what is read stays; so does what is of no interest.
    assert capped == plain.replace(i16(0) + i16(3) + i16(12), i16(0) + i16(3) + i16(8))
    flexible = i32(7) + i16(0) + b"\x02" + i16(3) + i16(0) + i16(13) + b"\0" + i32(0) + b"\0"
    assert versions_capped(flexible, 3) == flexible.replace(i16(13), i16(8))
    with_features = flexible[:-1] + b"\x01\x02\x03abc"
    assert versions_capped(with_features, 3) == versions_capped(flexible, 3)
    refused = i32(7) + i16(35) + i32(1) + i16(3) + i16(0) + i16(13)
    assert versions_capped(refused, 4) == refused.replace(i16(13), i16(8))


@pytest.mark.parametrize("body", [b"", i32(7) + i32(1), i32(7) + i32(99)])
def test_another_response_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        brokers_of(body, 0)
