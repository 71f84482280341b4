"""Bursts of bytes as calls."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import FailureKind
from seamline.capture.wire.call import BODY_CAP, Call
from seamline.capture.wire.segments import SegmentDecoder


class Log:
    """Remembers what a decoder told."""

    def __init__(self) -> None:
        self.begun_calls: list[Call] = []
        self.calls: list[Call] = []

    def begun(self, call: Call) -> None:
        self.begun_calls.append(call)

    def ended(self, call: Call) -> None:
        self.calls.append(call)

    def gap(self, reason: str) -> None:
        raise AssertionError(f"segments have no gaps: {reason}")


def test_an_answer_ends_when_the_client_speaks_again() -> None:
    log = Log()
    decoder = SegmentDecoder("c-1", log)
    decoder.feed_client(b"get ", 1)
    decoder.feed_client(b"a", 2)
    assert decoder.in_flight
    decoder.feed_server(b"1", 5)
    decoder.feed_server(b"2", 9)
    assert not decoder.in_flight
    assert log.calls == []
    decoder.feed_client(b"get b", 20)
    decoder.lost(FailureKind.RESET, "gone", 30)
    first, second = log.calls
    assert (first.method, first.body, first.response_body) == ("SEND", b"get a", b"12")
    assert (first.started_us, first.ended_us, first.status) == (1, 9, 0)
    assert not second.answered
    assert second.failure is not None
    assert second.failure.kind is FailureKind.RESET
    assert second.body == b"get b"


def test_a_server_that_speaks_first_greets() -> None:
    log = Log()
    decoder = SegmentDecoder("c-1", log)
    decoder.feed_server(b"220 mail", 1)
    decoder.feed_client(b"HELO", 2)
    decoder.feed_server(b"250", 3)
    decoder.lost(FailureKind.CANCELLED, "the client left", 4)
    assert [(call.method, call.body, call.response_body) for call in log.calls] == [
        ("GREETING", b"", b"220 mail"),
        ("SEND", b"HELO", b"250"),
    ]


def test_a_long_burst_is_cut_and_told_by_its_size() -> None:
    log = Log()
    decoder = SegmentDecoder("c-1", log)
    decoder.feed_client(b"x" * (BODY_CAP + 1), 1)
    decoder.feed_server(b"ok", 2)
    decoder.lost(FailureKind.CANCELLED, "the client left", 3)
    (call,) = log.calls
    assert (call.truncated, call.body, call.headers.get("size")) == (True, b"", str(BODY_CAP + 1))
    assert call.response_body == b"ok"


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=8)), max_size=30))
def test_no_byte_is_lost_and_every_call_ends(chunks: list[tuple[bool, bytes]]) -> None:
    log = Log()
    decoder = SegmentDecoder("c-1", log)
    for at, (from_client, data) in enumerate(chunks):
        (decoder.feed_client if from_client else decoder.feed_server)(data, at)
    decoder.lost(FailureKind.CANCELLED, "the client left", len(chunks))
    assert log.begun_calls == log.calls
    for side, name in ((True, "body"), (False, "response_body")):
        assert b"".join(getattr(call, name) for call in log.calls) == b"".join(d for s, d in chunks if s is side)
