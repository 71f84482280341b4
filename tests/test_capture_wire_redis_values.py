import pytest

from seamline.capture.wire.redis.values import TYPES, Fault, Map, Push, Set, Simple, Verbatim


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (b"WRONGTYPE Operation", "WRONGTYPE"),
        (b"MOVED 3999 127.0.0.1:6381", "MOVED"),
        (b"something odd", "something"),
        (b"a@b.c is no code", "ERR"),
        (b"", "ERR"),
        ("ärger".encode(), "ERR"),
    ],
)
def test_an_error_has_a_code(fault: bytes, code: str) -> None:
    assert Fault(fault).code == code


def test_each_type_has_a_name_of_its_own() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert [TYPES[kind] for kind in (Simple, Map, Set, Push, Verbatim)] == ["simple", "map", "set", "push", "verbatim"]
