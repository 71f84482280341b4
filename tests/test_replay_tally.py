"""Counts and times of a replay."""

from seamline.capture.headers import Headers
from seamline.capture.model import Failure, FailureKind, Response
from seamline.replay.tally import GONE_AFTER, GONE_US, Played
from seamline.replay.transport.base import Outcome

OK = Outcome(Response(200, Headers()), None, 0, 10)


def failed(kind: FailureKind, done_us: int = 0) -> Outcome:
    return Outcome(None, Failure(kind), 0, done_us)


def test_counts_answers_failures_by_kind_and_retries() -> None:
    played = Played()
    for outcome in (OK, failed(FailureKind.RESET), failed(FailureKind.RESET), OK._replace(retried=True)):
        played.count(outcome)
    assert (played.answered, played.failed, played.fired, played.retried) == (2, 2, 4, 1)
    assert played.failures == {"reset": 2}
    assert not played.died


def test_a_target_is_gone_after_many_failures_that_last() -> None:
    played = Played()
    played.count(OK)
    for number in range(GONE_AFTER):
        assert not played.gone
        played.count(failed(FailureKind.CONNECT, number * GONE_US // (GONE_AFTER - 1)))
    assert played.gone


def test_a_burst_of_failures_is_not_the_end() -> None:
    played = Played()
    for _ in range(GONE_AFTER * 3):
        played.count(failed(FailureKind.CONNECT, 5))
    assert not played.gone


def test_an_answer_starts_the_count_again() -> None:
    played = Played()
    for number in range(GONE_AFTER * 3):
        played.count(OK if number % 10 == 9 else failed(FailureKind.TIMEOUT, number * GONE_US))
    assert not played.gone


def test_resets_are_failures_of_a_target_that_is_there() -> None:
    played = Played()
    for number in range(GONE_AFTER * 3):
        played.count(failed(FailureKind.RESET, number * GONE_US))
    assert not played.gone


def test_a_refused_connection_at_the_end_says_that_it_died() -> None:
    played = Played()
    played.count(OK)
    played.count(failed(FailureKind.CONNECT))
    assert played.died
    played.count(OK)
    assert not played.died


def test_lateness_and_drift() -> None:
    played = Played()
    for intended_us, late_us in ((0, 1000), (100_000, 0), (50_000, 0), (200_000, 3000)):
        played.sent(intended_us, intended_us + late_us)
    assert played.late_ms(0.5) == 1.0
    assert played.late_ms(0.99) == 3.0
    assert played.drift == 2000 / 200_000


def test_no_times_no_drift() -> None:
    played = Played()
    assert (played.drift, played.late_ms(0.5)) == (0.0, 0.0)
    played.sent(5, 9)
    assert played.drift == 0.0


def test_the_line() -> None:
    played = Played()
    played.count(OK._replace(retried=True))
    played.give_up(Failure(FailureKind.CONNECT))
    assert played.line(3) == (
        "replayed 2, failed 1, skipped 3, late p50 0.00 ms p99 0.00 ms, drift 0.00 %, "
        "sent again on a fresh connection 1"
    )
    assert played.untried == 1


def test_messages_that_nobody_consumes_say_nothing_about_the_target() -> None:
    played = Played()
    for second in range(2 * GONE_AFTER):
        failure = Failure(FailureKind.TIMEOUT, "not consumed")
        played.count_message(Outcome(None, failure, second * GONE_US, second * GONE_US))
    played.count_message(OK)
    assert (played.unconsumed, played.failed, played.answered) == (2 * GONE_AFTER, 2 * GONE_AFTER, 1)
    assert not (played.gone or played.died)
