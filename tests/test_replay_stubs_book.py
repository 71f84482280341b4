"""The stubs' part of a capture, read from a file."""

from dataclasses import replace
from pathlib import Path

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response, Role
from seamline.capture.sanitize.rules import Rules
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.replay.stubs.book import Book, read_book
from support.captures import MANIFEST, an_exchange, write_capture
from support.stubs import KEY, an_http_call


def test_it_holds_the_calls_to_its_downstreams_and_what_the_requests_were_answered(tmp_path: Path) -> None:
    path = write_capture(
        tmp_path / "a.seam",
        [
            an_exchange(1, session="s-1"),
            an_http_call(2, "/p/1", cause="t-1"),
            an_http_call(3, "/p/2", service="stock"),
            an_http_call(4, "/p/3", protocol="grpc"),
        ],
    )
    book = read_book(path, [("pricing", "http"), ("cache", "redis")], KEY, Rules())
    assert [call.id for call in book.recorded("pricing", "http").calls] == ["t-2"]
    assert book.recorded("cache", "redis").calls == []
    assert book.recorded("stock", "http").calls == []
    assert book.blank == {"cache"}
    assert book.sessions == {"t-1": "s-1"}
    assert [(leaf.path, leaf.value) for leaf in book.told("t-1")] == [("$.id", 1), ("$.price", 9.9)]
    assert book.told("t-2") == []


def test_another_key_is_noticed() -> None:
    book = Book([], [], Sanitizer(KEY))
    assert book.knows_key_of(MANIFEST), "a capture that names no key"
    assert book.knows_key_of(replace(MANIFEST, key_id=Sanitizer(KEY).key_id))
    assert not book.knows_key_of(replace(MANIFEST, key_id=Sanitizer(b"another key here").key_id))


def test_a_value_of_the_capture_comes_back_unchanged_and_a_raw_one_becomes_its_pseudonym() -> None:
    sanitizer = Sanitizer(KEY)
    raw = Request("POST", "/p", Headers([("content-type", "application/json")]), b'{"password":"hunter2"}')
    clean = sanitizer.clean(an_http_call(1, "/p", request=raw))
    answered = sanitizer.clean(
        an_exchange(
            2, role=Role.OUTBOUND, service="pricing",
            response=Response(200, Headers([("content-type", "application/json")]), b'{"secret":"tiger-lily-9"}'),
        )
    )  # fmt: skip
    book = Book([clean, answered], [("pricing", "http")], Sanitizer(KEY))
    assert book.sanitizer.clean(clean).request.body == clean.request.body
    assert book.sanitizer.clean(an_http_call(1, "/p", request=raw)).request.body == clean.request.body
    assert answered.response is not None
    echoed = Request("POST", "/p", Headers([("content-type", "application/json")]), answered.response.body)
    assert book.sanitizer.clean(an_http_call(1, "/p", request=echoed)).request.body == answered.response.body
