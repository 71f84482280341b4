"""A recorded request made fit to be sent again, or the reason why it is not.

Rules of this file:
- a capture is untrusted: whatever could end a header early or make two readers of the request disagree about where
  it ends is refused;
- everything else goes out as it was recorded: order, case and duplicates of headers included;
- what has to be changed is named, so that it can be counted and shown.
"""

import re

from ..capture.headers import Headers
from ..capture.model import Request

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_TARGET = re.compile(r"[!-~\x80-\xff]+")
_VALUE = re.compile(r"[^\r\n\x00\u0100-\U0010ffff]*")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,18}")

INJECTION = "characters that would end a line early"
FRAMING = "ambiguous length of the request body"

EXPECT = "Expect header left out"
ABSOLUTE = "absolute target made relative"
LENGTH = "Content-Length set to the body's length"
HOST = "Host header added"
VERSION = "sent as HTTP/1.1"


class Fitter:
    """Checks requests and fits them to HTTP/1.1. Remembers the headers it has seen: a capture repeats few of them,
    and equal ones become one object."""

    __slots__ = ("_known", "_met")

    _MOST = 65_536

    def __init__(self) -> None:
        self._known: dict[Headers, tuple[Headers, str | None, _Traits]] = {}
        # By identity, which costs no walk through the headers: a reader has one object for equal ones. Beside its
        # answer stands the object itself, which keeps the id true.
        self._met: dict[int, tuple[Headers, tuple[Headers, str | None, _Traits]]] = {}

    def fit(self, request: Request) -> tuple[Request, tuple[str, ...]] | str:
        """The request to send and what was changed in it; or, as text, why it cannot be sent."""
        if not (_TOKEN.fullmatch(request.method) and _TARGET.fullmatch(request.target)):
            return INJECTION
        headers, refused, traits = self._headers(request.headers)
        if refused is not None:
            return refused
        target = request.target
        plain = target.startswith("/") and not traits.odd and request.version in ("1.1", "1.0")
        if plain and traits.length in (None, len(request.body)) and (traits.framed or not request.body):
            if headers is request.headers:
                return request, ()
            return Request(request.method, target, headers, request.body, request.version), ()
        return _changed(request, headers, traits)

    def _headers(self, headers: Headers) -> "tuple[Headers, str | None, _Traits]":
        met = self._met.get(id(headers))
        if met is None:
            met = (headers, self._judged(headers))
            if len(self._met) < self._MOST:
                self._met[id(headers)] = met
        return met[1]

    def _judged(self, headers: Headers) -> "tuple[Headers, str | None, _Traits]":
        known = self._known.get(headers)
        if known is None:
            traits = _Traits(headers)
            known = (headers, _refusal(headers, traits), traits)
            if len(self._known) < self._MOST:
                self._known[headers] = known
        return known


class _Traits:
    """What the headers say about the body, and whether anything in them has to change (`odd`)."""

    __slots__ = ("ambiguous", "chunked", "host", "length", "odd")

    def __init__(self, headers: Headers) -> None:
        lengths: set[str] = set()
        codings: list[str] = []
        self.host = False
        expects = pseudo = False
        for name, value in headers.items:
            lower = name.lower()
            if lower == "content-length":
                lengths.add(value.strip())
            elif lower == "transfer-encoding":
                codings += [coding.strip() for coding in value.lower().split(",")]
            elif lower == "host":
                self.host = True
            expects = expects or lower == "expect"
            pseudo = pseudo or name.startswith(":")
        length = lengths.pop() if len(lengths) == 1 else ""
        self.length = int(length) if _DIGITS.fullmatch(length) else None
        self.chunked = bool(codings) and codings[-1] == "chunked" and codings.count("chunked") == 1
        is_length_bad = bool(lengths) or (length != "" and self.length is None)
        self.ambiguous = is_length_bad or (bool(codings) and (not self.chunked or self.length is not None))
        self.odd = expects or pseudo or not self.host

    @property
    def framed(self) -> bool:
        """Whether the headers announce a body."""
        return self.chunked or self.length is not None


def _refusal(headers: Headers, traits: _Traits) -> str | None:
    for name, value in headers.items:
        if not (_TOKEN.fullmatch(name.removeprefix(":")) and _VALUE.fullmatch(value)):
            return INJECTION
    if traits.ambiguous or len(headers.get_all("host")) > 1:
        return FRAMING if traits.ambiguous else "more than one Host header"
    return None


def _changed(request: Request, headers: Headers, traits: _Traits) -> tuple[Request, tuple[str, ...]] | str:
    target, authority, notes = request.target, headers.get(":authority"), []
    match = _ABSOLUTE.match(target)
    if match is not None:
        authority = authority or match.group(1).rpartition("@")[2]
        rest = target[match.end() :].partition("#")[0]
        target = rest if rest.startswith("/") else f"/{rest}"
        notes.append(ABSOLUTE)
    if "expect" in headers:
        headers = headers.without("expect")
        notes.append(EXPECT)
    headers = Headers(item for item in headers.items if not item[0].startswith(":"))
    version = request.version
    if version not in ("1.1", "1.0"):
        version = "1.1"
        notes.append(VERSION)
    if not traits.host and authority and not _VALUE.fullmatch(authority):
        return INJECTION
    if not traits.host and authority:
        headers = Headers((("Host", authority), *headers.items))
        notes.append(HOST)
    size = len(request.body)
    if (traits.length is not None and traits.length != size) or (size and not traits.framed):
        headers = headers.with_value("Content-Length", str(size))
        notes.append(LENGTH)
    return Request(request.method, target, headers, request.body, version), tuple(notes)
