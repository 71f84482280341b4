"""One channel: its bounds, and numbers that mean nothing."""

import pytest
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from seamline.capture.model import FailureKind
from seamline.capture.wire.amqp import channel as module
from seamline.capture.wire.amqp.channel import Channel
from seamline.capture.wire.amqp.frames import Malformed
from seamline.capture.wire.amqp.messages import Content
from support.redis_nats import Events


def content(method: object) -> Content:
    made = Content(method, 0)
    made.head(ContentHeader(body_size=0, properties=Basic.Properties()))
    return made


def deliver(channel: Channel, tag: int) -> None:
    method = Basic.Deliver(consumer_tag="t", delivery_tag=tag, exchange="", routing_key="q")
    channel.delivered(content(method), 1)


def test_the_oldest_goes_when_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 2)
    events = Events()
    channel = Channel("c-1/1", events)
    for tag in (1, 2, 3):
        deliver(channel, tag)
    (gone,) = events.calls
    assert gone.failure is not None
    assert gone.failure.kind is FailureKind.PROTOCOL
    assert len(events.open) == 2


def test_a_number_that_comes_again_ends_the_first() -> None:
    events = Events()
    channel = Channel("c-1/1", events)
    deliver(channel, 1)
    deliver(channel, 1)
    assert (len(events.calls), len(events.open)) == (1, 1)


def test_numbers_that_nobody_knows_end_nothing() -> None:
    events = Events()
    channel = Channel("c-1/1", events)
    deliver(channel, 1)
    channel.acknowledged(7, multiple=False, is_ack=True, at_us=2)
    channel.confirmed(9, multiple=True, is_ack=True, at_us=2)
    assert events.calls == []


def test_zero_means_all() -> None:
    events = Events()
    channel = Channel("c-1/1", events)
    deliver(channel, 1)
    deliver(channel, 2)
    channel.acknowledged(0, multiple=True, is_ack=True, at_us=2)
    assert [call.reason for call in events.calls] == ["ack", "ack"]
    assert not channel.in_flight


def test_an_answer_to_something_else_is_malformed() -> None:
    channel = Channel("c-1/1", Events())
    channel.ask("queue.declare", "q", {}, 1, nowait=False)
    with pytest.raises(Malformed):
        channel.answered("queue.bind", {}, 2)
