"""A call as it goes to the sanitizer process: in plain values, and the exchange that it is. PURE.

Plain values cost the tap's process a tuple. Objects, and whatever is made of them, are left to the other process. Equal
headers come back as one object, so that whoever cleans them needs to do it once.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

from ..headers import Headers
from ..model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Role
from .call import Call

Pairs = tuple[tuple[str, str], ...]

Carried = tuple[
    str, int, str, str, str, str, int, int, str, str, Pairs, bytes, str, str, str,
    int | None, Pairs, bytes | tuple[Any, ...], str, tuple[str, str] | None,
    tuple[tuple[str, str, float], ...], str | None, bool,
]  # fmt: skip
"""id, seq, role, protocol, service, session, start and latency (µs); the request's method, target, header pairs, body,
version, operation and arguments; the answer's status (None where there is none), header pairs, body (or what it is
made of: `Late.plain`) and reason; a failure's kind and detail; links as (parent, how, confidence), origin, truncated.
"""

_ROLES = {role.value: role for role in Role}
_HOW = {how.value: how for how in LinkKind}
_MOST_SHARED = 4096
"""Characters of a header block that is worth remembering: with 1,024 of them, a bound of some 10 MB."""
MAKERS = {"postgres": ("postgres.layout", "rows_body")}
"""Who makes bodies of what a `Late` is made of: a module of this folder and a function in it."""

OVERHEAD = 512
"""Bytes that a carried call takes beside its texts and bodies, at most, while headers come again."""


def carried(call: Call, role: Role, service: str, protocol: str) -> Carried:
    """The plain values of a call. `role` and `protocol` are the tap's."""
    failure, links, answer_body = call.failure, call.links, call.kept_body
    return (
        call.exchange_id,
        call.seq,
        # The text of an enumeration's member: marshal knows no class of ours.
        (call.role or role).value,
        call.protocol or protocol,
        service,
        call.session,
        call.started_us,
        call.ended_us - call.started_us,
        call.method,
        call.target,
        call.headers.items,
        call.body,
        call.version,
        call.operation,
        call.arguments,
        call.status if call.answered else None,
        call.response_headers.items,
        answer_body if isinstance(answer_body, bytes) else answer_body.plain(),
        call.reason,
        None if failure is None or call.answered else (failure.kind.value, failure.detail),
        tuple([(link.parent, link.how.value, link.confidence) for link in links]) if links else (),
        call.origin,
        call.truncated,
    )


def size_of(call: Call) -> int:
    """About the bytes of a carried call: what differs from call to call, and a bound on the rest."""
    size = OVERHEAD + call.size
    pairs = call.headers.items
    # Headers are few and short, but where a message brings them along.
    return size if len(pairs) < 8 else size + sum([len(name) + len(value) for name, value in pairs])


def exchanges_of(batch: Iterable[Carried]) -> Iterator[Exchange]:
    """The exchanges of a batch, in order."""
    for values in batch:
        (
            name, seq, role, protocol, service, session, started_us, latency_us, method, target, pairs, body, version,
            operation, arguments, status, answer_pairs, answer_body, reason, failure, links, origin, truncated,
        ) = values  # fmt: skip
        yield Exchange(
            name,
            seq,
            _ROLES[role],
            protocol,
            service,
            session,
            started_us,
            latency_us,
            Request(method, target, _headers(pairs), body, version, operation, arguments),
            None if status is None else _response(status, answer_pairs, answer_body, reason, version),
            None if failure is None else Failure(FailureKind(failure[0]), failure[1]),
            tuple([Link(parent, _HOW[how], confidence) for parent, how, confidence in links]) if links else (),
            origin,
            truncated,
        )


def _response(status: int, pairs: Pairs, body: bytes | tuple[Any, ...], reason: str, version: str) -> Response:
    return Response(status, _headers(pairs), body if type(body) is bytes else _made(*body), reason, version)


def _made(maker: str, *values: Any) -> bytes:
    module, name = MAKERS[maker]
    made: bytes = getattr(import_module(f".{module}", __package__), name)(*values)
    return made


def _headers(pairs: Pairs) -> Headers:
    if len(pairs) > 16 or sum([len(name) + len(value) for name, value in pairs]) > _MOST_SHARED:
        return Headers.of_pairs(pairs)
    return _shared(pairs)


@lru_cache(maxsize=1024)
def _shared(pairs: Pairs) -> Headers:
    return Headers.of_pairs(pairs)
