"""Named statements and portals, within bounds."""

from seamline.capture.wire.postgres.messages import Bind, Column
from seamline.capture.wire.postgres.prepared import MOST_NAMED, MOST_WEIGHT, Prepared, Registry
from seamline.capture.wire.sql import parse_statement

STATEMENT = parse_statement("SELECT * FROM t WHERE a = $1 AND b = $2")


def bound(*values: bytes | None, formats: tuple[int, ...] = ()) -> Bind:
    return Bind("", "", formats, values, ())


def test_values_are_read_by_the_types_that_are_known() -> None:
    prepared = Prepared(STATEMENT, (23, 0))
    assert prepared.arguments(bound(b"5", b"6")) == '{"a":5,"b":"6"}'
    assert prepared.types() == "int4,0"
    prepared.parameters((23, 23))
    assert prepared.arguments(bound(b"5", b"6")) == '{"a":5,"b":6}'
    assert prepared.arguments(bound(b"\0\0\0\7", None, formats=(1,))) == '{"a":7,"b":null}'
    assert Prepared(STATEMENT, (0, 0)).types() == ""


def test_a_bind_with_more_values_than_types() -> None:
    assert Prepared(STATEMENT, ()).arguments(bound(b"1", b"2", b"3", formats=(0, 0, 1))) == (
        '{"a":"1","b":"2","$3":{"b64":"Mw=="}}'
    )


def test_a_layout_is_there_once_the_statement_is_described() -> None:
    prepared = Prepared(STATEMENT, ())
    assert prepared.layout(()) is None
    prepared.describe((Column("a", 23, 0),))
    assert prepared.layout((1,)) is prepared.layout((1,))
    prepared.describe(())
    assert prepared.layout((1,)) is None


def test_names_beyond_the_bounds_are_forgotten_oldest_first() -> None:
    registry: Registry[int] = Registry()
    for number in range(MOST_NAMED + 1):
        registry.put(str(number), number, 1)
    assert registry.get("0") is None
    assert registry.get("1") == 1
    registry.put("heavy", 7, MOST_WEIGHT)
    assert len(registry) <= 1
    registry.clear()
    assert (len(registry), registry.get("heavy")) == (0, None)


def test_a_name_is_given_anew_and_dropped() -> None:
    registry: Registry[int] = Registry()
    registry.put("a", 1, 5)
    registry.put("a", 2, 5)
    assert (registry.get("a"), len(registry)) == (2, 1)
    registry.drop("a")
    registry.drop("a")
    assert registry.get("a") is None
