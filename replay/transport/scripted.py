"""A transport without a network: a script answers, or the test does, one request at a time."""

import asyncio
from collections.abc import Callable

from ...capture.model import Failure, FailureKind, Request, Response
from .base import Clock, Done, Outcome, send_through

Answer = Response | Failure
Script = Callable[[Request], Answer]


class Shot:
    """A request under way; `answer` ends it."""

    __slots__ = ("_clock", "_done", "request", "sent_us")

    def __init__(self, request: Request, done: Done, clock: Clock) -> None:
        self.request = request
        self.sent_us = clock.now_us()
        self._clock = clock
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
        done(Outcome(response, failure, self.sent_us, self._clock.now_us()))


class ScriptedTransport:
    """Answers each request as `script` says, in the next round of the event loop. Without a script every request
    waits in `open` until it is answered by hand. `shots` holds all of them in the order they were fired."""

    def __init__(self, clock: Clock, script: Script | None = None) -> None:
        self._clock = clock
        self._script = script
        self.shots: list[Shot] = []
        self.most_open = 0
        """How many requests were under way at once, at most."""

    @property
    def open(self) -> list[Shot]:
        """What still waits, oldest first."""
        return [shot for shot in self.shots if shot.is_open]

    def fire(self, request: Request, done: Done) -> None:
        """Take the request down, and answer it if there is a script."""
        shot = Shot(request, done, self._clock)
        self.shots.append(shot)
        self.most_open = max(self.most_open, len(self.open))
        if self._script is not None:
            asyncio.get_running_loop().call_soon(shot.answer, self._script(request))

    async def send(self, request: Request) -> Outcome:
        """Fire and await."""
        return await send_through(self, request)

    async def close(self) -> None:
        """End what still waits."""
        for shot in self.open:
            shot.answer(Failure(FailureKind.CANCELLED, "the transport was closed"))
