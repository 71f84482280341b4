"""Pairing: by origin, by id, by the order of equal requests; who stands alone says who is near."""

from dataclasses import replace

from seamline.capture.model import Exchange, Link, LinkKind, Manifest
from seamline.diffing.pair import Pairing, nearest, pair_up
from seamline.diffing.rounds import Run
from support.calls import consumed
from support.captures import an_exchange
from support.traffic import exchange


def run(capture_id: str, *exchanges: Exchange, replayed: str | None = None) -> Run:
    return Run(Manifest(capture_id, 1, "t", "e", replayed=replayed), exchanges)


def names(pairing: Pairing) -> list[tuple[str, str, str]]:
    return [(pair.key, pair.before.id, pair.after.id) for pair in pairing.pairs]


def test_runs_of_one_capture_pair_by_origin() -> None:
    left = run("r1", an_exchange(1, origin="c-1"), an_exchange(2, origin="c-2"), replayed="c")
    right = run("r2", an_exchange(7, origin="c-2"), an_exchange(8, origin="c-1"), replayed="c")
    assert names(pair_up(left, right)) == [("c-1", "t-1", "t-8"), ("c-2", "t-2", "t-7")]


def test_a_capture_pairs_with_its_run_by_id() -> None:
    # The capture is itself a run: its own origins name an older capture.
    capture = run("c", an_exchange(1, origin="old-9"), replayed="old")
    replay = run("r", an_exchange(5, origin="t-1"), replayed="c")
    assert names(pair_up(capture, replay)) == [("t-1", "t-1", "t-5")]
    assert names(pair_up(replay, capture)) == [("t-1", "t-5", "t-1")]


def test_strangers_pair_by_the_order_of_equal_requests_in_a_session() -> None:
    twice = [an_exchange(1), replace(an_exchange(1), id="t-again", seq=9, started_us=an_exchange(9).started_us)]
    left, right = run("x", *twice), run("y", *(replace(one, id=f"o-{one.id}") for one in twice))
    assert names(pair_up(left, right)) == [("t-1", "t-1", "o-t-1"), ("t-again", "t-again", "o-t-again")]


def test_sessions_that_nobody_shares_are_passed_over() -> None:
    left, right = run("x", an_exchange(1)), run("y", replace(an_exchange(1), session="elsewhere", id="o-1"))
    assert names(pair_up(left, right)) == [("t-1", "t-1", "o-1")]


def test_one_origin_twice_pairs_in_order() -> None:
    def twice(name: str) -> Run:
        exchanges = [an_exchange(number, id=f"{name}-{number}", origin="c-1") for number in (1, 2)]
        return run(name, *exchanges, replayed="c")

    assert names(pair_up(twice("a"), twice("b"))) == [("c-1", "a-1", "b-1"), ("c-1#2", "a-2", "b-2")]


def test_who_stands_alone_is_returned_with_near_ones() -> None:
    left = run("r1", an_exchange(1, origin="c-1"), replayed="c")
    right = run("r2", an_exchange(2, origin="c-2"), replayed="c")
    found = pair_up(left, right)
    assert (len(found.pairs), len(found.only_before), len(found.only_after)) == (0, 1, 1)
    assert nearest(found.only_before[0], found.only_after) == ["t-2: same method"]
    assert nearest(an_exchange(1), [an_exchange(1)]) == ["t-1: same method, path, query"]


def test_a_message_that_a_request_caused_is_no_request() -> None:
    caused = an_exchange(2, links=(Link("t-1", LinkKind.VALUE, 0.99),))
    pairing = pair_up(run("c", an_exchange(1)), run("r", an_exchange(1, origin="t-1"), caused, replayed="c"))
    assert (names(pairing), pairing.only_after) == ([("t-1", "t-1", "t-1")], ())


def test_messages_that_nobody_replayed_pair_by_what_they_say() -> None:
    """A service that consumes what it sent: its messages come in any order, under ids that are new in each run."""

    def told(number: int, name: str, fresh: str) -> Exchange:
        event = {"n": number, "id": f"8d3fa2c4-0000-4000-8000-{fresh * 12}"}
        return replace(exchange(consumed("orders.created", event), number, name), origin=None)

    left = [told(1, "a", "1"), told(2, "a", "2")]
    right = [told(2, "b", "3"), told(1, "b", "4")]
    asked = an_exchange(7, origin="c-7")
    pairing = pair_up(run("r1", asked, *left, replayed="c"), run("r2", asked, *right, replayed="c"))
    said = {pair.before.request.body[:7]: pair.after.request.body[:7] for pair in pairing.pairs[-2:]}
    assert (len(pairing.pairs), pairing.only_before) == (3, ())
    assert said == {b'{"n": 1': b'{"n": 1', b'{"n": 2': b'{"n": 2'}
