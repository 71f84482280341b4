"""A shop whose sides count from different places: what breaks an identity alarms at its place, and nothing else does."""

import uuid

import pytest

from seamline.diffing.comparison import Comparison, Observation
from seamline.diffing.difference import Difference
from seamline.diffing.identity.relate import relate, relate_alike
from seamline.diffing.report.model import Surface
from support.shopworld import loud, shop_verdict

# change: what must be told, whatever else follows from it
CHANGES: dict[str, tuple[str, str]] = {
    "R17": ("response.format_changed", "$.created_at"),
    "R18": ("response.format_changed", "$.expires_at"),
    "R19": ("response.relation_changed", "$.expires_at"),
    "R19 seconds": ("response.relation_changed", "$.expires_at"),
    "R21": ("response.type_changed", "$.public_id"),
    "prefix": ("response.shape_changed", "$.public_id"),
    "R23 body": ("response.relation_broken", "$.reference"),
    "R23 number": ("response.relation_broken", "header.location"),
    "R23 location": ("response.relation_broken", "header.location"),
    "stored reference": ("sql.argument_changed", "$.reference"),
    "charged reference": ("http.request_changed", "$.reference"),
    "wrong foreign key": ("sql.argument_changed", "$.order_id"),
    "wrong path": ("http.request_changed", "path.id"),
    "wrong key": ("redis.key_changed", "key.id"),
    "wrong event": ("bus.payload_changed", "$.order.id"),
    "self": ("response.relation_broken", "$._links.self"),
    "S15": ("response.relation_broken", "$.id"),
    "drawn numbers": ("response.relation_changed", "$.id"),
    "R45": ("header.attribute_changed", "header.set-cookie"),
    "cookie lifetime": ("header.attribute_changed", "header.set-cookie"),
    "cursor": ("response.value_changed", "$.next.limit"),
    "quantity": ("http.request_changed", "$.qty"),
    "R30": ("response.order_changed", "$.orders"),
    "R34": ("response.multiset_changed", "$.orders"),
}
# What may be told beside it: the same cause at another place, or what follows from it.
ALSO: dict[str, set[str]] = {
    "R17": {"sql.argument_changed"},
    "R23 number": {"response.relation_broken"},
    "wrong foreign key": {"state.row_missing"},
    "R30": {"response.order_changed"},
    "R34": {"response.multiset_changed"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_broken_identity_alarms_at_its_place(change: str) -> None:
    told = loud(shop_verdict(change, 101, count=30))
    assert CHANGES[change] in told
    if change != "S15":
        assert {kind for kind, _ in told} <= {CHANGES[change][0], *ALSO.get(change, ())}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_a_broken_identity_alarms_for_every_seed(change: str) -> None:
    for seed in range(200, 205):
        assert CHANGES[change] in loud(shop_verdict(change, seed, count=30)), seed


@pytest.mark.parametrize("start", ["apart", "same", "mixed"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_shop_against_itself_is_the_same(seed: int, start: str) -> None:
    assert loud(shop_verdict("", seed, start=start)) == []


def test_a_counter_of_its_own_may_leave_numbers_out() -> None:
    assert loud(shop_verdict("gap", 3)) == []


@pytest.mark.slow
def test_a_hundred_shops_against_themselves_are_the_same() -> None:
    starts = ("apart", "mixed", "same", "apart")
    found = {seed: loud(shop_verdict("", seed, count=14 + seed % 20, start=starts[seed % 4])) for seed in range(100)}
    assert {seed: told for seed, told in found.items() if told} == {}


def test_what_was_excused_is_listed() -> None:
    why = {one.why.split(": ", 1)[1] for one in shop_verdict("", 4).suppressed}
    assert "an id that each side draws itself, the same one everywhere" in why
    assert "each side's own name (host, process)" in why
    assert "a time that goes with its request" in why


def drawn(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def passed_on(*paths: str, names: tuple[int, int] = (1, 1)) -> Comparison:
    """One id at several places of a request's calls; `names` are what the last two are called."""
    called = [*([1] * (len(paths) - 2)), *names]
    return Comparison(
        [
            Observation(
                "c-1",
                "POST /orders",
                Difference(
                    Surface.SQL, "argument_changed", path, drawn(0), drawn(name), "uuid", "tokens", "db", path,
                    inner="value_changed",
                ),
            )
            for path, name in zip(paths, called, strict=True)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("comparison", "left"),
    [
        (passed_on("$.id", "$.order_id"), 0),
        (passed_on("$.id", "$.order_id", "$.parent", names=(1, 2)), 1),
        (passed_on("$.id", "$.order_id", names=(1, 2)), 2),
    ],
    ids=["two agree", "a third does not", "two disagree"],
)
def test_what_calls_and_rows_agree_on_is_one_thing_whatever_the_baseline_showed(
    comparison: Comparison, left: int
) -> None:
    relate([comparison], [])
    assert len(comparison.observations) == left


def test_nothing_is_related_to_nothing() -> None:
    relate([], [])
    relate_alike([])
