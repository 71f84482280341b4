"""Clusters that show together: one change at several places is one, two changes at the same requests stay two."""

from typing import Any

import pytest

from seamline.diffing.causes.together import merge_together
from seamline.diffing.report.model import Surface
from support.clusters import a_cluster, a_difference

ALL = tuple(f"t-{number}" for number in range(40))


def merged(*rows: tuple[dict[str, Any], tuple[str, ...]], endpoints: tuple[str, ...] = ()) -> list[str | None]:
    named = endpoints or ("GET /x",) * len(rows)
    clusters = [
        a_cluster(a_difference(**fields), *keys, endpoint=endpoint)
        for (fields, keys), endpoint in zip(rows, named, strict=True)
    ]
    return [one.example.path for one in merge_together(clusters)]


def gone(path: str, **more: Any) -> dict[str, Any]:
    return {"kind": "field_removed", "path": path, "transition": "present→missing", **more}


def come(path: str) -> dict[str, Any]:
    return {"kind": "field_added", "path": path, "transition": "missing→present"}


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        # One part of an answer that stands in it twice.
        ([(gone("$.customer.phone"), ALL), (gone("$.shipping.customer.phone"), ALL)], ["$.customer.phone"]),
        ([(gone("$.items[*].product.vat"), ALL), (gone("$.top.product.vat"), ALL[1:])], ["$.items[*].product.vat"]),
        # The same values at two places, and others.
        ([({"path": "$.total"}, ALL), ({"path": "$.sum.total"}, ALL)], ["$.total"]),
        ([({"path": "$.total"}, ALL), ({"path": "$.sum.total", "after": 3}, ALL)], ["$.total", "$.sum.total"]),
        # Other names, other requests, other kinds.
        ([(gone("$.customer.phone"), ALL), (gone("$.shipping.phone", before="7"), ALL)], ["$.customer.phone", "$.shipping.phone"]),
        ([(gone("$.customer.phone"), ALL), (gone("$.a.customer.phone"), ALL[:30])], ["$.customer.phone", "$.a.customer.phone"]),
        ([({"path": "$.tax"}, ALL), ({"path": "$.total"}, ALL)], ["$.tax", "$.total"]),
        ([({"path": "$.a.n"}, ALL), ({"path": "$.b.a.n", "kind": "type_changed"}, ALL)], ["$.a.n", "$.b.a.n"]),
        # An error that is written otherwise.
        ([(gone("$.error"), ALL), (come("$.message"), ALL), (come("$.code"), ALL)], ["$.error"]),
        ([(gone("$.error"), ALL), (come("$.message"), ALL[:20])], ["$.error", "$.message"]),
        ([(gone("$.error"), ALL), (come("$.cost_price"), ALL)], ["$.error", "$.cost_price"]),
        ([(gone("$.error"), ALL[:2]), (come("$.message"), ALL[:2])], ["$.error", "$.message"]),
        ([(gone("$.a.error"), ALL), (come("$.b.message"), ALL)], ["$.a.error", "$.b.message"]),
    ],
)  # fmt: skip
def test_one_change_is_one_cluster_and_two_are_two(
    rows: list[tuple[dict[str, Any], tuple[str, ...]]], left: list[str]
) -> None:
    assert merged(*rows) == left


def test_endpoints_stay_apart_and_so_do_other_surfaces() -> None:
    assert len(merged((gone("$.a.b"), ALL), (gone("$.c.a.b"), ALL), endpoints=("GET /x", "GET /y"))) == 2
    other = {"kind": "missing", "path": "header.a", "surface": Surface.HEADER, "transition": "present→missing"}
    assert len(merged((other, ALL), ({**other, "path": "header.b.a"}, ALL))) == 2


def test_what_was_merged_is_told() -> None:
    clusters = [a_cluster(a_difference(**gone(path)), *ALL) for path in ("$.a.b", "$.c.a.b")]
    (left,) = merge_together(clusters)
    assert left.notes == ["the same at $.c.a.b (40 requests)"]


def test_a_list_of_one_is_the_same_list() -> None:
    clusters = [
        a_cluster(a_difference(**gone("$.order.line.qty")), *ALL[:10]),
        a_cluster(a_difference(**gone("$.order.line[*].qty")), *ALL[10:]),
        a_cluster(a_difference(**gone("$.order.line[*].sku")), *ALL[10:20]),
    ]
    left = merge_together(clusters)
    assert [(one.example.path, len(one.observations)) for one in left] == [
        ("$.order.line[*].qty", 40),
        ("$.order.line[*].sku", 10),
    ]


def flag(cookie: str, lost: str, trait: str = "security") -> dict[str, Any]:
    return {
        "kind": "attribute_changed",
        "path": "header.set-cookie",
        "surface": Surface.HEADER,
        "transition": f"cookie {cookie}: {lost}→none",
        "trait": trait,
    }


def test_the_flags_of_one_cookie_are_lost_in_one_line_and_those_of_two_are_not() -> None:
    def transitions(*rows: tuple[dict[str, Any], tuple[str, ...]]) -> list[str]:
        clusters = [a_cluster(a_difference(**fields), *keys) for fields, keys in rows]
        return [one.example.transition for one in merge_together(clusters)]

    assert transitions((flag("sid", "secure"), ALL), (flag("sid", "httponly"), ALL)) == ["cookie sid: httponly→none"]
    assert len(transitions((flag("sid", "secure"), ALL), (flag("cart", "secure"), ALL))) == 2
    assert len(transitions((flag("sid", "secure"), ALL), (flag("sid", "max-age=9", ""), ALL))) == 2
    assert len(transitions((flag("sid", "secure"), ALL), (flag("sid", "httponly"), ALL[:9]))) == 2
