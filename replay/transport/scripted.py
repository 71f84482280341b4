"""A transport that answers from a script: for tests, and to see what a plan would send."""

from collections.abc import Callable, Iterable

from ...capture.model import Failure, FailureKind, Request, Response
from .base import Outcome

Answer = Response | Failure


class ScriptedTransport:
    """Answers each request with the next of `answers`, or with what `answers` says where it is a function.

    `sent` holds the requests in the order they came. Time does not pass: every outcome takes `took_us`.
    """

    def __init__(self, answers: Iterable[Answer] | Callable[[Request], Answer], *, took_us: int = 1000) -> None:
        self._answers = answers if callable(answers) else None
        self._script = iter(()) if callable(answers) else iter(answers)
        self._took_us = took_us
        self._now_us = 0
        self.sent: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Outcome:
        """The next answer of the script; a failure of kind reset where it has run out."""
        self.sent.append(request)
        if self._answers is not None:
            answer = self._answers(request)
        else:
            answer = next(self._script, Failure(FailureKind.RESET, "the script has run out"))
        sent_us, self._now_us = self._now_us, self._now_us + self._took_us
        if isinstance(answer, Failure):
            return Outcome(None, answer, sent_us, self._now_us)
        return Outcome(answer, None, sent_us, self._now_us)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
