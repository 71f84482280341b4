"""What followed a message when it was recorded."""

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Request, Role
from seamline.replay.effects import Effects, effects_of
from support.captures import START_US, an_exchange


def call(number: int, *parents: str, **changes: object) -> Exchange:
    links = tuple(Link(parent, LinkKind.TIME, 0.9) for parent in parents)
    return an_exchange(number, role=Role.OUTBOUND, links=links, **changes)


def test_calls_are_counted_for_their_likeliest_cause() -> None:
    setup = Request("HELLO", "", Headers([("setup", "yes")]))
    exchanges = [
        call(1, "a"), call(3, "a", "b"), call(4, "b", "a"), call(5), call(6, "c"), call(7, "a", request=setup),
        an_exchange(8, links=(Link("a", LinkKind.TIME, 0.9),)),
    ]  # fmt: skip
    found = effects_of(exchanges, {"a": START_US, "b": START_US + 5000, "d": START_US})
    assert found == {"a": Effects(2, 3000), "b": Effects(1, 0)}
