"""What a stub says to a call, and what the run then holds."""

import asyncio
from typing import Any

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, LinkKind, Request, Response, Role
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.wire.call import Call
from seamline.replay.faults.spec import Faults, parse_fault
from seamline.replay.stubs.answers import Answered, Answers
from seamline.replay.stubs.match import Match, Matcher
from support.captures import an_exchange
from support.stubs import KEY, Run, an_http_call, answers_of, playback_of, stub_spec

A, B = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "ab")


def live(target: str, *, method: str = "GET", body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Call:
    call = Call(1_000, method, target)
    kind = (("Content-Type", "application/json"),) if body else ()
    call.headers = Headers((("Host", "127.0.0.1:7"), ("Accept", "*/*"), *kind, *headers))
    call.body = body
    return call


def asked(answers: Answers, call: Call, **how: Any) -> Answered:
    return asyncio.run(answers.answer(call, "c-1", **how))


def step_of(exchange: Exchange) -> str | None:
    assert exchange.response is not None
    return exchange.response.headers.get("seamline-stub")


def test_an_answer_is_given_and_the_exchange_is_in_the_run() -> None:
    answers, run = answers_of([an_http_call(1, "/p/7", b'{"p":7}')], "pricing", "http")
    answered = asked(answers, live("/p/7"))
    assert (answered.step, answered.delay_us, answered.failure) == ("exact", 0, None)
    assert answered.response is not None
    assert (answered.response.status, answered.response.body) == (200, b'{"p":7}')
    [exchange] = run.exchanges
    assert (exchange.role, exchange.service, exchange.protocol) == (Role.OUTBOUND, "pricing", "http")
    assert (exchange.id, exchange.request.target, step_of(exchange)) == ("run-1", "/p/7", "exact")
    assert exchange.latency_us >= 0


def test_the_call_is_tied_to_the_request_that_caused_it_and_answered_within_its_scope() -> None:
    calls = [an_http_call(number, "/mine", b"%d" % number, cause=f"t-{number + 10}") for number in (1, 2)]
    playback, run = playback_of([*calls, an_exchange(11), an_exchange(12)], ("pricing", "http"))
    answers = Answers(stub_spec("pricing", "http"), playback)
    for number in (11, 12):
        trace = f"00-{number:032x}-00000000000000aa-01"
        playback.links.opened(f"run-{number}", 0, Headers([("traceparent", trace)]))
        playback.sent(f"run-{number}", f"t-{number}")
    for number in (12, 11):
        trace = f"00-{number:032x}-00000000000000bb-01"
        answered = asked(answers, live("/mine", headers=(("traceparent", trace),)))
        assert answered.response is not None
        assert (answered.step, answered.response.body) == ("exact", b"%d" % (number - 10))
    assert [exchange.parent for exchange in run.exchanges] == ["run-12", "run-11"]
    assert {link.how for exchange in run.exchanges for link in exchange.links} == {LinkKind.PROPAGATED}


def test_a_raw_value_of_the_services_own_is_compared_as_its_pseudonym() -> None:
    body = b'{"password":"hunter2"}'
    recorded = Sanitizer(KEY).clean(an_http_call(1, "/login", method="POST", body=body))
    assert b"hunter2" not in recorded.request.body
    answers, run = answers_of([recorded], "pricing", "http")
    assert asked(answers, live("/login", method="POST", body=body)).step == "exact"
    assert run.exchanges[0].request.body == body, "the run's own sanitizer cleans it"


def test_an_id_made_anew_is_told_back() -> None:
    recorded = an_http_call(
        1, "/orders", b'{"id":"%s","ok":true}' % A.encode(), method="POST", body=b'{"id":"%s"}' % A.encode()
    )
    answers, _ = answers_of([recorded], "pricing", "http")
    answered = asked(answers, live("/orders", method="POST", body=b'{"id":"%s"}' % B.encode()))
    assert answered.response is not None
    assert (answered.step, answered.response.body) == ("mapped", b'{"id":"%s","ok":true}' % B.encode())


def test_a_recorded_failure_is_played() -> None:
    reset = an_http_call(1, "/p", response=None, failure=Failure(FailureKind.RESET, "gone"))
    answers, run = answers_of([reset], "pricing", "http")
    answered = asked(answers, live("/p"))
    assert (answered.response, answered.failure) == (None, Failure(FailureKind.RESET, "gone"))
    assert run.exchanges[0].failure == Failure(FailureKind.RESET, "gone")


def test_it_takes_as_long_as_it_took_where_that_is_asked_for() -> None:
    answers, run = answers_of([an_http_call(1, "/p", latency_us=70_000)], "pricing", "http", latency="recorded")
    assert asked(answers, live("/p")).delay_us == 70_000
    assert run.exchanges[0].latency_us >= 70_000


@pytest.mark.parametrize(
    ("protocol", "status"), [("http", 502), ("grpc", 200), ("postgres", 1), ("mysql", 1), ("redis", 1)]
)
def test_a_miss_is_said_in_the_protocols_own_words_and_recorded(protocol: str, status: int) -> None:
    answers, run = answers_of([], "pricing", protocol)
    answered = asked(answers, live("/p/7"))
    assert answered.response is not None
    assert (answered.step, answered.response.status, answered.why) == ("missed", status, "no recorded call fits")
    assert step_of(run.exchanges[0]) == "missed"


def test_a_miss_explains_itself() -> None:
    answers, _ = answers_of([an_http_call(1, "/p/7/x")], "pricing", "http")
    answered = asked(answers, live("/p/7/y"))
    assert answered.response is not None
    told = orjson.loads(answered.response.body)
    assert told["error"] == 'seamline: the stub of "pricing" has no answer to this call: no recorded call fits'
    assert told["nearest"] == [
        {"exchange": "t-1", "call": "GET /p/7/x", "why_not": ["asked GET /p/{}/x, not GET /p/{}/y"]}
    ]


def test_a_miss_quotes_no_raw_value() -> None:
    answers, _ = answers_of([an_http_call(1, "/login", method="POST", body=b'{"pin":1}')], "pricing", "http")
    answered = asked(answers, live("/other", method="POST", body=b'{"password":"hunter2"}'))
    assert answered.response is not None
    assert b"hunter2" not in answered.response.body
    assert "hunter2" not in answered.why


def test_what_a_server_says_by_itself_is_no_miss() -> None:
    answers, run = answers_of([an_http_call(1, "/p", b"1")], "pricing", "http")
    own = Response(200, Headers(), b"pong")
    assert asked(answers, live("/ping"), default=own).step == "own"
    assert asked(answers, live("/p"), default=own).step == "exact"
    assert [step_of(exchange) for exchange in run.exchanges] == ["own", "exact"]


def test_what_the_capture_has_no_answer_to_may_go_to_the_real_service() -> None:
    seen: list[str] = []

    async def real(call: Call) -> Response | Failure:
        seen.append(call.target)
        return Response(200, Headers(), b"real") if call.target == "/q" else Failure(FailureKind.CONNECT)

    answers, run = answers_of([an_http_call(1, "/p", b"1")], "pricing", "http", real=real)
    assert answers.needs_waiting
    assert [asked(answers, live(path)).step for path in ("/p", "/q", "/r")] == ["exact", "real", "real"]
    assert seen == ["/q", "/r"]
    assert run.exchanges[2].failure == Failure(FailureKind.CONNECT)


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        ("reset", FailureKind.RESET, None),
        ("timeout", FailureKind.TIMEOUT, None),
        ("truncate", FailureKind.TRUNCATED, None),
        ("status:503", None, 503),
    ],
)
def test_a_fault_takes_the_answers_place(fault: str, kind: FailureKind | None, status: int | None) -> None:
    faults = Faults([parse_fault(f"{fault} after 1"), parse_fault("latency:+200ms")])
    answers, run = answers_of([an_http_call(1, "/p", b"1")], "pricing", "http", faults=faults)
    first, second = (asked(answers, live("/p")) for _ in range(2))
    assert (first.step, first.delay_us, second.delay_us) == ("exact", 200_000, 200_000)
    exchange = run.exchanges[1]
    assert exchange.failure == (Failure(kind, exchange.failure.detail) if kind and exchange.failure else None)
    assert exchange.status == status
    assert second.cut is (fault == "truncate")


