"""Trees in a report: which requests are drawn, and what is marked."""

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Losses, Manifest, Request, Response, Role
from seamline.diffing.judge import Round, Run, judge
from seamline.diffing.report.model import CallMark

NONE = Headers()


def request(number: int, side: str) -> Exchange:
    return Exchange(
        f"{side}-{number}",
        number * 10,
        Role.INBOUND,
        "http",
        "shop",
        "s",
        number * 1_000_000,
        9000,
        Request("GET", f"/orders/{number}", NONE),
        Response(200, NONE, b"{}"),
        origin=f"x-{number}",
    )


def query(number: int, side: str, text: str, at: int) -> Exchange:
    return Exchange(
        f"{side}-{number}-{at}",
        number * 10 + at,
        Role.OUTBOUND,
        "postgres",
        "db",
        "c",
        number * 1_000_000 + at * 1000,
        500,
        Request(
            text.split(maxsplit=1)[0],
            "orders",
            Headers((("fingerprint", text),)),
            operation=text,
            arguments=f'{{"id":{number}}}',
        ),
        Response(0, NONE, b"{}", "SELECT 1"),
        links=(Link(f"{side}-{number}", LinkKind.PROPAGATED, 1.0),),
    )


def run(side: str, texts: tuple[str, ...], requests: int = 4) -> Run:
    exchanges = [request(number, side) for number in range(1, requests + 1)]
    exchanges += [
        query(number, side, text, at) for number in range(1, requests + 1) for at, text in enumerate(texts, 1)
    ]
    return Run(Manifest(f"run-{side}", 0, "t", "e", replayed="capture"), exchanges, Losses(), complete=True)


def test_what_one_side_lacks_is_marked() -> None:
    both, gone, new = "SELECT * FROM orders WHERE id = $1", "SELECT * FROM lines WHERE id = $1", "SELECT 2 FROM stock"
    report = judge([Round(run("b", (both, gone)), run("c", (both, new)))])
    tree = report.trees[0]
    assert tree.endpoint == "GET /orders/{id}"
    assert tree.exchange.startswith("x-")
    assert [(line.depth, line.call, line.mark) for line in tree.baseline] == [
        (0, f"GET /orders/{tree.exchange[2:]}", CallMark.BOTH),
        (1, both, CallMark.BOTH),
        (1, gone, CallMark.MISSING),
    ]
    assert [(line.call, line.mark) for line in tree.candidate[1:]] == [(both, CallMark.BOTH), (new, CallMark.EXTRA)]


def test_one_request_an_endpoint_is_drawn_where_nothing_was_found() -> None:
    text = "SELECT * FROM orders WHERE id = $1"
    report = judge([Round(run("b", (text,)), run("c", (text,)))])
    assert len(report.trees) == 1
    assert {line.mark for line in (*report.trees[0].baseline, *report.trees[0].candidate)} == {CallMark.BOTH}


def test_a_request_without_calls_is_no_tree() -> None:
    assert judge([Round(run("b", ()), run("c", ()))]).trees == ()


def test_a_drivers_own_talk_is_not_drawn() -> None:
    text = "SELECT * FROM orders WHERE id = $1"
    report = judge([Round(run("b", ("SET TIME ZONE $1", text)), run("c", (text,)))])
    assert [line.call for line in report.trees[0].baseline[1:]] == [text]
