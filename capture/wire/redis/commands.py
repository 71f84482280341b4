"""What is known of Redis' commands: where the key stands, which arguments name others, and how the answer is read.

A command that is not in the tables has its key first, which holds for nearly all (redis.io, "Key specifications").
Credentials are dropped here: what follows AUTH, HELLO … AUTH, CONFIG SET requirepass and the like is null.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .texts import Json, named, pairs, text
from .values import Cut

Args = Sequence[bytes | Cut]
"""A command's name and its arguments."""

Form = Callable[[Args], list[Json]]
"""A command's arguments (without its name and subcommand), as an array of JSON values."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or one subcommand. `key` is the place of the first key among the arguments, None where there is
    none; `shape` says how the answer is read (`answers`), `part` which part the command has in the conversation."""

    method: str
    operation: str
    key: int | None = 1
    form: Form | None = None
    shape: str = ""
    part: str = ""
    words: int = 1
    """How many arguments the operation takes up: 2 with a subcommand."""


def command(args: Args) -> Command:
    """What is known of a command."""
    word = args[0]
    if not isinstance(word, bytes):
        return UNKNOWN
    found = _BY_NAME.get(word) or _looked_up(word)
    if found.method in _WITH_SUBCOMMAND and len(args) > 1:
        return _subcommand(found, args[1])
    return found


def target(known: Command, args: Args) -> bytes | Cut:
    """The first key or channel, b"" where there is none."""
    if known.key is None:
        return b""
    place = known.key
    if place < 0:
        place = _streams(args)
    return args[place] if 0 < place < len(args) else b""


def arguments(known: Command, args: Args) -> list[Json]:
    """The arguments after the operation as a JSON array: in wire order, an object for names and values in turn."""
    rest = args[known.words :]
    return known.form(rest) if known.form is not None else [text(arg) for arg in rest]


def upper(arg: bytes | Cut) -> bytes:
    """A word of a command, as it is compared."""
    return arg.upper() if isinstance(arg, bytes) and len(arg) < 64 else b""


def _looked_up(word: bytes) -> Command:
    known = _BY_NAME.get(word.upper())
    if known is None:
        if not _WORD.fullmatch(word):
            return UNKNOWN
        known = Command(word.decode().upper(), word.decode().upper())
    # Spelled in many ways, a handful of names would fill any memory.
    if len(_BY_NAME) < 2048:
        _BY_NAME[word] = known
    return known


def _subcommand(known: Command, word: bytes | Cut) -> Command:
    sub = upper(word)
    if not _SUBCOMMAND.fullmatch(sub):
        return known
    operation = f"{known.method} {sub.decode()}"
    found = _BY_OPERATION.get(operation)
    if found is None:
        found = Command(known.method, operation, known.key, words=2)
        if len(_BY_OPERATION) < 2048:
            _BY_OPERATION[operation] = found
    return found


def _streams(args: Args) -> int:
    """Where the first stream of XREAD or XREADGROUP stands."""
    for place, arg in enumerate(args[1:], 1):
        if upper(arg) == b"STREAMS":
            return place + 1
    return 0


def _first_pair(rest: Args) -> list[Json]:
    return [*named(rest[0], rest[1]), *map(text, rest[2:])] if len(rest) > 1 else list(map(text, rest))


def _timed(rest: Args) -> list[Json]:
    """SETEX key seconds value: the value under its key's name, as SET has it, then the time."""
    return [*named(rest[0], rest[2]), text(rest[1])] if len(rest) == 3 else list(map(text, rest))


def _after_key(rest: Args) -> list[Json]:
    return [*map(text, rest[:1]), *pairs(rest[1:])]


def _xadd(rest: Args) -> list[Json]:
    place = 1
    while place < len(rest):
        word = upper(rest[place])
        if word == b"NOMKSTREAM" or word in _TRIM_REFERENCES:
            place += 1
        elif word in (b"MAXLEN", b"MINID"):
            place += 3 if place + 1 < len(rest) and rest[place + 1] in (b"=", b"~") else 2
        elif word == b"LIMIT":
            place += 2
        else:
            break
    return [*map(text, rest[: place + 1]), *pairs(rest[place + 1 :])]


def _nothing(rest: Args) -> list[Json]:
    return [None] * len(rest)


def _without_credentials(rest: Args) -> list[Json]:
    """HELLO and MIGRATE: what follows AUTH (a name and a password, or a password) is dropped."""
    words = list(map(text, rest))
    for place, arg in enumerate(rest):
        drops = _CREDENTIALS.get(upper(arg), 0)
        if drops:
            words[place + 1 : place + 1 + drops] = [None] * len(words[place + 1 : place + 1 + drops])
    return words


def _hello(rest: Args) -> list[Json]:
    words = list(map(text, rest))
    for place, arg in enumerate(rest):
        if upper(arg) == b"AUTH":
            words[place + 1 : place + 3] = [None] * len(words[place + 1 : place + 3])
            break
    return words


def _settings(rest: Args) -> list[Json]:
    """CONFIG SET: parameters and values in turn."""
    words: list[bytes | Cut] = list(rest)
    for place in range(0, len(rest) - 1, 2):
        if is_secret(rest[place]):
            words[place + 1] = _DROPPED
    return pairs(words)


def _sentinel(rest: Args) -> list[Json]:
    return [None if place and is_secret(rest[place - 1]) else text(arg) for place, arg in enumerate(rest)]


def _acl_rules(rest: Args) -> list[Json]:
    return [None if isinstance(arg, bytes) and arg[:1] in _PASSWORD_RULES else text(arg) for arg in rest]


def is_secret(parameter: object) -> bool:
    """Whether a parameter of Redis' configuration holds a credential."""
    return isinstance(parameter, bytes) and parameter.lower() in _SECRETS


