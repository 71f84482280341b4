"""What tells where it came from by itself, and what does not."""

import pytest

from seamline.replay.values.telling import MAX_LENGTH, MEDIUM, STRONG, WEAK, is_time, strength


@pytest.mark.parametrize(
    "value",
    [
        "4f7c2f0e-91b5-4c1d-8e0a-2b6a1c9d3e55",
        "q8Zk2LmN5vR7tX9w",
        "ord_9f86d081884c",
        "acc_gmvMyQFjXTtLvV",
        "7129000000005463047",
        "9f86d081884c7d65",
        "01J9ZK4Y8Q2W3E4R5T6Y7U8I9O",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxNyJ9.c2lnbmF0dXJl",
        "s%3Aq8Zk2LmN5v.7tX9w",
        "urn:uuid:4f7c2f0e91b5",
    ],
)
def test_made_by_a_machine(value: str) -> None:
    assert strength(value) == STRONG


@pytest.mark.parametrize(
    "value",
    [
        "481973",
        "ORD-2026-00171",
        "ada@example.com",
        "7f3k2p",
        "2026-11-24T10:00:03.123Z",
        "how-to-fly-7f3k2p",
        "1795000012345",
    ],
)
def test_telling_within_a_session(value: str) -> None:
    assert strength(value) == MEDIUM


@pytest.mark.parametrize(
    "value",
    [
        "", "7", "12345", "99999", "shipped", "us-east-1", "en-US", "how-to-train-your-dragon", "application/json",
        "2026-11-24", "2026-11-24T00:00:00Z", "2026-11-24T10:00:03Z", "Mon, 02 Nov 2026 10:00:00 GMT", "1795000012",
        "129900", "100000000", "12345.678", "+4912345678", "true", "createLineItemForOrder",
        "a sentence with 4f7c2f0e91b5a2c7 in it", "00000000-0000-0000-0000-000000000000", "aaaaaaaaaaaa", "iPhone-12",
        "1.25e10", "x" * (MAX_LENGTH + 1), "utf-8", "internationalization",
    ],
)  # fmt: skip
def test_said_by_everybody(value: str) -> None:
    assert strength(value) == WEAK


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-24", True),
        ("2026-11-24T10:00:03+02:00", True),
        ("Mon, 02 Nov 2026 10:00:00 GMT", True),
        ("1795000012", False),
        ("10:00", False),
    ],
)
def test_times(value: str, expected: bool) -> None:
    assert is_time(value) is expected
