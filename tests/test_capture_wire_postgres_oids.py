"""Type names and numbers."""

import pytest

from seamline.capture.wire.postgres.oids import BASES, ELEMENTS, type_name, type_oid


def test_names_go_back_to_their_numbers() -> None:
    for oid in (*BASES, *ELEMENTS, 16385, 0):
        assert type_oid(type_name(oid)) == oid


def test_an_array_is_named_after_its_elements() -> None:
    assert type_name(1007) == "int4[]"


@pytest.mark.parametrize("name", ["", "nonsense", "-1", "12345678901"])
def test_a_name_that_is_none_is_text(name: str) -> None:
    assert type_oid(name) == 25


def test_a_number_beyond_an_oid_is_cut_to_one() -> None:
    assert type_oid("9999999999") == 0xFFFFFFFF
