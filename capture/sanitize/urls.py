"""URLs and request targets: user information, path segments by shape, query and fragment as pairs.

Byte-true: order, duplicates, empty parts and the escaping of what is not replaced stay as they were.
"""

import re

from .kinds import Kind
from .pairs import Pairs
from .values import Values

_AUTHORITY = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)?//)(?:([^/?#@]*)@)?([^/?#]*)")
_WEBHOOK = re.compile(r"https?://(?:hooks\.slack\.com/services/|(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/)")


class Urls:
    """Cleans URLs, absolute or not."""

    __slots__ = ("_pairs", "_values")

    def __init__(self, pairs: Pairs, values: Values) -> None:
        self._pairs = pairs
        self._values = values

    def clean(self, url: str) -> str:
        """`url` with what is sensitive in it replaced."""
        hook = _WEBHOOK.match(url)
        if hook is not None:  # the path is the credential
            return url[: hook.end()] + self._values.of_kind(Kind.PASSWORD, url[hook.end() :])
        head, rest = self._split_authority(url)
        rest, hash_sign, fragment = rest.partition("#")
        path, mark, query = rest.partition("?")
        return f"{head}{self._path(path)}{mark}{self._query(query)}{hash_sign}{self._fragment(fragment)}"

    def _split_authority(self, url: str) -> tuple[str, str]:
        match = _AUTHORITY.match(url)
        if match is None or url.startswith("//"):
            return "", url
        user_information = match[2]
        if not user_information:
            return match.group(), url[match.end() :]
        user, colon, password = user_information.partition(":")
        user = self._pairs.component(user, Kind.HANDLE, plus=False)
        password = self._pairs.component(password, Kind.PASSWORD, plus=False) if password else password
        return f"{match[1]}{user}{colon}{password}@{match[3]}", url[match.end() :]

    def _path(self, path: str) -> str:
        if "/" not in path:
            return self._pairs.component(path, None, plus=False)
        return "/".join(self._pairs.component(segment, None, plus=False) for segment in path.split("/"))

    def _query(self, query: str) -> str:
        return self._pairs.clean(query) if query else query

    def _fragment(self, fragment: str) -> str:
        if not fragment:
            return fragment
        return self._pairs.clean(fragment) if "=" in fragment else self._pairs.component(fragment, None, plus=False)
