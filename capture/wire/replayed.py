"""What a replay hands over for each request it has sent, in plain values, and the exchanges of a batch of them. PURE.

Plain values cost the sending process a tuple; the exchange, its head decoded, is left to the sanitizer process. Equal
parts come back as one object (headers of requests within a batch, whole answers for as long as they are remembered),
so that whoever cleans and packs exchanges needs to do it once for each.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ..headers import Headers
from ..model import Exchange, Failure, FailureKind, Request, Response, Role
from .answers import RawAnswer

Replayed = tuple[
    str, int, str, str, int, int, str, str, tuple[tuple[str, str], ...], bytes, str,
    Any, bytes, str | None, bool, int,
]  # fmt: skip
"""id, seq, service, session, start and latency (µs), the request's method, target, header pairs, body and version;
the answer; its body; origin, truncated, lateness (µs). The answer is its head as bytes, or (status, header pairs,
reason, version), or the (kind, detail) of a failure."""

_OVERHEAD = 256  # bytes of a replayed exchange besides its target, its answer's head and its bodies
_MOST_REMEMBERED = 1024
_LARGEST_REMEMBERED = 16 << 10


def replayed_size(values: Replayed) -> int:
    """About the bytes that a replayed exchange takes, less what it shares with others."""
    answer = values[11]
    size = _OVERHEAD + len(values[7]) + len(values[9]) + len(values[12])
    if type(answer) is bytes:
        return size + len(answer)
    return size + (sum(len(name) + len(value) for name, value in answer[1]) if len(answer) == 4 else 0)


class ReplayedDecoder:
    """Makes exchanges of what a replay hands over, and remembers the answers."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[tuple[bytes, bytes], Response] = {}

    def exchanges(self, batch: Iterable[Replayed]) -> Iterator[Exchange]:
        """The exchanges of one batch, in order."""
        shared: dict[int, tuple[tuple[tuple[str, str], ...], Headers]] = {}
        for values in batch:
            (
                name, seq, service, session, started_us, latency_us, method, target, pairs, body, version,
                answer, answer_body, origin, truncated, lateness_us,
            ) = values  # fmt: skip
            # By identity: marshal keeps it within a batch. An entry keeps its pairs alive, so ids stay true.
            known = shared.get(id(pairs))
            if known is None:
                known = shared[id(pairs)] = (pairs, Headers.of_pairs(pairs))
            response = failure = None
            if type(answer) is bytes:
                response = self._response(answer, answer_body)
            elif len(answer) == 2:
                failure = Failure(FailureKind(answer[0]), answer[1])
            else:
                status, answer_pairs, reason, answer_version = answer
                response = Response(status, Headers.of_pairs(answer_pairs), answer_body, reason, answer_version)
            # Positional: keywords double what this costs.
            yield Exchange(
                name,
                seq,
                Role.INBOUND,
                "http",
                service,
                session,
                started_us,
                latency_us,
                Request(method, target, known[1], body, version),
                response,
                failure,
                (),
                origin,
                truncated,
                lateness_us,
            )

    def _response(self, head: bytes, body: bytes) -> Response:
        key = (head, body)
        response = self._answers.get(key)
        if response is None:
            response = RawAnswer(head, body).response()
            if len(body) <= _LARGEST_REMEMBERED:
                if len(self._answers) >= _MOST_REMEMBERED:
                    self._answers.clear()
                self._answers[key] = response
        return response
