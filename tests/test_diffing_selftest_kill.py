"""Whether a differ that sees everything says so, and one that sees nothing does not."""

from seamline.diffing.selftest.kill import self_test
from support.calls import sql
from support.traffic import Call, Turn, a_run


def turns(number_of: int) -> list[Turn]:
    return [
        Turn(
            target=f"/orders/{number}",
            body={"id": number, "status": "paid", "items": [{"sku": "tea", "n": 1}, {"sku": "pot", "n": 2}]},
            calls=[Call("pay", "POST", "/charges", body={"cents": 5}), sql("SELECT a FROM x WHERE b = $1", 1)],
        )
        for number in range(number_of)
    ]


def test_what_is_steady_is_watched_closely() -> None:
    found = self_test(a_run(turns(4), "a"), a_run(turns(4), "b"), 1)
    assert found.survivors == ()
    assert found.killed == found.mutants > 15


def test_what_differs_at_every_request_hides_what_is_not_made_of_it() -> None:
    """Lists of other members each time: of a lost element nothing can be said."""
    noisy = [
        [Turn(body={"picks": [f"{name}{number}{place}" for place in range(4)]}) for number in range(4)] for name in "ab"
    ]
    found = self_test(a_run(noisy[0], "a"), a_run(noisy[1], "b"), 1)
    assert found.mutants > found.killed
    assert all(each.startswith("GET /orders/{id}: ") for each in found.survivors)


def test_it_is_bounded_and_the_same_again() -> None:
    one, again = (self_test(a_run(turns(4), "a"), a_run(turns(4), "b"), 1, 5) for _ in range(2))
    assert one == again
    assert one.mutants == 5


def test_nothing_makes_no_mutants() -> None:
    assert self_test(a_run([], "a"), a_run([], "b")).mutants == 0
