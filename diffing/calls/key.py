"""Which calls count, and what makes two of them the same call.

A connection's own talk is no call: it changes with drivers, pools and prepared statements, and says nothing of what the
service asks for. Transaction control is kept apart: it matters for outcome and order, never for counts.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from ...capture.model import Exchange
from ..endpoints.templates import Templates
from ..operation import is_write
from ..protocols import BUS, DOCUMENTS, SQL, SURFACES, failed, is_event, is_state, surface_of
from ..report.model import Surface

COMMITS = frozenset({"COMMIT", "END"})
ROLLBACKS = frozenset({"ROLLBACK", "ABORT"})
_SQL_TALK = COMMITS | ROLLBACKS | {
    "", "BEGIN", "CLOSE", "CONNECT", "DEALLOCATE", "DISCARD", "FETCH",
    "LISTEN", "MOVE", "RELEASE", "RESET", "SAVEPOINT", "SET", "SHOW", "START",
    "UNLISTEN", "USE",
}  # fmt: skip
_REDIS_TALK = frozenset(
    {
        "ASKING", "AUTH", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "CONNECT", "DISCARD", "ECHO", "EXEC", "HELLO",
        "INFO", "MULTI", "PING", "PSUBSCRIBE", "PUNSUBSCRIBE", "QUIT", "READONLY", "READWRITE", "RESET", "ROLE",
        "SCRIPT", "SELECT", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE", "UNWATCH", "WAIT", "WATCH",
    }
)  # fmt: skip
_DOCUMENT_TALK = frozenset({"ABORTTRANSACTION", "COMMITTRANSACTION", "GETMORE", "LISTCOLLECTIONS", "LISTINDEXES"})
"""How far a cursor reads on is its batch size's doing."""
_BROKER_TALK = ("$JS.", "$SYS.")
"""Subjects in which NATS' clients speak to the server itself: acknowledgements, streams' upkeep."""
_CATALOG = re.compile(r"\b(?:pg_catalog|information_schema|performance_schema)\.|\bFROM\s+pg_\w+", re.IGNORECASE)
_SELF_TEST = re.compile(
    r"SELECT\s+(?:\$\d+|\d+|@@.*|CAST\s*\(.*|(?:pg_catalog\.)?(?:version|database|schema|pg_backend_pid|pg_is_in_recovery|"
    r"connection_id|current_\w+)\s*(?:\(.*)?)",
    re.IGNORECASE | re.DOTALL,
)
"""What drivers and pools ask a database about itself, or to see whether it answers."""
MAX_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two calls the same call: `operation` is "GET /stock/{sku}", a SQL text, "GET user:{id}:cart"."""

    service: str
    operation: str
    surface: Surface = Surface.HTTP

    @property
    def is_write(self) -> bool:
        """Whether such a call changes something."""
        return is_write(self.surface, self.operation)


def key_of(call: Exchange, templates: Templates) -> Key:
    """The key of a call that counts."""
    return Key(call.service, templates.endpoint(call), surface_of(call))


def counts(call: Exchange) -> bool:
    """Whether a call is one of the service's own, of a protocol that is compared."""
    request = call.request
    if call.protocol in {"http", "grpc"}:
        return True
    if "setup" in request.headers:
        return False
    if call.protocol in SQL:
        return not _is_sql_talk(request.method, request.target, request.operation) and not is_state(call)
    if call.protocol == DOCUMENTS:
        return request.method not in _DOCUMENT_TALK and not is_state(call)
    if call.protocol == "redis":
        # A script that is not known by its hash is sent again: how often says something of the server's memory.
        unknown = failed(call) and call.response is not None and b"NOSCRIPT" in call.response.body[:200]
        return request.method not in _REDIS_TALK and not unknown and not is_state(call)
    if call.protocol in BUS:
        return is_event(call) and not request.target.startswith(_BROKER_TALK)
    return call.protocol in SURFACES


@lru_cache(maxsize=8192)
def _is_sql_talk(method: str, target: str, operation: str) -> bool:
    if method in _SQL_TALK:
        return True
    if method != "SELECT":
        return False
    text = operation[:MAX_LOOKED_AT]
    return bool(_CATALOG.search(text)) or (not target and bool(_SELF_TEST.fullmatch(text.strip().rstrip(";"))))


def is_end(call: Exchange) -> bool:
    """Whether a call ends a transaction."""
    words = call.request.operation.upper().split()[:2]
    return call.protocol in SQL and call.request.method in COMMITS | ROLLBACKS and words[1:] != ["TO"]


def verdict_of(end: Exchange) -> str:
    """ "COMMIT" or "ROLLBACK": what became of the transaction that `end` ends. PostgreSQL answers COMMIT with the tag
    ROLLBACK where a statement had failed (PostgreSQL 17 docs, COMMIT)."""
    if end.request.method in ROLLBACKS or failed(end):
        return "ROLLBACK"
    return "ROLLBACK" if end.response is not None and end.response.reason.startswith("ROLLBACK") else "COMMIT"