_SUBCOMMAND = re.compile(rb"[A-Z][A-Z_-]{0,31}")
_WORD = re.compile(rb"[A-Za-z][A-Za-z0-9_.-]{0,47}")
_DROPPED = Cut(0, "")
_PASSWORD_RULES = frozenset({b">", b"<", b"#", b"!"})
_CREDENTIALS = {b"AUTH": 1, b"AUTH2": 2}
_TRIM_REFERENCES = frozenset({b"KEEPREF", b"DELREF", b"ACKED"})
_SECRETS = frozenset(
    b"requirepass masterauth masteruser auth-pass auth-user sentinel-pass sentinel-user "
    b"tls-key-file-pass tls-client-key-file-pass".split()
)

UNKNOWN = Command("UNKNOWN", "UNKNOWN", None, words=0)
"""A name that is no word: its arguments, itself included, are kept as they are."""

_SUBCOMMANDS = (
    "ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG "
    "XGROUP XINFO"
)
_WITH_SUBCOMMAND = frozenset(_SUBCOMMANDS.split())

_WITHOUT_KEY = (
    "ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG ECHO FAILOVER FLUSHALL FLUSHDB "
    "FUNCTION HELLO INFO KEYS LASTSAVE LATENCY LOLWUT MEMORY MODULE OBJECT PING PUBSUB QUIT RANDOMKEY READONLY "
    "READWRITE REPLICAOF ROLE SAVE SCAN SCRIPT SENTINEL SHUTDOWN SLAVEOF SLOWLOG SWAPDB TIME UNWATCH WAIT WAITAOF "
    "XGROUP XINFO"
)


_PARTS = "MULTI EXEC DISCARD UNWATCH SELECT RESET MONITOR SYNC PSYNC REPLCONF"
_PARTS_WITH_KEY = "WATCH PUBLISH SPUBLISH SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE"


def _table() -> list[Command]:
    made = [Command(name, name, None) for name in _WITHOUT_KEY.split()]
    # (names, place of the key, form of the arguments, shape of the answer)
    rows: tuple[tuple[str, int | None, Form | None, str], ...] = (
        ("SET GETSET SETNX APPEND", 1, _first_pair, ""),
        ("GET GETEX GETDEL", 1, None, "key"),
        ("SETEX PSETEX", 1, _timed, ""),
        ("MSET MSETNX", 1, pairs, ""),
        ("HSET HMSET HSETNX HINCRBY HINCRBYFLOAT", 1, _after_key, ""),
        ("HGET", 1, None, "field"),
        ("MGET", 1, None, "keys"),
        ("HMGET", 1, None, "fields"),
        ("HGETALL", 1, None, "pairs"),
        ("XADD", 1, _xadd, ""),
        ("XREAD XREADGROUP", -1, None, "streams"),
        ("XRANGE XREVRANGE", 1, None, "entries"),
        ("XCLAIM XAUTOCLAIM", 1, None, "entries"),
        ("EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO BLMPOP BZMPOP", 3, None, ""),
        ("BITOP", 2, None, ""),
        ("ZUNION ZINTER ZDIFF SINTERCARD ZINTERCARD LMPOP ZMPOP", 2, None, ""),
        ("MIGRATE", 3, _without_credentials, ""),
        ("AUTH", None, _nothing, ""),
    )
    made += [Command(name, name, key, form, shape) for names, key, form, shape in rows for name in names.split()]
    made += [Command(name, name, None, part=name) for name in _PARTS.split()]
    made += [Command(name, name, part=name) for name in _PARTS_WITH_KEY.split()]
    made.append(Command("HELLO", "HELLO", None, _hello, "pairs"))
    return made


_BY_NAME: dict[bytes, Command] = {each.method.encode(): each for each in _table()}
_BY_OPERATION: dict[str, Command] = {
    each.operation: each
    for each in (
        Command("CONFIG", "CONFIG SET", None, _settings, words=2),
        Command("CONFIG", "CONFIG GET", None, None, "settings", words=2),
        Command("SENTINEL", "SENTINEL SET", None, _sentinel, words=2),
        Command("SENTINEL", "SENTINEL CONFIG", None, _sentinel, words=2),
        Command("ACL", "ACL SETUSER", None, _acl_rules, words=2),
        Command("ACL", "ACL GETUSER", None, None, "secret", words=2),
        Command("ACL", "ACL LIST", None, None, "secret", words=2),
        Command("ACL", "ACL GENPASS", None, None, "secret", words=2),
        Command("CLUSTER", "CLUSTER SLOTS", None, part="ELSEWHERE", words=2),
        Command("CLUSTER", "CLUSTER SHARDS", None, part="ELSEWHERE", words=2),
        Command("SENTINEL", "SENTINEL GET-MASTER-ADDR-BY-NAME", None, part="ELSEWHERE", words=2),
        Command("CLIENT", "CLIENT REPLY", None, None, "", "CLIENT REPLY", words=2),
        Command("XINFO", "XINFO STREAM", 2, words=2),
        Command("XINFO", "XINFO GROUPS", 2, words=2),
        Command("XINFO", "XINFO CONSUMERS", 2, words=2),
        *(
            Command("XGROUP", f"XGROUP {name}", 2, words=2)
            for name in ("CREATE", "SETID", "DESTROY", "CREATECONSUMER", "DELCONSUMER")
        ),
        *(Command("OBJECT", f"OBJECT {name}", 2, words=2) for name in ("ENCODING", "FREQ", "IDLETIME", "REFCOUNT")),
        Command("MEMORY", "MEMORY USAGE", 2, words=2),
        Command("DEBUG", "DEBUG OBJECT", 2, words=2),
    )
}
