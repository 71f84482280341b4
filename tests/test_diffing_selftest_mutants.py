"""Which mutants are made of a run."""

from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.outbound import CallIndex
from seamline.diffing.pair import Pair, pair_up
from seamline.diffing.selftest.mutants import MIN_TIMED, Mutant, mutants
from support.calls import sql
from support.traffic import Call, Turn, a_run


def made(turns: list[Turn], again: list[Turn] | None = None, seed: int = 1) -> list[Mutant]:
    first, second = a_run(turns, "a"), a_run(again or turns, "b")
    pairs: list[Pair] = list(pair_up(first, second).pairs)
    calls = CallIndex(first.exchanges), CallIndex(second.exchanges)
    templates = Templates.learn([*first.exchanges, *second.exchanges])
    return list(mutants({"GET /orders/{id}": pairs}, calls, templates, seed))


def test_each_place_and_each_kind_of_change() -> None:
    what = {each.what for each in made([Turn(body={"total": 5, "items": [1, 2]})])}
    assert what == {
        "status 500", "content-type gone", "last element lost at $.items", "removed at $.total",
        "removed at $.items", "removed at $.items[*]", "type changed at $.total", "value changed at $.total",
        "null instead at $.total", "type changed at $.items[*]", "value changed at $.items[*]", "null instead at $.items[*]",
    }  # fmt: skip


def test_a_value_that_differs_by_itself_is_not_altered() -> None:
    what = {each.what for each in made([Turn(body={"at": 5})], [Turn(body={"at": 6})])}
    assert "value changed at $.at" not in what
    assert "type changed at $.at" in what


def test_calls_are_taken_away_doubled_and_made_with_something_else() -> None:
    calls = [Call("pay", "POST", "/charges", body={"cents": 5}), sql("SELECT a FROM x WHERE b = $1", 1)]
    what = {each.what for each in made([Turn(calls=calls)]) if ": " in each.what}
    assert what == {
        "gone: pay POST /charges", "made twice: pay POST /charges", "asks for another: pay POST /charges",
        "gone: db SELECT a FROM x WHERE b = $1", "asks for another: db SELECT a FROM x WHERE b = $1",
    }  # fmt: skip


def test_times_are_judged_from_some_pairs_on() -> None:
    many = [Turn(target=f"/orders/{number}") for number in range(MIN_TIMED)]
    assert "twice as slow" in {each.what for each in made(many)}
    assert "twice as slow" not in {each.what for each in made(many[:-1])}


def test_the_seed_chooses_the_order_and_nothing_else() -> None:
    turns = [Turn(body={"a": 1, "b": 2, "c": 3})]
    one, same, other = ([each.what for each in made(turns, seed=seed)] for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert sorted(one) == sorted(other)
