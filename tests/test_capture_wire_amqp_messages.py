"""Messages: destinations and headers."""

import pytest
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from seamline.capture.wire.amqp.frames import Malformed
from seamline.capture.wire.amqp.messages import Content, destination, json
from seamline.capture.wire.call import BODY_CAP, Call


def content(size: int, **properties: object) -> Content:
    made = Content(Basic.Publish(), 0)
    made.head(ContentHeader(body_size=size, properties=Basic.Properties(**properties)))  # type: ignore[arg-type]  # any
    return made


def test_properties_are_headers_beside_the_messages_own() -> None:
    call = Call(0, "PUBLISH")
    made = content(2, content_type="text/plain", correlation_id="c", headers={"traceparent": "00", "n": {"a": 1}})
    assert made.add(b"hi")
    made.describe(call)
    assert call.body == b"hi"
    assert call.headers.items == (
        ("traceparent", "00"), ("n", '{"a":1}'), ("content-type", "text/plain"), ("correlation-id", "c"),
    )  # fmt: skip


def test_a_large_body_is_told_by_its_size() -> None:
    made = content(BODY_CAP + 1)
    assert made.add(bytes(BODY_CAP + 1))
    call = Call(0, "PUBLISH")
    made.describe(call)
    assert (call.truncated, call.body, call.headers.get("size")) == (True, b"", str(BODY_CAP + 1))


def test_more_than_was_said_is_malformed() -> None:
    with pytest.raises(Malformed):
        content(1).add(b"two")


@pytest.mark.parametrize(("exchange", "key", "found"), [("", "q", "q"), ("x", "k.a", "x/k.a"), ("x", None, "x/")])
def test_destinations(exchange: str, key: str | None, found: str) -> None:
    assert destination(exchange, key) == found


def test_what_json_cannot_say() -> None:
    assert json(1 << 70) == "{}"
