"""The link index and the courier, tied together."""

from typing import Any

from seamline.capture.headers import Headers
from seamline.capture.wire.call import Call
from seamline.replay.followed import FollowedLinks


class Noted:
    """A courier that writes down what it is told."""

    def __init__(self) -> None:
        self.awaited: set[str] = set()
        self.begun: list[tuple[str, list[str]]] = []
        self.ended: list[str] = []
        self.when_over: Any = None

    def awaits(self, exchange_id: str) -> bool:
        return exchange_id in self.awaited

    def call_begun(self, call_id: str, links: Any, _: int) -> None:
        self.begun.append((call_id, [link.parent for link in links]))

    def call_ended(self, call_id: str, _: int) -> None:
        self.ended.append(call_id)


def tied() -> tuple[FollowedLinks, Noted]:
    links, courier = FollowedLinks(), Noted()
    links.follow(courier)  # type: ignore[arg-type]  # a stand-in with the same methods
    return links, courier


def a_call(name: str, at_us: int, *headers: tuple[str, str]) -> Call:
    call = Call(at_us, "GET", "k", "GET")
    call.exchange_id = name
    call.headers = Headers(headers)
    call.arguments = "[]"
    return call


def test_a_message_under_way_stays_the_one_open_cause() -> None:
    links, courier = tied()
    courier.awaited.add("m")
    links.opened("m", 1000, Headers())
    links.closed("m", 1000)
    [link] = links.call_begun(a_call("c", 900_000), "cache/1")
    assert (link.parent, link.confidence >= 0.9) == ("m", True)
    courier.awaited.clear()
    courier.when_over("m", 1_000_000)
    late = links.call_begun(a_call("d", 1_100_000), "cache/2")
    assert all(each.confidence < 0.9 for each in late)


def test_every_call_is_told_but_a_connections_own() -> None:
    links, courier = tied()
    links.opened("m", 1000, Headers())
    for call in (a_call("hello", 1100, ("setup", "yes")), a_call("get", 1200)):
        links.call_begun(call, "cache/1")
        call.answer(0, call.started_us + 10)
        links.call_ended(call, "cache/1")
    assert courier.begun == [("get", ["m"])]
    assert courier.ended == ["hello", "get"]


def test_what_is_not_awaited_closes_as_ever() -> None:
    links, _ = tied()
    links.opened("m", 1000, Headers())
    links.closed("m", 2000)
    assert all(link.confidence < 0.9 for link in links.call_begun(a_call("c", 3_000_000), "cache/1"))
    alone = FollowedLinks()
    alone.opened("m", 1000, Headers())
    assert alone.call_begun(a_call("c", 2000), "cache/1")
