"""What a call asks, in one line that is the same for the same kind of call: a SQL text without its values, a Redis
command with its key's template, "publish orders.created"; and whether it changes anything."""

import re
from functools import lru_cache
from urllib.parse import quote, unquote

from .report.model import Surface

MAX_SHOWN = 300
"""Characters of a SQL text in a report; a longer one is told apart by its fingerprint."""
MAX_TEXT = 20_000
MAX_KEY = 1_000

_IN_LIST = re.compile(r"\bIN\s*\(\s*\$\d+(?:\s*,\s*\$\d+)*\s*\)", re.IGNORECASE)
_ROWS = re.compile(r"(\bVALUES\s*\((?:[^()]|\([^()]*\))*+\))(?:\s*,\s*\((?:[^()]|\([^()]*\))*+\))+", re.IGNORECASE)
_CURSOR = re.compile(r"\b(DECLARE\s+)[\w\"`]+(?=\s.*\bCURSOR\b)", re.IGNORECASE | re.DOTALL)
"""A cursor's name is a driver's: many draw it anew."""
_SLOT = re.compile(r"\$\d+")
_WRITING = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|TRUNCATE|CREATE|ALTER|DROP|CALL)\b", re.IGNORECASE)
_WRITING_COMMAND = re.compile(
    r"(?:bulkWrite|collMod|createIndexes|drop\w+|find_?and_?modify|renameCollection)\b", re.IGNORECASE
)
"""Of MongoDB, besides those that are called as SQL's are."""
_LOCKING = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b|\bON\s+UPDATE\b|\bREPLACE\s*\(", re.IGNORECASE)
_COPY_IN = re.compile(r"\bFROM\s+STDIN\b", re.IGNORECASE)

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""HTTP methods that change nothing (RFC 9110, 9.2.1)."""
REDIS_READS = frozenset(
    {
        "BITCOUNT", "BITPOS", "DBSIZE", "DUMP", "EXISTS", "EXPIRETIME", "GEODIST", "GEOPOS", "GEORADIUS_RO",
        "GEOSEARCH", "GET", "GETBIT", "GETRANGE", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HSCAN",
        "HSTRLEN", "HVALS", "JSON.GET", "KEYS", "LINDEX", "LLEN", "LPOS", "LRANGE", "MGET", "OBJECT", "PTTL",
        "PFCOUNT", "RANDOMKEY", "SCAN", "SCARD", "SDIFF", "SINTER", "SISMEMBER", "SMEMBERS", "SMISMEMBER",
        "SRANDMEMBER", "SSCAN", "STRLEN", "SUBSTR", "SUNION", "TTL", "TYPE", "XINFO", "XLEN", "XPENDING", "XRANGE",
        "XREAD", "XREVRANGE", "ZCARD", "ZCOUNT", "ZLEXCOUNT", "ZMSCORE", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE",
        "ZRANK", "ZREVRANGE", "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCAN", "ZSCORE",
    }
)  # fmt: skip
"""Commands with the flag "readonly" (Redis 7 `COMMAND`)."""
_GRPC_READ = re.compile(
    r"(?:BatchGet|Check|Count|Describe|Exists|Fetch|Find|Get|Has|List|Lookup|Query|Read|Search|Stat|Watch)(?![a-z])"
)
"""How methods that only read are called (Google AIP-130 to 132 and common usage)."""


@lru_cache(maxsize=8192)
def shown_statement(text: str) -> str:
    """A SQL text (placeholders `$n`) without what varies from call to call: how long a list is, how many rows."""
    text = _ROWS.sub(r"\1", _IN_LIST.sub("IN (…)", text[:MAX_TEXT]))
    text = _CURSOR.sub(r"\1cursor", text, count=1)
    numbers = iter(range(1, len(text) + 2))
    return _SLOT.sub(lambda _slot: f"${next(numbers)}", text)


def shortened(text: str, fingerprint: str) -> str:
    """`text` at the length of a report; cut texts that differ further on stay different."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… #{fingerprint[:8]}"


@lru_cache(maxsize=8192)
def key_path(key: str) -> str:
    """A Redis key as a path, so that its template is found like a path's: `user:17:cart` is /user/17/cart."""
    return "/" + "/".join(quote(part, safe="") for part in key[:MAX_KEY].split(":"))


@lru_cache(maxsize=8192)
def key_of_path(path: str) -> str:
    """The Redis key (or its template) that `key_path` made a path of."""
    return unquote(path[1:].replace("/", ":"))


def is_write(surface: Surface, operation: str) -> bool:
    """Whether an operation, as a report shows it, changes something."""
    word = operation.split(" ", 1)[0]
    match surface:
        case Surface.HTTP:
            return word not in SAFE
        case Surface.SQL:
            return statement_writes(operation)
        case Surface.REDIS:
            return word.upper() not in REDIS_READS
        case Surface.GRPC:
            return not _GRPC_READ.match(operation.rpartition("/")[2])
    return True


@lru_cache(maxsize=8192)
def statement_writes(text: str) -> bool:
    """Whether a SQL text changes rows or tables; a lock is no change."""
    word = text.split(" ", 1)[0].upper()
    if word == "COPY":
        return bool(_COPY_IN.search(text))
    return bool(_WRITING.search(_LOCKING.sub("", text)) or _WRITING_COMMAND.match(text))
