"""Column definitions: names and types."""

import pytest

from seamline.capture.wire.mysql.columns import JSON, parse_column
from seamline.capture.wire.mysql.encode import column
from seamline.capture.wire.mysql.packets import Malformed, string

TYPES = [
    "int", "int unsigned", "bigint unsigned", "tinyint", "decimal", "double", "varchar", "varbinary", "text", "blob",
    "char", "binary", "enum", "set", "json", "datetime", "timestamp", "date", "time", "year", "bit", "geometry",
]  # fmt: skip


@pytest.mark.parametrize("type_name", TYPES)
def test_a_type_comes_back(type_name: str) -> None:
    found = parse_column(column("é", type_name), False)
    assert (found.name, found.type) == ("é", type_name)


def test_mariadbs_json_is_a_text_with_a_format() -> None:
    plain = column("j", "text")
    at = plain.index(b"\x0c")
    assert parse_column(plain[:at] + string(b"\x01\x04json") + plain[at:], True).kind == JSON


@pytest.mark.parametrize(
    "body", [b"", column("a", "int")[:-8], column("a", "int").replace(b"\x03\x00\x00\x00\x00", b"\x63\0\0\0\0")]
)
def test_another_definition_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_column(body, False)
