"""A transport without a network: a script answers, or the test does by hand, one request at a time."""

import asyncio
from collections.abc import Callable, Iterable

from ...capture.model import Failure, FailureKind, Request, Response
from .base import Clock, Done, Outcome, send_through

Answer = Response | Failure


class Shot:
    """A request under way; `answer` ends it."""

    __slots__ = ("_clock", "_done", "_took_us", "request", "sent_us")

    def __init__(self, request: Request, done: Done, clock: Clock, took_us: int) -> None:
        self.request = request
        self.sent_us = clock.now_us()
        self._clock = clock
        self._took_us = took_us
        self._done: Done | None = done

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self._done is not None

    def answer(self, answer: Answer) -> None:
        """End it with a response or a failure; RuntimeError if it has ended before."""
        done, self._done = self._done, None
        if done is None:
            raise RuntimeError(f"{self.request.method} {self.request.target} was answered already")
        response = answer if isinstance(answer, Response) else None
        failure = answer if isinstance(answer, Failure) else None
        done(Outcome(response, failure, self.sent_us, max(self._clock.now_us(), self.sent_us + self._took_us)))


class ScriptedTransport:
    """Answers each request, in the next round of the event loop, with the next of `answers`, or with what `answers`
    says where it is a function. With None each waits in `open` until it is answered by hand.

    `sent` holds the requests in the order they came. Every outcome takes `took_us`, or as long as `clock` says.
    """

    def __init__(
        self,
        answers: Iterable[Answer] | Callable[[Request], Answer] | None = None,
        *,
        clock: Clock | None = None,
        took_us: int = 1000,
    ) -> None:
        self._says: Callable[[Request], Answer] | None = None
        if callable(answers):
            self._says = answers
        elif answers is not None:
            script = iter(answers)
            self._says = lambda _: next(script, Failure(FailureKind.RESET, "the script has run out"))
        self._clock = clock or _Steps(took_us)
        self._took_us = took_us
        self._shots: list[Shot] = []
        self.sent: list[Request] = []
        self.most_open = 0
        """How many requests were under way at once, at most."""
        self.closed = False

    @property
    def open(self) -> list[Shot]:
        """What still waits, oldest first."""
        self._shots = [shot for shot in self._shots if shot.is_open]
        return self._shots

    def fire(self, request: Request, done: Done) -> None:
        """Take the request down, and answer it if there is a script."""
        shot = Shot(request, done, self._clock, self._took_us)
        self.sent.append(request)
        self._shots.append(shot)
        self.most_open = max(self.most_open, len(self.open))
        if self._says is not None:
            asyncio.get_running_loop().call_soon(shot.answer, self._says(request))

    async def send(self, request: Request) -> Outcome:
        """Fire and await."""
        return await send_through(self, request)

    async def close(self) -> None:
        """Remember that it was closed, and end what still waits."""
        self.closed = True
        for shot in list(self.open):
            shot.answer(Failure(FailureKind.CANCELLED, "the transport was closed"))


class _Steps:
    """A clock that goes on by one step each time it is read, so that outcomes follow each other."""

    def __init__(self, step_us: int) -> None:
        self._now_us = -step_us
        self._step_us = step_us

    def now_us(self) -> int:
        self._now_us += self._step_us
        return self._now_us
