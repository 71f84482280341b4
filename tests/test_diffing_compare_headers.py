"""Headers by meaning; the judge's tests hold the table, these hold the corners."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.diffing.compare.headers import compare_headers
from seamline.diffing.compare.scalars import Clocks
from seamline.diffing.difference import Difference


def compared(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> list[Difference]:
    return compare_headers(Headers(before), Headers(after), Clocks())


def test_duplicates_are_one_list_and_lists_have_no_order() -> None:
    assert compared([("Vary", "accept"), ("Vary", "origin")], [("vary", "Origin, Accept")]) == []
    assert [one.transition for one in compared([("vary", "a")], [("vary", "b")])] == ["members"]


def test_only_exact_names_are_volatile() -> None:
    """`date` must not swallow `x-candidate-id`."""
    assert compared([("date", "x")], []) == []
    assert [one.path for one in compared([("x-candidate-id", "abc")], [("x-candidate-id", "def")])] == [
        "header.x-candidate-id"
    ]


def test_presence_of_a_volatile_header_is_asserted() -> None:
    (one,) = compared([("x-request-id", "1")], [])
    assert (one.kind, one.trait) == ("missing", "volatile")


def test_a_mask_excuses_only_values_that_both_have() -> None:
    before, after = Headers([("location", "a"), ("x", "a")]), Headers([("location", "b")])
    found = compare_headers(before, after, Clocks(), lambda _old, _new: True)
    assert [(one.kind, one.path) for one in found] == [("missing", "header.x")]


def test_media_type_parameters_have_no_order_or_case() -> None:
    assert compared([("content-type", 'a/b; x=1; Charset="UTF-8"')], [("content-type", "A/B;charset=utf-8;x=1")]) == []
    assert (
        compared(
            [("content-type", "multipart/form-data; boundary=a")], [("content-type", "multipart/form-data; boundary=b")]
        )
        == []
    )


def test_credentials_opened_to_other_origins_is_security() -> None:
    name = "access-control-allow-credentials"
    assert [one.trait for one in compared([(name, "false")], [(name, "true")])] == ["security"]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=6))
def test_headers_equal_themselves_in_any_case(pairs: list[tuple[str, str]]) -> None:
    assert compared(pairs, pairs) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["set-cookie", "content-type", "x", "cache-control"]), st.text(max_size=20)),
        max_size=5,
    ),
    st.lists(
        st.tuples(st.sampled_from(["set-cookie", "content-type", "x", "cache-control"]), st.text(max_size=20)),
        max_size=5,
    ),
)
def test_any_headers_compare(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> None:
    for one in compared(before, after):
        assert (one.path or "").startswith("header.")
