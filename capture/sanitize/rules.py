"""Rules: what a project adds to the built-in classification, read from the TOML file of `[sanitize] rules`."""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import UsageError
from .kinds import Kind

# Bump when the built-in classification changes: captures name it, so two of them can be told apart.
BUILT_IN = 2

# What a project may call things: kinds whose pseudonym can be made of any text.
_KIND_NAMES = tuple(
    kind.value
    for kind in (
        Kind.SECRET,
        Kind.PASSWORD,
        Kind.DROP,
        Kind.EMAIL,
        Kind.PHONE,
        Kind.PAN,
        Kind.IBAN,
        Kind.SSN,
        Kind.NAME,
        Kind.STREET,
        Kind.CITY,
        Kind.POSTCODE,
        Kind.BIRTH,
        Kind.NUMBER,
        Kind.HANDLE,
        Kind.IP,
    )
)
_MAX_PATTERN = 1000  # characters of one pattern


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression whose matches (its group `value`, or the whole match) are of `kind` in any text."""

    kind: Kind
    regex: str


@dataclass(frozen=True, slots=True)
class Rules:
    """A project's own rules, stronger than the built-in ones. `keys` are (key name, kind), `keep` key names whose
    values are never judged by their key (shapes such as an e-mail address are still found in them)."""

    keys: tuple[tuple[str, Kind], ...] = ()
    keep: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()

    @property
    def digest(self) -> str:
        """A short hash of these rules and of the version of the built-in ones."""
        text = repr((BUILT_IN, self.keys, self.keep, self.patterns))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def parse_rules(text: str) -> Rules:
    """The rules in TOML `text`. Raises UsageError that names the place and the nearest known word.

    [keys]
    booking_ref = "secret"          # values under this key are sensitive, of that kind
    [keep]
    keys = ["token_symbol"]         # values under these keys are not, whatever the built-in rules say
    [[pattern]]
    kind = "number"
    regex = 'MEMBER-(?P<value>\\d{8})'
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"sanitize rules: not TOML: {error}") from error
    _known(table, ("keys", "keep", "pattern"), "")
    return Rules(_keys(table.get("keys", {})), _keep(table.get("keep", {})), _patterns(table.get("pattern", [])))


def _keys(table: object) -> tuple[tuple[str, Kind], ...]:
    if not isinstance(table, dict):
        raise UsageError("sanitize rules: keys must be a table", '[keys], then lines such as booking_ref = "secret"')
    return tuple((name, _kind(value, f"keys.{name}")) for name, value in table.items())


def _keep(table: object) -> tuple[str, ...]:
    if not isinstance(table, dict):
        raise UsageError("sanitize rules: keep must be a table", '[keep], then keys = ["token_symbol"]')
    _known(table, ("keys",), "keep.")
    names = table.get("keys", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError("sanitize rules: keep.keys must be a list of key names")
    return tuple(names)


def _patterns(tables: object) -> tuple[Pattern, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError("sanitize rules: pattern must be a list of tables", "[[pattern]]")
    return tuple(_pattern(table, f"pattern[{index}]") for index, table in enumerate(tables))


def _pattern(table: Mapping[str, object], where: str) -> Pattern:
    _known(table, ("kind", "regex"), f"{where}.")
    kind = _kind(table.get("kind", Kind.SECRET.value), f"{where}.kind")
    regex = table.get("regex")
    if not isinstance(regex, str) or not 0 < len(regex) <= _MAX_PATTERN:
        raise UsageError(f"sanitize rules: {where}.regex must be text of 1 to {_MAX_PATTERN} characters")
    try:
        matches_nothing = re.compile(regex).search("") is not None
    except re.error as error:
        raise UsageError(f"sanitize rules: {where}.regex: {error}") from error
    if matches_nothing:
        raise UsageError(f"sanitize rules: {where}.regex matches the empty text", "it would match everywhere")
    return Pattern(kind, regex)


def _kind(value: object, where: str) -> Kind:
    if isinstance(value, str) and value in _KIND_NAMES:
        return Kind(value)
    hint = _nearest(str(value), _KIND_NAMES) or f"one of {', '.join(_KIND_NAMES)}"
    raise UsageError(f"sanitize rules: {where}: unknown kind {value!r}", hint)


def _known(table: Mapping[str, object], names: tuple[str, ...], prefix: str) -> None:
    for name in table:
        if name not in names:
            hint = _nearest(name, names) or f"known here: {', '.join(names)}"
            raise UsageError(f"sanitize rules: unknown key {prefix}{name}", hint)


def _nearest(name: str, names: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, names, 1, 0.5)
    return f"did you mean {close[0]}?" if close else ""
