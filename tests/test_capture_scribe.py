"""The sanitizer process, spoken to over its socket."""

import json
import marshal
import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from seamline.capture.frames import FrameReader, Hello, Kind, Trust, frame
from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Losses, Manifest, Request, Response, Role
from seamline.capture.sanitize.rules import Rules
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.scribe import Scribe, Trusting, serve
from seamline.capture.store.reader import open_capture
from seamline.capture.store.records import pack_exchange, unpack_exchange
from support.captures import an_exchange, write_capture

SECRET = "hunter2-hunter2"


def packed(number: int, *, truncated: bool = False, body: bytes = b"{}") -> bytes:
    return pack_exchange(
        Exchange(
            f"e-{number}",
            number,
            Role.INBOUND,
            "http",
            "svc",
            "c-1",
            1_700_000_000_000_000,
            5,
            Request("POST", "/", Headers([("Content-Type", "application/json")]), body),
            Response(200, Headers(), b""),
            truncated=truncated,
        )
    )


class Talk:
    """Our end of the socket."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._reader = FrameReader()
        self._frames: list[tuple[Kind, bytes]] = []

    def say(self, kind: Kind, payload: bytes = b"") -> None:
        self.channel.sendall(frame(kind, payload))

    def hear(self) -> tuple[Kind, dict[str, Any]]:
        while not self._frames:
            data = self.channel.recv(1 << 16)
            assert data, "the scribe has hung up"
            self._frames = self._reader.feed(data)
        kind, payload = self._frames.pop(0)
        return kind, json.loads(payload) if payload else {}


@contextmanager
def scribe(path: Path, hello: bytes | None = None) -> Iterator[Talk]:
    ours, theirs = socket.socketpair()
    ours.settimeout(30)

    def work() -> None:
        with theirs:
            try:
                serve(theirs)
            except BaseException:
                return

    thread = threading.Thread(target=work)
    thread.start()
    talk = Talk(ours)
    talk.say(
        Kind.HELLO,
        pickle.dumps(Hello(path, Manifest("c", 0, "t", "tap"), b"k" * 32, Rules())) if hello is None else hello,
    )
    try:
        yield talk
    finally:
        ours.close()
        thread.join(30)
        assert not thread.is_alive()


def test_it_writes_counts_and_sums_up(tmp_path: Path) -> None:
    with scribe(tmp_path / "a.seam") as talk:
        assert talk.hear()[0] is Kind.READY
        talk.say(Kind.EXCHANGE, packed(1))
        talk.say(Kind.EXCHANGE, packed(2, truncated=True))
        talk.say(Kind.LOSSES, json.dumps(asdict(Losses(dropped=4, reasons={"queue full": 4}))).encode())
        talk.say(Kind.CLOSE)
        kind, summary = talk.hear()
        while kind is Kind.PROGRESS:
            kind, summary = talk.hear()
        assert kind is Kind.SUMMARY
        assert summary["recorded"] == 2
        assert (summary["losses"]["truncated"], summary["losses"]["dropped"]) == (1, 0)
    with open_capture(tmp_path / "a.seam") as capture:
        assert capture.complete
        assert [each.id for each in capture] == ["e-1", "e-2"]
        assert (capture.losses.dropped, capture.losses.truncated) == (4, 1)
        assert capture.losses.reasons["queue full"] == 4


def test_whole_exchanges_that_cannot_be_understood_are_counted(tmp_path: Path) -> None:
    with scribe(tmp_path / "a.seam") as talk:
        talk.hear()
        good, bad = b"GET / HTTP/1.1\r\n\r\n", b"GET /"
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        wholes = [(seq, "c-1", 10, 20, asked, answer, ()) for seq, asked in ((1, good), (2, bad), (3, good))]
        talk.say(Kind.WHOLE, marshal.dumps(("p", "svc", False, wholes)))
        talk.say(Kind.CLOSE)
        _, summary = talk.hear()
        assert (summary["recorded"], summary["losses"]["dropped"]) == (2, 1)
        assert summary["losses"]["reasons"] == {"not understood": 1}
    with open_capture(tmp_path / "a.seam") as capture:
        assert [(each.id, each.role) for each in capture] == [("p-1", Role.OUTBOUND), ("p-3", Role.OUTBOUND)]


def test_what_cannot_be_cleaned_is_withheld_and_counted(tmp_path: Path) -> None:
    with scribe(tmp_path / "a.seam") as talk:
        talk.hear()
        talk.say(Kind.EXCHANGE, packed(1, body=b'{"half": '))
        talk.say(Kind.CLOSE)
        _, summary = talk.hear()
        assert summary["losses"]["withheld"] == 1
        assert any(reason.startswith("request.body: ") for reason in summary["losses"]["reasons"])
    with open_capture(tmp_path / "a.seam") as capture:
        assert capture.losses.withheld == 1


def test_flushed_work_survives_and_is_reported(tmp_path: Path) -> None:
    with scribe(tmp_path / "a.seam") as talk:
        talk.hear()
        talk.say(Kind.EXCHANGE, packed(1))
        kind, progress = talk.hear()
        assert (kind, progress["recorded"]) == (Kind.PROGRESS, 1)
        with open_capture(tmp_path / "a.seam") as capture:
            assert len(list(capture)) == 1
            assert not capture.complete


def test_a_channel_that_ends_closes_the_capture(tmp_path: Path) -> None:
    with scribe(tmp_path / "a.seam") as talk:
        talk.hear()
        talk.say(Kind.EXCHANGE, packed(1))
    with open_capture(tmp_path / "a.seam") as capture:
        assert capture.complete
        assert capture.losses.gaps == 1


@pytest.mark.parametrize("payload", [SECRET.encode(), b"\xff\xff\xff\x00\x00\x00\x00\x00" + SECRET.encode()])
def test_a_failure_is_told_without_a_byte_of_the_exchange(tmp_path: Path, payload: bytes) -> None:
    with scribe(tmp_path / "a.seam") as talk:
        talk.hear()
        talk.say(Kind.EXCHANGE, payload)
        kind, said = talk.hear()
        assert kind is Kind.FAILED
        assert "BadRecord" in said["text"]
        assert SECRET not in json.dumps(said)
        assert not said["usage"]


def test_a_start_that_fails_says_who_has_to_act(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("mine")
    with scribe(tmp_path / "text") as talk:
        kind, said = talk.hear()
        assert kind is Kind.FAILED
        assert said["usage"]
        assert "text" in said["text"]
    with scribe(tmp_path / "a.seam", hello=b"no pickle") as talk:
        kind, said = talk.hear()
        assert kind is Kind.FAILED
        assert not said["usage"]


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_trust_counts_whenever_the_capture_has_been_read(tmp_path: Path, steps: int) -> None:
    body = b'{"password":"%s"}' % SECRET.encode()
    with scribe(tmp_path / "a.seam") as talk:
        talk.hear()
        for number in range(600):
            talk.say(Kind.EXCHANGE, packed(number, body=b'{"password":"p4ssw0rd-%d"}' % number))
        talk.say(Kind.CLOSE)
        while talk.hear()[0] is not Kind.SUMMARY:
            pass
    with open_capture(tmp_path / "a.seam") as capture:
        clean = list(capture)
    trusting = Trusting(Trust(b"k" * 32, Rules(), tmp_path / "a.seam"))
    for _ in range(steps):
        trusting.step()
    assert trusting.done == (steps == 5)
    again = Scribe(Hello(tmp_path / "b.seam", Manifest("c", 0, "t", "tap"), b"k" * 32, Rules()), trusting)
    for exchange in clean:
        again.write(exchange)
    again.write(unpack_exchange(packed(601, body=body)))
    again.close()
    assert trusting.done
    with open_capture(tmp_path / "b.seam") as capture:
        *same, fresh = capture
    assert same == clean
    assert SECRET.encode() not in fresh.request.body


def test_the_answers_of_stubbed_services_are_trusted_and_no_others(tmp_path: Path) -> None:
    answer = Response(200, Headers([("content-type", "application/json")]), b'{"password":"hunter2-and-more"}')
    sanitizer = Sanitizer(b"k" * 32)
    auth, other = (
        sanitizer.clean(an_exchange(number, role=Role.OUTBOUND, service=service, response=given))
        for number, service, given in (
            (1, "auth", answer),
            (2, "other", replace(answer, body=b'{"password":"something-else"}')),
        )
    )
    path = write_capture(tmp_path / "a.seam", [auth, other])
    for stubbed, kept in ((("auth",), [True, False]), ((), [False, False])):
        trusting = Trusting(Trust(b"k" * 32, Rules(), path, stubbed))
        run = Scribe(Hello(tmp_path / "b.seam", Manifest("c", 0, "t", "tap"), b"k" * 32, Rules()), trusting)
        for exchange in (auth, other):
            run.write(exchange)
        run.close()
        with open_capture(tmp_path / "b.seam") as capture:
            assert [each.response == given.response for each, given in zip(capture, (auth, other), strict=True)] == kept
