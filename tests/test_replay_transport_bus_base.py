"""What every producer shares."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.transport.bus.base import Access, access_in, arguments_of

AT = ("10.0.0.7", 4222)


@pytest.mark.parametrize(
    ("values", "access"),
    [
        ((), Access(AT)),
        (("debug", "nats://{tap}"), Access(AT)),
        (("nats://ada:s%20cret@{tap}",), Access(AT, "ada", "s cret")),
        (("nats://token@{tap},nats://other",), Access(AT, "token")),
        (("http://ada:x@{tap}", "nats://bob:y@{tap}/v%2F1"), Access(AT, "bob", "y", "v/1")),
        (("nats://[::1", "nats+tls://ada:x@{tap}"), Access(AT, "ada", "x")),
    ],
)
def test_who_comes_stands_in_what_the_service_is_told(values: tuple[str, ...], access: Access) -> None:
    assert access_in(values, AT, ("nats",)) == access


def test_a_password_is_not_shown() -> None:
    assert "cret" not in repr(access_in(["nats://ada:secret@{tap}"], AT, ("nats",)))


@pytest.mark.parametrize(("text", "found"), [("", {}), ('{"key":"a"}', {"key": "a"}), ("[1]", {}), ("{", {})])
def test_arguments(text: str, found: dict[str, object]) -> None:
    assert arguments_of(Request("CONSUME", "a", Headers(), arguments=text)) == found
