"""Names of ours are not what a side did."""

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.replay.isolation.neutral import NeutralSink, neutral
from support.taps import MemorySink

NAMES = {"seamline_x_candidate_3": "{database}"}


def a_call(request: Request, response: Response | None) -> Exchange:
    return Exchange("m-1", 1, Role.OUTBOUND, "postgres", "db", "s", 0, 0, request, response)


def test_a_name_is_replaced_wherever_it_stands() -> None:
    name = "seamline_x_candidate_3"
    headers = Headers([("database", name), ("other", "x")])
    request = Request("GET", f"{name}.orders", headers, f"b {name}".encode(), "", f"USE {name}", f'["{name}"]')
    told = neutral(a_call(request, Response(0, headers, name.encode(), f"in {name}")), NAMES)
    assert told.request == Request(
        "GET", "{database}.orders", Headers([("database", "{database}"), ("other", "x")]), b"b {database}", "",
        "USE {database}", '["{database}"]',
    )  # fmt: skip
    assert told.response == Response(0, told.request.headers, b"{database}", "in {database}")


def test_what_names_nothing_is_the_same_object() -> None:
    exchange = a_call(Request("GET", "/", Headers()), None)
    assert neutral(exchange, NAMES) is exchange


def test_a_sink_is_what_it_stands_for_but_for_exchanges() -> None:
    sink = MemorySink()
    told = NeutralSink(sink, NAMES)
    assert told.next_id() == ("m-1", 1)
    told.lost("dropped", "why")
    told.offer(a_call(Request("GET", "seamline_x_candidate_3", Headers()), None))
    assert [each.request.target for each in sink.exchanges] == ["{database}"]
    assert sink.losses == {("dropped", "why"): 1}
    assert (told.clock, told.sessions, told.prefix) == (sink.clock, sink.sessions, sink.prefix)
