"""A PostgreSQL stub over exchanges in memory, and exchanges as they would have been recorded."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from seamline.capture.model import Exchange, FailureKind, Role
from seamline.replay.stubs.postgres import PostgresStub
from support import pg_messages as pg
from support.pg_messages import IDLE, Talk
from support.postgres import Server
from support.stubs import Run, answers_of, stub_spec


@contextlib.asynccontextmanager
async def stub(exchanges: Sequence[Exchange], **options: Any) -> AsyncIterator[tuple[str, Run]]:
    """A stub that plays `exchanges`: its DSN, and the run that it records into."""
    answers, run = answers_of(exchanges, "db", "postgres", **options)
    made = PostgresStub(stub_spec("db", "postgres"), answers)
    _, port = await made.start()
    try:
        yield Server.dsn_at(port), run
    finally:
        await made.stop(5)


def exchanges_of(talk: Talk) -> list[Exchange]:
    for number, call in enumerate(talk.calls):
        call.exchange_id = f"x-{number}"
        call.seq = number
    return [call.exchange(Role.OUTBOUND, "db", "postgres") for call in talk.calls]


def asked(text: str, *answer: bytes) -> list[Exchange]:
    """A simple query as it would have been recorded."""
    talk = Talk()
    talk.client(pg.query(text))
    if answer:
        talk.server(*answer, IDLE)
    else:
        talk.lost(FailureKind.RESET)
    return exchanges_of(talk)
