"""Which recorded answer a live call gets: every step, in and out of its scope."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange, LinkKind
from seamline.replay.stubs.asked import asked
from seamline.replay.stubs.index import CallIndex
from seamline.replay.stubs.match import Match, Matcher, Miss, Scope, Step
from seamline.replay.stubs.renamed import Renaming
from support.stubs import an_http_call

A, B, C = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abc")
IN_A = Scope((("a", 1.0),), LinkKind.PROPAGATED)
NOWHERE = Scope()


class Table:
    """A matcher over recorded calls, asked in plain words."""

    def __init__(self, calls: Sequence[Exchange], *, is_linked: bool = True) -> None:
        self.matcher = Matcher(CallIndex("http", calls, is_linked=is_linked))
        self.renamings: dict[str | None, Renaming] = {}

    def found(self, target: str, scope: Scope = IN_A, **how: object) -> Match | Miss:
        live = an_http_call(99, target, **how)  # type: ignore[arg-type]  # the options of the table
        return self.matcher.match(asked("http", live.request), scope, self.renaming)

    def renaming(self, cause: str | None) -> Renaming:
        return self.renamings.setdefault(cause, Renaming())

    def told(self, target: str, scope: Scope = IN_A, **how: object) -> tuple[str, str]:
        found = self.found(target, scope, **how)
        return (found.step.value, found.call.id) if isinstance(found, Match) else ("missed", found.reason)


def test_the_very_same_call_of_its_own_scope() -> None:
    table = Table([an_http_call(1, "/p/7", b"1", cause="a"), an_http_call(2, "/p/7", b"2", cause="b")])
    assert table.told("/p/7") == ("exact", "t-1")
    assert table.told("/p/7", Scope((("b", 1.0),), LinkKind.PROPAGATED)) == ("exact", "t-2")


def test_repeated_calls_are_answered_in_recorded_order_and_the_last_again() -> None:
    table = Table([an_http_call(number, "/job", b"%d" % number, cause="a") for number in (1, 2, 3)])
    found = [table.found("/job") for _ in range(5)]
    assert [(match.call.id, match.repeated) for match in found if isinstance(match, Match)] == [
        ("t-1", False), ("t-2", False), ("t-3", False), ("t-3", True), ("t-3", True),
    ]  # fmt: skip


def test_thousands_of_equal_calls_are_given_in_order() -> None:
    table = Table([an_http_call(number, "/job", cause="a") for number in range(1000)])
    ids = [match.call.position for _ in range(1002) if isinstance(match := table.found("/job"), Match)]
    assert ids == [*range(1000), 999, 999]


def test_ids_and_times_made_anew_stand_for_the_recorded_ones() -> None:
    body = '{"id":"%s","at":"%s"}'
    table = Table(
        [
            an_http_call(1, "/orders", method="POST", body=(body % (A, "2026-11-01T10:00:00Z")).encode(), cause="a"),
            an_http_call(2, f"/orders/{A}", cause="a"),
        ]
    )
    live = (body % (B, "2026-11-24T09:00:00Z")).encode()
    assert table.told("/orders", method="POST", body=live) == ("mapped", "t-1")
    assert table.told(f"/orders/{B}") == ("mapped", "t-2")
    assert table.told(f"/orders/{C}")[0] == "shape", "it is known whom the recorded id stands for"


def test_other_values_of_the_same_names_and_types() -> None:
    table = Table([an_http_call(1, "/p/7?n=1", cause="a"), an_http_call(2, "/p/8?n=2", cause="a")])
    assert table.told("/p/8?n=3") == ("shape", "t-2")
    assert table.told("/p/9?n=3") == ("shape", "t-1"), "what was given is not given again while there is another"
    assert table.told("/p/8?n=4") == ("shape", "t-2")


def test_the_nearest_of_the_same_endpoint() -> None:
    table = Table([an_http_call(1, "/p/7?a=1&b=2", cause="a"), an_http_call(2, "/p/7?a=2&b=3", cause="a")])
    assert table.told("/p/7?a=2&b=3&c=1") == ("nearest", "t-2")
    assert table.told("/q/7")[0] == "missed"


def test_what_another_scope_asked_the_very_same_way_comes_before_a_guess() -> None:
    table = Table([an_http_call(1, "/p/7", b"7", cause="a"), an_http_call(2, "/p/8", b"8", cause="b")])
    assert table.told("/p/7") == ("exact", "t-1")
    assert table.told("/p/8") == ("elsewhere", "t-2")


def test_a_background_call_is_found_from_anywhere_and_in_order() -> None:
    table = Table([an_http_call(1, "/config", b"1"), an_http_call(2, "/config", b"2")])
    assert table.told("/config", NOWHERE) == ("exact", "t-1")
    assert table.told("/config") == ("elsewhere", "t-2")


def test_answers_that_belong_to_different_requests_are_not_given_to_a_third() -> None:
    table = Table([an_http_call(1, "/mine", b"1", cause="b"), an_http_call(2, "/mine", b"2", cause="c")])
    step, reason = table.told("/mine")
    assert step == "missed"
    assert "answered differently" in reason
    alike = Table([an_http_call(1, "/mine", b"1", cause="b"), an_http_call(2, "/mine", b"1", cause="c")])
    assert alike.told("/mine") == ("elsewhere", "t-1")


# In doubt about the cause.

PAIR = Scope((("a", 0.5), ("b", 0.5)), LinkKind.TIME)
SOME = Scope((("a", 0.3), ("b", 0.3)), LinkKind.TIME)


def test_what_was_asked_decides_among_several_causes() -> None:
    table = Table([an_http_call(1, "/p/7", b"7", cause="a"), an_http_call(2, "/p/8", b"8", cause="b")])
    assert table.told("/p/8", PAIR) == ("exact", "t-2")
    assert table.told("/p/7", SOME) == ("exact", "t-1")


@pytest.mark.parametrize("scope", [PAIR, SOME, Scope((("a", 0.45),), LinkKind.LANE)])
def test_what_does_not_decide_is_refused(scope: Scope) -> None:
    table = Table([an_http_call(1, "/mine", b"1", cause="a"), an_http_call(2, "/mine", b"2", cause="b")])
    assert table.told("/mine", scope)[0] == "missed"
    assert table.told("/p/1", scope)[0] == "missed"


def test_a_candidate_is_enough_where_nobody_else_asked_it() -> None:
    table = Table([an_http_call(1, "/mine", b"1", cause="a"), an_http_call(2, "/mine", b"2", cause="z")])
    assert table.told("/mine", PAIR) == ("exact", "t-1")
    assert table.told("/mine", SOME)[0] == "missed", "z may be among those that are no candidates"


def test_in_doubt_only_known_ids_are_mapped() -> None:
    calls = [an_http_call(1, f"/orders/{A}", b"1", cause="a"), an_http_call(2, f"/orders/{B}", b"2", cause="b")]
    table = Table(calls)
    assert table.told(f"/orders/{C}", PAIR)[0] == "missed"
    table.renaming("b").learn(asked("http", calls[1].request).leaves, asked("http", an_http_call(9, f"/orders/{C}").request).leaves)  # fmt: skip
    assert table.told(f"/orders/{C}", PAIR) == ("mapped", "t-2")


def test_a_call_that_is_tied_by_time_alone_may_be_another_requests_late_one() -> None:
    by_time = Scope((("a", 0.95),), LinkKind.TIME)
    table = Table([an_http_call(1, "/p/7", b"7", cause="a"), an_http_call(2, "/p/8", b"8", cause="b")])
    assert table.told("/p/8", by_time) == ("elsewhere", "t-2")
    assert table.told("/p/9", by_time) == ("shape", "t-1")


def test_recorded_in_doubt_the_very_same_is_given_only_where_all_were_answered_alike() -> None:
    unsure = {"cause": "a", "confidence": 0.5}
    alike = Table([an_http_call(number, "/p/7", b"7", **unsure) for number in (1, 2)])  # type: ignore[arg-type]
    assert alike.told("/p/7") == ("exact", "t-1")
    differing = Table([an_http_call(number, "/p/7", b"%d" % number, **unsure) for number in (1, 2)])  # type: ignore[arg-type]
    assert differing.told("/p/7")[0] == "missed"
    assert differing.told("/p/8")[0] == "missed", "nothing but the very same is taken from a call in doubt"


def test_a_capture_without_links_gives_only_what_all_were_answered_alike() -> None:
    calls = [an_http_call(1, "/mine", b"1"), an_http_call(2, "/mine", b"2"), an_http_call(3, "/config", b"3")]
    table = Table(calls, is_linked=False)
    for scope in (IN_A, NOWHERE, PAIR):
        assert table.told("/mine", scope)[0] == "missed"
        assert table.told("/config", scope)[1] == "t-3"
        assert table.told("/mine?x=1", scope)[0] == "missed"


# Misses.


def test_a_miss_names_the_nearest_calls_and_why_they_do_not_fit() -> None:
    table = Table([an_http_call(1, "/p/7/x?a=1", cause="a"), an_http_call(2, "/p/7/y", cause="b")])
    found = table.found("/p/7/z?a=2&b=" + "9" * 200)
    assert isinstance(found, Miss)
    assert found.reason == "no recorded call fits"
    first, second = found.near
    assert (first.id, first.label) == ("t-1", "GET /p/7/x")
    assert first.whys[:2] == ("asked GET /p/{}/x, not GET /p/{}/z", "query.a was '1', is '2'")
    assert second.whys[0] == "it belongs to another request"
    assert all(len(why) < 300 for near in found.near for why in near.whys)


def test_an_answer_that_was_not_kept_is_a_miss_that_says_so() -> None:
    table = Table([an_http_call(1, "/p/7", b"", cause="a", truncated=True)])
    assert table.told("/p/7") == ("missed", "recorded, but its answer's body was over the cap of the recording")


def test_nothing_recorded() -> None:
    found = Table([]).found("/p")
    assert isinstance(found, Miss)
    assert found.near == ()


# Never mixed: whoever asks, in whatever order, with whatever doubt.

SCOPES = st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1)), max_size=4, unique_by=lambda each: each[0])


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["/mine", "/own/1", "/own/2"])), max_size=12), SCOPES
)
def test_in_doubt_nobody_gets_an_answer_that_only_another_was_given(
    recorded: list[tuple[str, str]], candidates: list[tuple[str, float]]
) -> None:
    total = sum(share for _, share in candidates) or 1.0
    scope = Scope(tuple((cause, share / total * 0.9) for cause, share in candidates), LinkKind.VALUE)
    table = Table([an_http_call(n, path, cause.encode(), cause=cause) for n, (cause, path) in enumerate(recorded)])
    found = table.found("/mine", scope)
    asking = {cause for cause, path in recorded if path == "/mine"}
    if isinstance(found, Match) and len(asking) > 1:
        shares = {cause: share for cause, share in scope.causes if cause in asking}
        given = found.call.asked and next(iter(found.call.causes))
        assert shares[str(given)] >= 0.98 * sum(shares.values())
    if isinstance(found, Match) and found.step is not Step.EXACT:
        assert found.step in (Step.ELSEWHERE, Step.MAPPED) or not scope.causes