def test_the_steps_are_counted() -> None:
    playback, run = playback_of([an_http_call(1, "/p/1"), an_http_call(2, "/p/2")], ("pricing", "http"))
    answers = Answers(stub_spec("pricing", "http"), playback)
    for target in ("/p/1", "/p/1", "/q"):
        answers.answer_at_once(live(target), "c-1")
    assert playback.tally.line() == ("stubs answered 3: exact 2, missed 1 (no recorded call fits 1), 1 repeated")
    assert isinstance(run, Run)


def test_the_answer_of_an_earlier_request_tells_which_ids_a_call_means() -> None:
    made = Response(201, Headers([("Content-Type", "application/json")]), b'{"order_id":1001}')
    recorded = [an_exchange(1, response=made, session="s"), an_exchange(2, session="s")]
    charge = an_http_call(3, "/charges", b"1", cause="t-2", method="POST", body=b'{"order_id":1001,"n":5}')
    other = an_http_call(4, "/charges", b"2", cause="t-2", method="POST", body=b'{"order_id":1002,"n":5}')
    playback, _ = playback_of([*recorded, other, charge], ("pricing", "http"))
    answers = Answers(stub_spec("pricing", "http"), playback)
    playback.sent("run-1", "t-1")
    playback.answered("t-1", b'{"order_id":7}')
    playback.sent("run-2", "t-2")
    playback.links.opened("run-2", 0, Headers([("traceparent", f"00-{2:032x}-00000000000000aa-01")]))
    trace = (("traceparent", f"00-{2:032x}-00000000000000bb-01"),)
    answered = asked(answers, live("/charges", method="POST", body=b'{"order_id":7,"n":5}', headers=trace))
    assert answered.response is not None
    assert (answered.step, answered.response.body) == ("mapped", b"1")


def test_calls_of_other_protocols_are_compared_by_operation_and_arguments() -> None:
    request = Request("GET", "user:1", Headers(), b"", "", "GET", '["user:1"]')
    recorded = an_http_call(1, "", request=request, protocol="redis", service="cache", response=Response(0, Headers(), b'"x"'))  # fmt: skip
    answers, _ = answers_of([recorded], "cache", "redis")
    call = Call(1, "GET", "user:1", "GET")
    call.arguments = '["user:1"]'
    assert asked(answers, call).step == "exact"
    assert [each.id for each in answers.calls] == ["t-1"]


def test_a_fault_of_our_own_is_a_miss_that_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Match:
        raise ValueError("hunter2")

    monkeypatch.setattr(Matcher, "match", broken)
    answers, run = answers_of([an_http_call(1, "/p")], "pricing", "http")
    answered = asked(answers, live("/p"))
    assert (answered.step, answered.why) == ("missed", "the stub failed on it (ValueError)")
    assert len(run.exchanges) == 1
