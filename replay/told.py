"""What came of a request, in the forms that others take: the recorder, the links, an exchange. PURE."""

from collections.abc import Iterable
from typing import Any

from ..capture.linking.values import body_values
from ..capture.model import Exchange, Failure, Request, Role
from ..capture.wire.answers import RawAnswer
from .plan import Step
from .transport.base import Outcome


def came_back(outcome: Outcome) -> Iterable[str]:
    """The values of an answer, to be read if a call waits to know its cause."""
    answer = outcome[0]
    if answer is None:
        return ()
    return body_values(answer[1] if type(answer) is RawAnswer else answer.body)


def told_of(outcome: Outcome) -> tuple[Any, bytes]:
    """Answer and body of an outcome, as `wire.replayed.Replayed` has them."""
    answer, failure, _, _, _, _ = outcome
    if type(answer) is RawAnswer:
        head, body = answer
        return head, body
    if answer is not None:
        assert not isinstance(answer, RawAnswer)
        return (answer.status, answer.headers.items, answer.reason, answer.version), answer.body
    assert failure is not None
    return failed(failure)


def failed(failure: Failure) -> tuple[Any, bytes]:
    """The same for a failure."""
    return (failure.kind.value, failure.detail), b""


def exchange_of(
    step: Step,
    service: str,
    exchange_id: str,
    seq: int,
    request: Request,
    outcome: Outcome,
    times_us: tuple[int, int, int],
) -> Exchange:
    """The exchange that `step` came to, sent as `request`; `times_us` are its start, latency and lateness."""
    began_us, latency_us, late_us = times_us
    return Exchange(
        id=exchange_id,
        seq=seq,
        role=Role.INBOUND,
        protocol="http",
        service=service,
        session=step.session,
        started_us=began_us,
        latency_us=latency_us,
        request=request,
        response=outcome.response,
        failure=outcome.failure,
        origin=step.origin,
        truncated=outcome.truncated,
        lateness_us=late_us,
    )
