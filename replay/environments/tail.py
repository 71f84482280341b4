"""The last lines that a service printed, bounded, with secrets masked and control characters made visible.

A service prints what it likes: its passwords, a terminal's escape sequences, megabytes. What is kept is the end;
what is shown has the values of secret-looking variables, passwords in URLs and bearer tokens taken out first.
"""

import re
from collections import deque
from collections.abc import Mapping

from ...capture.text import printable

MASK = "***"
_SHOWN = 400
# A line is searched further than it is shown, so that no secret is cut before its end is recognised.
_SEARCHED = 1600
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|credential|auth|cookie|session|dsn|private", re.IGNORECASE)
_IN_URL = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(@)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)[a-z0-9._~+/=-]{6,}")
_ASSIGNED = re.compile(
    r"""(?ix)([a-z0-9_.-]{0,40}(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|authorization|cookie)["']?\s*[:=]\s*)
    ("[^"]*"|'[^']*'|[^\s,;&]+)"""
)


class Tail:
    """Bytes in, the last lines out. Keeps at most `limit` bytes, whatever is fed."""

    def __init__(self, limit: int = 32 << 10) -> None:
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Add what was printed; the oldest chunks beyond the limit are forgotten."""
        self._chunks.append(data[-self._limit :])
        self._size += len(self._chunks[-1])
        while self._size - len(self._chunks[0]) >= self._limit:
            self._size -= len(self._chunks.popleft())

    def lines(self, count: int, variables: Mapping[str, str]) -> list[str]:
        """The last `count` lines that are not blank, safe to show. `variables` is the service's environment:
        the values of those whose names look secret are masked."""
        raw = b"".join(self._chunks)[-self._limit :].decode("utf-8", "replace")
        found = [line.rstrip() for line in _without_values(raw, variables).splitlines() if line.strip()]
        return [printable(mask_secrets(line[:_SEARCHED], {}), _SHOWN) for line in found[-count:]]


def mask_secrets(text: str, variables: Mapping[str, str]) -> str:
    """`text` without the values of secret-looking variables, passwords in URLs, bearer tokens, `password=…`."""
    text = _without_values(text, variables)
    text = _IN_URL.sub(rf"\1{MASK}\2", text)
    text = _BEARER.sub(rf"\1\2{MASK}", text)
    return _ASSIGNED.sub(rf"\1{MASK}", text)


def _without_values(text: str, variables: Mapping[str, str]) -> str:
    secrets = {value for name, value in variables.items() if _SECRET_NAME.search(name) and len(value) >= 4}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
