"""The lines of a tree."""

import io

from rich.console import Console

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Role
from seamline.capture.tree import by_cause, tree_of
from seamline.cli.tree_text import rich_tree


def exchange(
    name: str, protocol: str, request: Request, response: Response | None, confidence: float = 1.0
) -> Exchange:
    role = Role.INBOUND if name == "root" else Role.OUTBOUND
    links = () if name == "root" else (Link("root", LinkKind.TIME, confidence),)
    failure = None if response is not None else Failure(FailureKind.RESET, "gone")
    return Exchange(name, 7, role, protocol, "svc", "s", 0, 1500, request, response, failure, links)


NONE = Headers()
REDIS = Request("GET", "price:tea", NONE, operation="GET", arguments='["price:tea"]')


def test_the_tree_shows_what_is_uncertain_and_steers_no_terminal() -> None:
    root = exchange("root", "http", Request("GET", "/\x1b[2J", NONE), Response(200, NONE))
    call = exchange("call", "redis", REDIS, Response(0, NONE), confidence=0.5)
    hello = Request("HELLO", "", Headers((("setup", "yes"),)), operation="HELLO", arguments="[]")
    setup = exchange("setup", "redis", hello, Response(0, NONE))
    out = io.StringIO()
    Console(file=out, width=200).print(rich_tree(tree_of(root, by_cause([call, setup]))))
    first, second, third = out.getvalue().splitlines()
    assert "\x1b" not in first
    assert second.endswith("svc GET price:tea  ok  1.5 ms  uncertain (time, 0.50)  #7")
    assert third == "└── … and 1 of the connections' housekeeping"
