"""What the stubs of one run share."""

from seamline.capture.headers import Headers
from seamline.capture.model import Link, LinkKind, Response
from support.captures import an_exchange
from support.stubs import an_http_call, playback_of

A, B = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "ab")
JSON = Headers([("Content-Type", "application/json")])


def test_the_scope_of_a_call_is_what_its_candidates_replay() -> None:
    playback, _ = playback_of([an_exchange(1)])
    playback.sent("run-1", "t-1")
    links = (Link("run-1", LinkKind.VALUE, 0.6), Link("run-9", LinkKind.VALUE, 0.3))
    scope = playback.scope(links)
    assert (scope.causes, scope.how, scope.sure) == ((("t-1", 0.6),), LinkKind.VALUE, None)
    assert playback.scope(()).causes == ()
    [lone] = [Link("run-1", LinkKind.TIME, 0.95)]
    assert playback.scope((lone,)).sure == "t-1"
    assert playback.scope((Link("run-1", LinkKind.VALUE, 0.95),)).sure is None


def test_ids_in_answers_are_learnt_for_the_session() -> None:
    answer = Response(201, JSON, b'{"id":"%s","n":1}' % A.encode())
    playback, _ = playback_of([an_exchange(1, session="s", response=answer), an_exchange(2, session="s")])
    playback.answered("t-1", b'{"id":"%s","n":1}' % B.encode())
    assert playback.renaming("t-2").replayed(A.encode()) == B.encode()
    assert playback.renaming(None).replayed(A.encode()) == A.encode()


def test_an_answer_without_json_teaches_nothing() -> None:
    playback, _ = playback_of([an_exchange(1)], ("pricing", "http"))
    for body in (b"", b"plain", b"{" + b" " * 100_000, b'{"id":'):
        playback.answered("t-1", body)
    playback.answered("t-9", b"{}")
    assert len(playback.renaming("t-1")) == 0


def test_calls_are_found_by_downstream() -> None:
    playback, _ = playback_of([an_http_call(1, "/p")], ("pricing", "http"))
    assert len(playback.book.recorded("pricing", "http").calls) == 1
