"""What a baseline shows against itself: noise weakens an assertion by one rung, at its own place, and no further."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.comparison import Comparison, Observation, Side
from seamline.diffing.difference import Difference
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.noise.model import NOW_US, NoiseModel, learn_noise, looks_generated
from seamline.diffing.report.model import Json, Surface
from support.traffic import Play, Turn, answers, play

ENDPOINT = "GET /orders/{id}"
UUID, UUID2 = "7d444840-9dc0-11d1-b245-5ffdce74fad2", "e902893a-9d22-4c7e-a7b8-d6e313b71d9f"


def differs(kind: str, path: str = "$.a", **more: Any) -> Difference:
    return Difference(Surface.RESPONSE, kind, path, None, None, "", **more)


def learnt(*differences: Difference, trials: int = 10) -> NoiseModel:
    """A model that saw each difference at one request of its own."""
    observations = [Observation(f"c-{number}", ENDPOINT, one) for number, one in enumerate(differences)]
    return NoiseModel([Comparison(observations, endpoints=Counter({ENDPOINT: trials}))])


FRESH = differs("value_changed", trait="tokens")
QTY = "$.items[*].qty"
# name: what the baseline shows against itself, what the candidate shows, whether the one excuses the other
RUNGS: list[tuple[str, Difference, Difference, bool]] = [
    ("itself", differs("value_changed"), differs("value_changed"), True),
    ("another place", differs("value_changed"), differs("value_changed", "$.b"), False),
    ("another service", differs("value_changed", service="x"), differs("value_changed", service="y"), False),
    ("a fresh id stays an id", FRESH, FRESH, True),
    ("a fresh id is no other text", FRESH, differs("value_changed"), False),
    ("any text may be a fresh id", differs("value_changed"), FRESH, True),
    ("any number may lose precision", differs("value_changed"), differs("numeric_precision"), True),
    ("no text may become a number", differs("value_changed"), differs("type_changed"), False),
    ("no id may lose its shape", FRESH, differs("shape_changed"), False),
    ("who comes and goes", differs("field_removed"), differs("field_added"), True),
    ("members change, so does their count", differs("multiset_changed"), differs("length_changed"), True),
    ("a shuffle keeps its members", differs("order_changed"), differs("multiset_changed"), False),
    # A changed argument of a call is counted by what changed inside it.
    ("inside a call", differs("request_changed", inner="value_changed"), differs("value_changed"), True),
    # Where the members are drawn anew, so are their values; what every member must be stays.
    ("a member's value", differs("multiset_changed", "$.items"), differs("value_changed", QTY), True),
    ("a deep member's value", differs("length_changed", "$.a"), differs("value_changed", "$.a[*].b[*].c"), True),
    ("a member's type", differs("multiset_changed", "$.items"), differs("type_changed", QTY), False),
    ("a sibling of the array", differs("multiset_changed", "$.items"), differs("value_changed", "$.item"), False),
    ("a shuffle says nothing of values", differs("order_changed", "$.items"), differs("value_changed", QTY), False),
]  # fmt: skip


@pytest.mark.parametrize(("noise", "one", "excused"), [row[1:] for row in RUNGS], ids=[row[0] for row in RUNGS])
def test_what_noise_excuses(noise: Difference, one: Difference, excused: bool) -> None:
    found = learnt(noise).evidence(ENDPOINT, one)
    assert (bool(found.requests), found.differs, found.trials) == (excused, int(excused), 10)


def test_evidence_names_the_requests_and_knows_its_endpoint() -> None:
    model = learnt(FRESH, differs("value_changed"), differs("type_changed"))
    found = model.evidence(ENDPOINT, FRESH)
    assert (found.requests, found.differs, found.trials) == (frozenset({"c-0", "c-1"}), 2, 10)
    elsewhere = model.evidence("GET /other", FRESH)
    assert (elsewhere.requests, elsewhere.differs, elsewhere.trials) == (frozenset(), 0, 0)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=6))
def test_the_largest_shift_is_kept(shifts: list[int]) -> None:
    times = [differs("value_changed", trait="tokens", shift_us=shift) for shift in shifts]
    largest = learnt(*times).shift(ENDPOINT, FRESH.place)
    assert largest == max((abs(shift) for shift in shifts), default=None)
    assert learnt(*times).shift(ENDPOINT, differs("value_changed", "$.b").place) is None


def test_an_array_is_unordered_for_its_endpoint_and_its_call_only() -> None:
    inside = differs("request_changed", "$.skus", inner="order_changed", service="stock", operation="POST /holds")
    model = learnt(differs("order_changed", "$.tags"), inside, differs("value_changed", "$.total"))
    assert model.has_unordered
    assert model.unordered(ENDPOINT) == {"$.tags"}
    assert model.unordered(ENDPOINT, "stock", "POST /holds") == {"$.skus"}
    assert model.unordered("GET /other") == frozenset()
    assert not learnt(differs("value_changed")).has_unordered


def sides(what: Play, *names: str) -> list[Side]:
    return [Side.of(play(what, name, 5)) for name in names]


def items(number: int, name: str) -> dict[str, Any]:
    """The same members in each run, the other way round in run "b"."""
    members = [{"sku": f"s{place}", "qty": place} for place in range(4)]
    return {"items": members[::-1] if name == "b" else members}


def test_order_is_learnt_first_so_that_a_shuffle_is_no_noise_of_the_members() -> None:
    model, comparisons = learn_noise(sides(answers(items), "a", "b", "c"), Templates())
    assert len(comparisons) == 2
    assert model.unordered(ENDPOINT) == {"$.items"}
    seen = model.evidence(ENDPOINT, differs("order_changed", "$.items"))
    assert (len(seen.requests), seen.trials) == (5, 10)
    assert model.evidence(ENDPOINT, differs("value_changed", QTY)).requests == frozenset()


def test_one_baseline_teaches_nothing() -> None:
    (only,) = sides(lambda number, name: Turn(body={"a": name}), "a")
    for baselines in ([], [only], [only, Side.of(only.run)]):
        model, comparisons = learn_noise(baselines, Templates())
        assert comparisons == []
        assert model.evidence(ENDPOINT, FRESH).trials == 0


# name: both values, trait, shift, whether it looks like noise
LOOKS: list[tuple[str, Json, Json, str, int | None, bool]] = [
    ("a fresh uuid", UUID, UUID2, "tokens", None, True),
    ("a fresh digest", "0f" * 16, "e1" * 16, "tokens", None, True),
    ("a number in a text", "order 17", "order 18", "tokens", None, False),
    ("an id on one side only", UUID, "none", "tokens", None, False),
    ("no text", 17, 18, "tokens", None, False),
    ("another text", "paid", "PAID", "case", None, False),
    ("now", "2026-11-01T10:00:00Z", "2026-11-01T10:00:09Z", "tokens", NOW_US, True),
    ("now, earlier", "2026-11-01T10:00:09Z", "2026-11-01T10:00:00Z", "tokens", -NOW_US, True),
    ("a stored time", "2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z", "tokens", NOW_US + 1, False),
]


@pytest.mark.parametrize(
    ("before", "after", "trait", "shift", "expected"), [row[1:] for row in LOOKS], ids=[row[0] for row in LOOKS]
)
def test_what_looks_generated(before: Json, after: Json, trait: str, shift: int | None, expected: bool) -> None:
    one = Difference(Surface.RESPONSE, "value_changed", "$.a", before, after, "", trait, shift_us=shift)
    assert looks_generated(one) is expected


def test_what_is_stored_comes_back_as_evidence() -> None:
    before = learnt(FRESH, differs("order_changed", "$.tags"), trials=40).stored("k")
    assert (before.key, dict(before.trials)) == ("k", {ENDPOINT: 40})
    assert [(one.place[1], one.kind, one.differs, one.trials) for one in before.places] == [
        ("$.a", "value_changed/tokens", 1, 40),
        ("$.tags", "order_changed", 1, 40),
    ]
    model = NoiseModel([])
    model.add_stored(before)
    found = model.evidence(ENDPOINT, FRESH)
    assert (found.requests, found.differs, found.trials) == (frozenset(), 1, 40)
    assert model.unordered(ENDPOINT) == {"$.tags"}
    again = learnt(FRESH, trials=10)
    again.add_stored(before)
    assert again.evidence(ENDPOINT, FRESH).trials == 50
    assert {(one.kind, one.differs, one.trials) for one in again.stored("k").places} == {
        ("value_changed/tokens", 2, 50),
        ("order_changed", 1, 50),
    }


def test_what_this_run_shows_to_hold_stays_asserted() -> None:
    """Stored noise at half of the requests, and none at all now: the baseline is another one, or was mended."""
    stored = learnt(*[differs("order_changed", "$.tags")] * 20, trials=40).stored("k")
    model = learnt(differs("value_changed", "$.b"), trials=40)
    model.add_stored(stored)
    assert model.unordered(ENDPOINT) == frozenset()
    assert model.evidence(ENDPOINT, differs("order_changed", "$.tags")).differs == 0
    few = learnt(differs("value_changed", "$.b"), trials=2)
    few.add_stored(stored)
    assert few.unordered(ENDPOINT) == {"$.tags"}


def test_members_that_never_differed_while_their_list_often_changed_are_asserted() -> None:
    often = [differs("multiset_changed", "$.items")] * 20
    assert learnt(*often, trials=30).evidence(ENDPOINT, differs("value_changed", QTY)).differs == 0
    own = learnt(*often, differs("value_changed", QTY), trials=30)
    assert own.evidence(ENDPOINT, differs("value_changed", QTY)).differs == 21
