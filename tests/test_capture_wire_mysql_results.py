"""Answers: which packets belong to one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.mysql.encode import OFFERED, column, eof, ok, text_row
from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import Malformed, Packet, string
from seamline.capture.wire.mysql.results import (
    FieldsReader,
    LoginReader,
    OneReader,
    Outcome,
    PrepareReader,
    Reader,
    ResultReader,
    parse_ok,
)

OLD = OFFERED & ~Capability.DEPRECATE_EOF


def read(reader: Reader, *bodies: bytes) -> list[Outcome]:
    found = [reader.take(Packet(number, body, len(body))) for number, body in enumerate(bodies, 1)]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("capabilities", [OFFERED, OLD])
def test_rows_end_with_what_was_agreed_on(capabilities: int) -> None:
    is_old = capabilities == OLD
    rows = [text_row([1], ["int"]), text_row([2], ["int"])]
    end = eof(2) if is_old else ok(2, head=0xFE)
    middle = [eof(2)] if is_old else []
    (said,) = read(ResultReader(capabilities), b"\x01", column("n", "int"), *middle, *rows, end)
    assert said.rows is not None
    assert (said.rows.count, said.status) == (2, 2)


def test_an_error_in_the_middle_of_rows_is_the_answer() -> None:
    (said,) = read(
        ResultReader(OFFERED), b"\x01", column("n", "int"), text_row([1], ["int"]), b"\xff\x25\x05#70100gone"
    )
    assert said.error is not None


def test_how_far_a_statement_is_says_nothing() -> None:
    (said,) = read(ResultReader(OFFERED), b"\xff\xff\xff\x01\x01\x01", ok(2, 5))
    assert said.affected == 5


def test_a_change_of_database_is_told() -> None:
    changes = b"\x01" + string(string(b"other")) + b"\x02" + string(b"x")
    body = b"\0\0\0" + (0x4002).to_bytes(2, "little") + b"\0\0" + string(b"info") + string(changes)
    said = parse_ok(body, Capability.SESSION_TRACK)
    assert (said.database, said.info) == ("other", "info")


@pytest.mark.parametrize("capabilities", [OFFERED, OLD])
@pytest.mark.parametrize(("parameters", "columns"), [(0, 0), (2, 0), (0, 1), (2, 1)])
def test_a_prepared_statements_definitions(capabilities: int, parameters: int, columns: int) -> None:
    head = b"\0\x07\0\0\0" + columns.to_bytes(2, "little") + parameters.to_bytes(2, "little") + b"\0\0\0"
    ends = [eof(2)] if capabilities == OLD else []
    parts = [part for count in (parameters, columns) if count for part in ([column("?", "int")] * count + ends)]
    (said,) = read(PrepareReader(capabilities), head, *parts)
    assert (said.statement_id, said.parameters) == (7, parameters)


def test_small_answers() -> None:
    assert len(read(FieldsReader(), column("a", "int"), eof(2))) == 1
    assert len(read(OneReader(), b"Uptime: 1")) == 1
    assert len(read(LoginReader(OFFERED), b"\xfeplugin\0", b"\x01\x04", ok(2))) == 1


@pytest.mark.parametrize("body", [b"", b"\xfa\0", b"\0", b"\xfc\x00\x00"])
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read(ResultReader(OFFERED), body)


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_hostile_packets_are_malformed(bodies: list[bytes]) -> None:
    for reader in (ResultReader(OFFERED), ResultReader(OLD, is_binary=True), PrepareReader(OLD), LoginReader(OFFERED)):
        try:
            read(reader, *bodies)
        except Malformed:
            continue
