import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind
from seamline.capture.wire.call import BODY_CAP
from seamline.capture.wire.http2 import Http2Error
from seamline.capture.wire.http2_stream import Http2Stream, request_of
from seamline.capture.wire.turn import Budget

GRPC = (("content-type", "application/grpc+proto"),)


def stream(*headers: tuple[str, str], budget: Budget | None = None) -> Http2Stream:
    return Http2Stream(1, 1_000_000, "POST", "/a.B/C", Headers(headers or GRPC), budget or Budget(1 << 30))


def message(size: int) -> bytes:
    return b"\0" + size.to_bytes(4) + b"x" * size


def test_a_head_becomes_method_target_and_host() -> None:
    head = ((":method", "POST"), (":scheme", "http"), (":path", "/a.B/C"), (":authority", "h:1"), *GRPC, ("x", "1"))
    call = request_of(3, head, 7, Budget(1000)).call
    assert (call.method, call.target, call.operation, call.version) == ("POST", "/a.B/C", "a.B/C", "2")
    assert (call.protocol, call.started_us) == ("", 7)
    assert call.headers.items == (("host", "h:1"), *GRPC, ("x", "1"))


def test_a_host_of_its_own_stays() -> None:
    head = ((":method", "GET"), (":path", "/"), (":authority", "h:1"), ("host", "other"))
    assert request_of(1, head, 0, Budget(1000)).call.headers.items == (("host", "other"),)


def test_a_head_without_a_method_is_an_error() -> None:
    with pytest.raises(Http2Error):
        request_of(1, ((":path", "/"),), 0, Budget(1000))


def test_what_is_no_grpc_is_http() -> None:
    call = stream(("content-type", "application/json")).call
    assert (call.protocol, call.operation) == ("http", "")


def test_trailers_follow_the_head_and_the_status_comes_first() -> None:
    one = stream()
    one.status = 200
    one.answer_head((("content-type", "application/grpc"),))
    one.trailers((("x-t", "1"), ("grpc-status", "0"), ("grpc-message", "")))
    one.finish(2_000_000)
    assert one.call.response_headers.items == (
        ("content-type", "application/grpc"),
        ("grpc-status", "0"),
        ("x-t", "1"),
        ("grpc-message", ""),
    )


@pytest.mark.parametrize(
    ("chunks", "is_at_boundary"),
    [
        ([], False),
        ([b"\0\0\0"], False),
        ([message(0)], True),
        ([message(3)], True),
        ([message(3)[:-1]], False),
        ([message(3), message(4)[:-1]], True),
        ([message(3)[:4], message(3)[4:]], True),
    ],
)
def test_a_message_is_whole_or_not(chunks: list[bytes], is_at_boundary: bool) -> None:
    one = stream()
    for chunk in chunks:
        one.request.add(chunk)
    assert one.at_boundary() is is_at_boundary


def test_a_message_that_comes_in_many_pieces_is_looked_at_seldom() -> None:
    one = stream()
    whole = message(5000)
    seen = []
    for at in range(len(whole)):
        one.request.add(whole[at : at + 1])
        seen.append(one.at_boundary())
    assert seen == [False] * (len(whole) - 1) + [True]


@pytest.mark.parametrize(
    ("timeout", "after_us", "is_overdue"),
    [
        ("100m", 50_000, False),
        ("100m", 90_000, True),
        ("100m", 500_000, True),
        ("2S", 1_900_000, False),
        ("2S", 2_000_000, True),
        ("1H", 3_599_000_000, False),
        ("1M", 60_000_000, True),
        ("99999999n", 99_000, True),
        ("200000u", 200_000, True),
        ("", 1 << 50, False),
        ("1", 1 << 50, False),
        ("123456789m", 1 << 50, False),
    ],
)
def test_a_deadline_comes_when_its_header_says(timeout: str, after_us: int, is_overdue: bool) -> None:
    assert stream(*GRPC, ("grpc-timeout", timeout)).is_overdue(1_000_000 + after_us) is is_overdue


def test_a_request_that_broke_off_ends_with_its_last_whole_message() -> None:
    one = stream()
    one.request.add(message(3) + message(4)[:-1])
    one.fail(FailureKind.CANCELLED, "why", 2)
    assert one.call.body == message(3)
    assert not one.call.truncated
    assert one.call.failure is not None


def test_a_body_over_the_cap_is_left_out_and_its_size_told() -> None:
    budget = Budget(10 * BODY_CAP)
    one = stream(budget=budget)
    one.status = 200
    for _ in range(5):
        one.answer.add(bytes(BODY_CAP // 4))
    one.finish(2)
    one.release()
    assert one.call.truncated
    assert one.call.response_body == b""
    assert one.call.response_headers.get("size") == str(BODY_CAP // 4 * 5)
    assert budget.left == 10 * BODY_CAP


def test_a_budget_that_is_used_up_cuts_bodies_and_comes_back() -> None:
    budget = Budget(100)
    first, second = stream(budget=budget), stream(budget=budget)
    first.request.add(b"x" * 20)
    second.request.add(b"x" * 20)
    assert second.request.cut
    first.release()
    second.release()
    assert budget.left == 100


def test_trailers_of_a_request_follow_its_headers() -> None:
    one = stream()
    one.add_headers((("x-sum", "1"),))
    assert one.call.headers.items == (*GRPC, ("x-sum", "1"))
