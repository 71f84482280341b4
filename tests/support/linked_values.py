"""Exchanges whose values hang together, and the links between them, made by hand."""

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Request, Response
from seamline.replay.plan import make_plan
from seamline.replay.transport.base import Outcome
from seamline.replay.values.links import ValueLink, ValueLinks
from seamline.replay.values.needs import Needs, restricted
from seamline.replay.values.place import Place

from .captures import START_US, an_exchange

ID, NUMBER = Place("body", "$.id"), Place("body", "$.number")
PATH = Place("path", "1")
JSON = Headers([("Host", "h"), ("Content-Type", "application/json")])


def asked(name: str, method: str, target: str, at: int, *, status: int = 200, session: str = "s") -> Exchange:
    """A recorded exchange; every answer is the id 17."""
    return an_exchange(
        at,
        id=name,
        session=session,
        started_us=START_US + at * 10_000,
        request=Request(method, target, JSON),
        response=Response(status, JSON, b'{"id":17}'),
    )


def link(producer: str, consumer: str, source: Place = ID, value: str = "17") -> ValueLink:
    """The consumer has the producer's id in its path."""
    return ValueLink(producer, source, consumer, PATH, value, "by hand")


def an_order(*more: ValueLink, others: dict[ValueLink, tuple[ValueLink, ...]] | None = None) -> Needs:
    """An order is placed, paid and shown; and `more` links."""
    exchanges = order_exchanges()
    by_consumer = {"pay": (link("place", "pay"),), "show": (link("place", "show"),)}
    for each in more:
        by_consumer[each.consumer] = (*by_consumer.get(each.consumer, ()), each)
    plan = make_plan(exchanges, allow_writes=True)
    return restricted(plan, exchanges, ValueLinks(by_consumer, others=others or {}))


def order_exchanges() -> list[Exchange]:
    """What `an_order` was recorded from."""
    return [
        asked("place", "POST", "/orders", 0, status=201),
        asked("pay", "POST", "/orders/17/pay", 1),
        asked("show", "GET", "/orders/17", 2),
    ]


def answered(status: int, body: bytes = b"") -> Outcome:
    """An answer, as a transport tells it."""
    return Outcome(Response(status, JSON, body), None, 0, 1)


def unanswered() -> Outcome:
    """A failure, likewise."""
    return Outcome(None, Failure(FailureKind.TIMEOUT, "slow"), 0, 1)
