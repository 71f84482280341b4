"""Text within text: JSON (also in Base64), a URL or a form inside a string, opened from the inside out."""

import re
from base64 import b64decode, b64encode
from binascii import Error

from .json_body import JsonWalker
from .pairs import Pairs
from .urls import Urls

_MAX_LENGTH = 1 << 20  # characters of a string that are looked at as a URL or a form
# JSON in Base64 begins so; behind it may stand a signature, as in Django's and Flask's sessions.
_CODED = re.compile(r"(eyJ[A-Za-z0-9+/_-]{9,}={0,2})((?::[\w=-]{4,}){0,2})")
_FORM = re.compile(r"[\w.%+\[\]~*-]{1,200}=[^\s=&]*(?:&[\w.%+\[\]~*-]{1,200}=[^\s=&]*)+")


class Layers:
    """Recognises a document within a string and has its own walk clean it."""

    __slots__ = ("_json", "_pairs", "_urls")

    def __init__(self, json: JsonWalker, pairs: Pairs, urls: Urls) -> None:
        self._json = json
        self._pairs = pairs
        self._urls = urls

    def clean(self, text: str) -> str | None:
        """`text` cleaned as the document it is, or None where it is none."""
        if not text:
            return None
        if text[0] in "{[":
            return self._json.nested(text)
        if text.startswith("eyJ"):
            return self._coded(text)
        if text[0].isspace():
            bare = text.strip()
            inner = self._json.nested(bare) if bare[:1] in ("{", "[") else None
            return None if inner is None else text.replace(bare, inner)
        if "=" not in text or len(text) > _MAX_LENGTH:
            return None
        if text[0] == "/" and "?" in text and not any(map(str.isspace, text)):
            return self._urls.clean(text)
        return self._pairs.clean(text) if "&" in text and _FORM.fullmatch(text) else None

    def _coded(self, text: str) -> str | None:
        """JSON in Base64 cleaned and coded again, its signature replaced; None where it is none."""
        match = _CODED.fullmatch(text)
        if match is None:
            return None
        coded, signature = match[1], match[2]
        bare = coded.rstrip("=")
        altchars = b"-_" if "-" in bare or "_" in bare else b"+/"
        try:
            inner = b64decode(bare + "=" * (-len(bare) % 4), altchars, validate=True).decode()
        except (Error, UnicodeDecodeError):
            return None
        made = self._json.nested(inner)
        if made is None or made == inner:
            return None
        made = b64encode(made.encode(), altchars).decode()
        return (made if coded != bare else made.rstrip("=")) + self._json.secret(signature)
