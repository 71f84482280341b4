"""Two runs side by side: every difference, and what could not be compared."""

from dataclasses import replace

from seamline.diffing.comparison import Comparison, Side, compare_runs
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.rounds import Run
from support.calls import sql, state
from support.traffic import Call, Turn, a_run


def compare(before: Run, after: Run) -> Comparison:
    return compare_runs(Side.of(before), Side.of(after), Templates.learn([*before.exchanges, *after.exchanges]))


def turn(number: int, total: int = 5, **more: object) -> Turn:
    return Turn(target=f"/orders/{number}", body={"id": number, "total": total}, **more)  # type: ignore[arg-type]


def test_equal_runs_have_pairs_and_no_differences() -> None:
    turns = [turn(number) for number in range(3)]
    found = compare(a_run(turns, "a"), a_run(turns, "b"))
    assert (len(found.pairs), found.observations, found.alone, found.walked) == (3, [], [], 0)


def test_a_difference_names_request_and_endpoint() -> None:
    before, after = [turn(1), turn(2)], [turn(1), turn(2, total=6)]
    (one,) = compare(a_run(before, "a"), a_run(after, "b")).observations
    assert (one.endpoint, one.difference.path, one.difference.kind) == ("GET /orders/{id}", "$.total", "value_changed")


def test_a_request_on_one_side_only_is_told() -> None:
    found = compare(a_run([turn(1), turn(2)], "a"), a_run([turn(1)], "b"))
    assert len(found.pairs) == 1
    assert any("GET /orders/{id}" in line and "candidate" in line for line in found.alone)


def test_calls_are_compared_where_both_sides_have_taps() -> None:
    calls = (Call("pricing", "POST", "/prices", {"n": 1}),)
    found = compare(a_run([turn(1, calls=calls)], "a"), a_run([turn(1)], "b"))
    assert [(one.difference.kind, one.difference.service) for one in found.observations] == [("missing", "pricing")]


def test_a_recording_without_taps_says_nothing_of_calls() -> None:
    calls = (Call("pricing", "POST", "/prices", {"n": 1}),)
    before, after = a_run([turn(1)], "a"), a_run([turn(1, calls=calls)], "b")
    before = replace(before, manifest=replace(before.manifest, engine="tap"))
    after = replace(after, manifest=replace(after.manifest, engine="replay"))
    assert compare(before, after).observations == []


def test_what_the_sides_were_told_and_what_their_rows_are_called_is_kept() -> None:
    def run(name: str, number: int) -> Run:
        made = sql("INSERT INTO orders (total) VALUES ($1) RETURNING id", 5, rows=[{"id": number}])
        left = state("orders", [{"id": number, "total": 5}], name=name)
        return a_run([Turn("POST", f"/carts/{number}/order", {"id": number}, calls=[made])], name, states=[left])

    found = compare(run("a", 1_017), run("b", 2_017))
    assert [(one.spot.place[0], one.spot.place[1], one.before, one.after) for one in found.named] == [
        ("request", "path.id", "1017", "2017"),
        ("sql", "$[*].id", "1017", "2017"),
        ("state", "$.orders.id", "1017", "2017"),
    ]
    assert found.renamed == []
