"""A TOML table read with care: every key known, every type checked, every error naming file and key."""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..capture.errors import UsageError

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)", re.ASCII)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_HEADER_VALUE = re.compile(r"[ -~]{0,4096}")
_FRAMING = frozenset(("host", "content-length", "transfer-encoding", "connection", "traceparent"))
"""What the replay itself says of a request."""


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that `word` was most likely meant to be, or None."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return found[0] if found else None


def duration_s(text: str) -> float | None:
    """Seconds of "500ms", "30s", "2m", "1h"; None where it is no duration above zero."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    return float(match[1]) * _UNIT_S[match[2]] or None


class Table:
    """One table of a configuration file. `name` is how an error calls it ("[service]", "[[downstream]] pricing")."""

    def __init__(self, values: Mapping[str, object], file: Path, name: str, known: Sequence[str]) -> None:
        self.values = values
        self.file = file
        self.name = name
        for key in values:
            if key not in known:
                self._unknown(key, known)

    def _unknown(self, key: str, known: Sequence[str]) -> None:
        guess = nearest(key, known)
        hint = f'did you mean "{guess}"?' if guess else f"known: {', '.join(known)}"
        raise UsageError(f'{self.where(key)}: unknown key "{key}"', hint)

    def where(self, key: str = "") -> str:
        """File, table and key, the way every error names them."""
        return " ".join(part for part in (f"{self.file}:", self.name, key) if part)

    def wrong(self, key: str, expected: str) -> UsageError:
        """The error for a value that is not what was expected."""
        return UsageError(f"{self.where(key)}: {_shown(self.values[key])}", f"expected {expected}")

    def text(self, key: str) -> str | None:
        """A non-empty string, or None where the key is absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise self.wrong(key, "text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of non-empty strings; one string alone is a list of one."""
        value = self.values.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item.strip() for item in items):
            raise self.wrong(key, "a list of text")
        return tuple(str(item) for item in items)

    def flag(self, key: str) -> bool:
        """true or false; an absent key is false."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.wrong(key, f"a whole number from {low} to {high}")
        return value

    def port(self, key: str) -> int | None:
        """A TCP port, or None where the key is absent."""
        return self.whole(key, 0, 1, 65535) if key in self.values else None

    def duration(self, key: str, default: float) -> float:
        """Seconds of a duration such as "30s"."""
        if key not in self.values:
            return default
        value = self.values[key]
        seconds = duration_s(value) if isinstance(value, str) else None
        if seconds is None:
            raise self.wrong(key, 'a duration such as "500ms", "30s" or "2m"')
        return seconds

    def choice(self, key: str, options: Sequence[str], default: str) -> str:
        """One of `options`."""
        value = self.values.get(key, default)
        if value not in options:
            guess = nearest(value, options) if isinstance(value, str) else None
            raise self.wrong(key, f"one of {', '.join(options)}" + (f'; did you mean "{guess}"?' if guess else ""))
        return str(value)

    def variables(self, key: str) -> dict[str, str]:
        """A table of environment variables. Values are taken as they are: `${VAR}` is not expanded."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, 'a table of text, such as { LOG_LEVEL = "warning" }')
        for name, content in value.items():
            if not _VARIABLE.fullmatch(name):
                raise UsageError(f'{self.where(key)}: "{name}" is no variable name', "letters, digits and _")
            if not isinstance(content, str) or "\0" in content:
                raise UsageError(f"{self.where(f'{key}.{name}')}: {_shown(content)}", "expected text in quotes")
        return {str(name): str(content) for name, content in value.items()}

    def headers(self, key: str) -> dict[str, str]:
        """A table of HTTP headers."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, 'a table of text, such as { "x-route" = "{side}" }')
        for name, content in value.items():
            if not _HEADER.fullmatch(name) or name.lower() in _FRAMING:
                raise UsageError(f'{self.where(key)}: "{name[:80]}" is no header to add', "letters, digits and -")
            if not isinstance(content, str) or not _HEADER_VALUE.fullmatch(content):
                raise UsageError(f"{self.where(f'{key}.{name}')}: {_shown(content)}", "expected printable text")
        return {str(name): str(content) for name, content in value.items()}

    def variable(self, key: str) -> str | None:
        """The name of an environment variable, or None where the key is absent."""
        value = self.text(key)
        if value is not None and not _VARIABLE.fullmatch(value):
            raise self.wrong(key, "the name of an environment variable")
        return value

    def address(self, key: str, *, least_port: int = 1) -> tuple[str, int] | None:
        """Host and port of "HOST:PORT", or None where the key is absent. Port 0, any free one, is for listening."""
        value = self.text(key)
        if value is None:
            return None
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not least_port <= int(port) <= 65535 or "/" in host:
            raise self.wrong(key, '"HOST:PORT"')
        return host.strip("[]"), int(port)

    def path(self, key: str, folder: Path) -> Path | None:
        """A path, relative to `folder` where it is not absolute; None where the key is absent."""
        value = self.text(key)
        return None if value is None else (folder / value).resolve()

    def table(self, key: str, known: Sequence[str]) -> "Table":
        """An inner table (empty where the key is absent)."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table with {', '.join(known)}")
        return Table(value, self.file, f"{self.name} {key}".strip(), known)

    def section(self, key: str, known: Sequence[str]) -> "Table":
        """A table at the top of the file, called by its heading."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table [{key}]")
        return Table(value, self.file, f"[{key}]", known)

    def sections(self, key: str, known: Sequence[str]) -> list["Table"]:
        """An array of tables at the top of the file, each called by its heading and name or position."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"tables [[{key}]]")
        return [
            Table(item, self.file, f"[[{key}]] {item.get('name', number)}", known)
            for number, item in enumerate(value, 1)
        ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value[:80]}"'
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return str(value)[:80]
