import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Failure, FailureKind, Response
from seamline.replay.stubs.grpc_answer import Reset, Said, half_of, said_for_code, said_for_failure, said_for_response

MESSAGE = b"\0\0\0\0\3abc"
HEAD = ("content-type", "application/grpc")


def response(*items: tuple[str, str], body: bytes = b"", status: int = 200) -> Response:
    return Response(status, Headers(items), body)


def test_trailers_stand_from_the_status_on() -> None:
    said = said_for_response(
        response(HEAD, ("x-a", "1"), ("grpc-status", "0"), ("x-b", "2"), body=MESSAGE), is_grpc=True
    )
    assert said == Said(
        [(b":status", b"200"), (b"content-type", b"application/grpc"), (b"x-a", b"1")],
        MESSAGE,
        [(b"grpc-status", b"0"), (b"x-b", b"2")],
    )


def test_without_messages_there_are_trailers_alone() -> None:
    said = said_for_response(response(HEAD, ("grpc-status", "5"), ("grpc-message", "no")), is_grpc=True)
    assert said.trailers == []
    assert said.head[-2:] == [(b"grpc-status", b"5"), (b"grpc-message", b"no")]


def test_plain_http_gets_its_length() -> None:
    said = said_for_response(
        response(("Content-Length", "9"), ("Connection", "close"), body=b"abc", status=404), is_grpc=False
    )
    assert said == Said([(b":status", b"404"), (b"content-length", b"3")], b"abc", [])


def test_a_broken_body_is_not_sent() -> None:
    assert said_for_response(response(HEAD, ("grpc-status", "0"), body=MESSAGE[:-1]), is_grpc=True).body == b""


def test_an_answer_that_was_cut_is_unavailable() -> None:
    said = said_for_response(response(HEAD, ("size", "9999999"), ("grpc-status", "0")), is_grpc=True)
    assert (b"grpc-status", b"14") in said.head


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("x", "a\r\nb: c\0", [(b"x", b"a  b: c")]),
        ("X-Upper", "1", [(b"x-upper", b"1")]),
        ("bad name", "1", []),
        (":path", "1", []),
        ("x\r\n", "1", []),
        ("te", "x" * 9000, [(b"te", b"x" * 8192)]),
        ("x", "\u20ac", [(b"x", b"?")]),
        ("grpc-message", "caf\u00e9 50%", [(b"grpc-message", b"caf%C3%A9 50%")]),
    ],
)
def test_what_a_capture_says_cannot_break_the_protocol(name: str, value: str, sent: list[tuple[bytes, bytes]]) -> None:
    said = said_for_response(response((name, value)), is_grpc=True)
    assert [*said.head[1:], *said.trailers] == sent


@pytest.mark.parametrize(
    ("failure", "played"),
    [
        (Failure(FailureKind.TIMEOUT, "x"), None),
        (Failure(FailureKind.CANCELLED, "x"), None),
        (Failure(FailureKind.RESET, "the server reset the stream: INTERNAL_ERROR"), Reset(2)),
        (Failure(FailureKind.RESET, "the server reset the stream: CANCEL"), Reset(8)),
    ],
)
def test_a_failure_is_played(failure: Failure, played: object) -> None:
    assert said_for_failure(failure, is_grpc=True) == played


@pytest.mark.parametrize(
    "failure",
    [
        Failure(FailureKind.CONNECT, "ECONNREFUSED"),
        Failure(FailureKind.RESET, "the server closed the connection"),
        Failure(FailureKind.RESET, "the server reset the stream: REFUSED_STREAM"),
        Failure(FailureKind.RESET, "the server reset the stream: NONSENSE"),
    ],
)
def test_a_broken_connection_is_unavailable(failure: Failure) -> None:
    said = said_for_failure(failure, is_grpc=True)
    assert isinstance(said, Said)
    assert (b"grpc-status", b"14") in said.head
    assert said_for_failure(failure, is_grpc=False) == Reset(2)


def test_a_code_has_its_message_encoded() -> None:
    said = said_for_code("13", "50% of caf\u00e9")
    assert (b"grpc-message", b"50%25 of caf%C3%A9") in said.head


def test_half_an_answer() -> None:
    assert half_of(Said([], b"abcd", [(b"a", b"b")])) == Said([], b"ab", [(b"a", b"b")])
