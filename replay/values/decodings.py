"""The steps from a leaf's text to a value within it, and back. PURE.

Each step has a name, so that a chain of them can be written down, followed in a live answer, and undone in a request:

    percent            percent-encoding; `plus` has spaces as plus signs
    quoted             "abc" or W/"abc", as entity tags are written
    bearer             what follows the scheme of a credential; `scheme:Token` likewise
    base64, base64url  `…:bare` lacks the padding; `…+gzip` is compressed below
    json:$.next        a leaf of JSON in a string
    jwt:claims:$.sub   a leaf of a token's claims (or `jwt:header:`); never undone, as only its issuer can sign
    html               entities
    url:path:2         a segment of a URL's path; `url:query:after#0` a parameter
    pairs:after#0      a parameter of `a=1&after=x` alone
    split:-:2          the piece of that number between separators

Putting a value in never spells the rest anew: each step keeps what of its text is not the value.
"""

import html
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote, unquote_plus

import orjson

from ...capture.codings import CodingError, decode, encode
from . import json_path
from .urls import Irreversible, pair_at, percent_coded, url_parts, with_pair, with_segment

MAX_STEPS = 3
LARGEST = 64 << 10
"""Characters of a text that is opened."""
_REMEMBERED = 512

_QUOTED = re.compile(r'(\s*(?:W/)?")([^"]*)("\s*)')
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_-]{1,30}) +(\S.*)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{8,}={0,2}")
_JWT = re.compile(r"(eyJ[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


def decoded(text: str, step: str) -> str | None:
    """What `step` makes of `text`, or None where it does not apply."""
    return _known_decoded(text, step) if len(text) <= _REMEMBERED else _decoded(text, step)


def _decoded(text: str, step: str) -> str | None:
    name, _, rest = step.partition(":")
    if len(text) > LARGEST or name not in _STEPS:
        return None
    try:
        return _STEPS[name][0](text, rest)
    except (ValueError, IndexError, RecursionError):
        return None


_known_decoded = lru_cache(maxsize=8192)(_decoded)


def followed(text: str, chain: tuple[str, ...]) -> str | None:
    """The value at the end of `chain`, or None."""
    value: str | None = text
    for step in chain:
        if value is None:
            return None
        value = decoded(value, step)
    return value


def put(text: str, chain: tuple[str, ...], value: str) -> str:
    """`text` with `value` at the end of `chain`. Raises Irreversible."""
    if not chain:
        return value
    inner = decoded(text, chain[0])
    if inner is None:
        raise Irreversible(f"{chain[0]} does not apply")
    return undone(text, chain[0], put(inner, chain[1:], value))


def undone(text: str, step: str, inner: str) -> str:
    """`text` as it would be if `step` made `inner` of it. Raises Irreversible."""
    name, _, rest = step.partition(":")
    undo = _STEPS[name][1] if name in _STEPS else None
    if undo is None:
        raise Irreversible(f"{name} cannot be undone")
    return undo(text, rest, inner)


def _unquoted(text: str, _: str) -> str | None:
    found = _QUOTED.fullmatch(text)
    return found[2] if found else None


def _quoted(text: str, _: str, inner: str) -> str:
    found = _QUOTED.fullmatch(text)
    return f"{found[1]}{inner}{found[3]}" if found else inner


def _credential(text: str, scheme: str) -> str | None:
    found = _SCHEME.fullmatch(text)
    return found[2] if found and found[1].lower() == (scheme or "bearer").lower() else None


def _with_credential(text: str, _: str, inner: str) -> str:
    scheme, _, rest = text.partition(" ")
    return f"{scheme} {' ' * (len(rest) - len(rest.lstrip(' ')))}{inner}"


def _of_json(text: str, path: str) -> str | None:
    return json_path.leaf_at(orjson.loads(text), json_path.parsed(path))


def _with_json(text: str, path: str, inner: str) -> str:
    return json_path.replaced(text, {json_path.parsed(path): inner})


def _piece(text: str, rest: str) -> str | None:
    pieces = text.split(rest[0])
    number = int(rest[2:])
    return pieces[number].strip() if number < len(pieces) else None


def _with_piece(text: str, rest: str, inner: str) -> str:
    pieces = text.split(rest[0])
    number = int(rest[2:])
    old = pieces[number]
    bare = old.strip()
    pieces[number] = inner if not bare else old.replace(bare, inner, 1)
    return rest[0].join(pieces)


def _from_base64(alphabet: bytes, *, packed: bool) -> Callable[[str, str], str | None]:
    def decode_it(text: str, bare: str) -> str | None:
        padding = "=" * (-len(text) % 4) if bare else ""
        try:
            data = b64decode(text + padding, altchars=alphabet, validate=True)
            if packed:
                data = decode(data, ("gzip",), LARGEST)
        except (Error, CodingError):
            return None
        return data.decode() if len(data) <= LARGEST else None

    return decode_it


def _to_base64(alphabet: bytes, *, packed: bool) -> Callable[[str, str, str], str]:
    def encode_it(_: str, bare: str, inner: str) -> str:
        data = inner.encode("utf-8", "surrogatepass")
        coded = b64encode(encode(data, ("gzip",)) if packed else data, altchars=alphabet).decode("ascii")
        return coded.rstrip("=") if bare else coded

    return encode_it


def _of_token(text: str, rest: str) -> str | None:
    found = _JWT.fullmatch(text)
    which, _, path = rest.partition(":")
    if found is None:
        return None
    inner = decoded(found[1 if which == "header" else 2], "base64url:bare")
    return None if inner is None else _of_json(inner, path)


def _url_part(text: str, rest: str) -> str | None:
    which, _, path = rest.partition(":")
    _, segments, query = url_parts(text)
    if which == "path":
        pieces = segments.split("/")
        number = int(path) + 1
        return unquote(pieces[number].partition("#")[0], errors="strict") if number < len(pieces) else None
    return pair_at(query[1:].partition("#")[0], path)


def _with_url_part(text: str, rest: str, inner: str) -> str:
    which, _, path = rest.partition(":")
    head, segments, query = url_parts(text)
    if which == "path":
        return head + with_segment(segments, int(path), inner) + query
    pairs, mark, fragment = query[1:].partition("#")
    return head + segments + query[:1] + with_pair(pairs, path, inner) + mark + fragment


def base64_step(text: str) -> str | None:
    """The step that opens `text` where it is Base64 of a text; None otherwise."""
    if len(text) > LARGEST:
        return None
    if _BASE64URL.fullmatch(text) and ("-" in text or "_" in text):
        alphabet = "base64url"
    elif _BASE64.fullmatch(text):
        alphabet = "base64"
    else:
        return None
    if text.startswith("H4sI"):  # gzip's mark
        alphabet += "+gzip"
    if "=" not in text and len(text) % 4:
        alphabet += ":bare"
    inner = decoded(text, alphabet)
    if not inner or not inner.isprintable():
        return None
    return alphabet


_STEPS: dict[str, tuple[Callable[[str, str], str | None], Callable[[str, str, str], str] | None]] = {
    "percent": (
        lambda text, _: unquote(text, errors="strict"),
        lambda text, _, inner: percent_coded(inner, text, plus=False),
    ),
    "plus": (
        lambda text, _: unquote_plus(text, errors="strict"),
        lambda text, _, inner: percent_coded(inner, text, plus=True),
    ),
    "quoted": (_unquoted, _quoted),
    "bearer": (_credential, _with_credential),
    "scheme": (_credential, _with_credential),
    "html": (lambda text, _: html.unescape(text), lambda _text, _, inner: html.escape(inner)),
    "json": (_of_json, _with_json),
    "jwt": (_of_token, None),
    "url": (_url_part, _with_url_part),
    "pairs": (pair_at, with_pair),
    "split": (_piece, _with_piece),
    "base64": (_from_base64(b"+/", packed=False), _to_base64(b"+/", packed=False)),
    "base64url": (_from_base64(b"-_", packed=False), _to_base64(b"-_", packed=False)),
    "base64+gzip": (_from_base64(b"+/", packed=True), _to_base64(b"+/", packed=True)),
    "base64url+gzip": (_from_base64(b"-_", packed=True), _to_base64(b"-_", packed=True)),
}
"""Each step and the way back, by the word that its name begins with."""
