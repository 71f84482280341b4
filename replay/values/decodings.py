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
    split:-:2          the piece of that number between separators

Putting a value in never spells the rest anew: each step keeps what of its text is not the value.
"""

import html
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import orjson

from ...capture.codings import CodingError, decode, encode
from . import json_path

MAX_STEPS = 3
LARGEST = 64 << 10
"""Characters of a text that is opened."""

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPES = re.compile(r"[A-Za-z0-9_.~%!*'()-]+")
_QUOTED = re.compile(r'(\s*(?:W/)?")([^"]*)("\s*)')
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_-]{1,30}) +(\S.*)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{8,}={0,2}")
_JWT = re.compile(r"(eyJ[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,10});")
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}:)?//[^/?#]*")
_GZIP = b"\x1f\x8b"


class Irreversible(ValueError):
    """The step does not apply to the text, or cannot be undone."""


@lru_cache(maxsize=8192)
def decoded(text: str, step: str) -> str | None:
    """What `step` makes of `text`, or None where it does not apply."""
    name, _, rest = step.partition(":")
    if len(text) > LARGEST:
        return None
    try:
        match name:
            case "percent":
                return unquote(text, errors="strict")
            case "plus":
                return unquote_plus(text, errors="strict")
            case "quoted":
                found = _QUOTED.fullmatch(text)
                return found[2] if found else None
            case "bearer" | "scheme":
                found = _SCHEME.fullmatch(text)
                return found[2] if found and found[1].lower() == (rest or name).lower() else None
            case "html":
                return html.unescape(text)
            case "json":
                return json_path.leaf_at(orjson.loads(text), json_path.parsed(rest))
            case "jwt":
                return _of_token(text, rest)
            case "url":
                return _url_part(text, rest)
            case "split":
                pieces = text.split(rest[0])
                number = int(rest[2:])
                return pieces[number].strip() if number < len(pieces) else None
            case _:
                return _from_base64(text, step)
    except (ValueError, IndexError, RecursionError):
        return None


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
    match name:
        case "percent":
            return percent_coded(inner, text, plus=False)
        case "plus":
            return percent_coded(inner, text, plus=True)
        case "quoted":
            found = _QUOTED.fullmatch(text)
            return f"{found[1]}{inner}{found[3]}" if found else inner
        case "bearer" | "scheme":
            start = text.find(" ")
            blanks = len(text[start:]) - len(text[start:].lstrip(" "))
            return text[: start + blanks] + inner
        case "html":
            return html.escape(inner)
        case "json":
            return json_path.replaced(text, {json_path.parsed(rest): inner})
        case "url":
            return _with_url_part(text, rest, inner)
        case "split":
            return _with_piece(text, rest, inner)
        case "base64" | "base64url" | "base64+gzip" | "base64url+gzip":
            return _to_base64(inner, step)
    raise Irreversible(f"{name} cannot be undone")


def _with_piece(text: str, rest: str, inner: str) -> str:
    pieces = text.split(rest[0])
    number = int(rest[2:])
    old = pieces[number]
    bare = old.strip()
    pieces[number] = inner if not bare else old.replace(bare, inner, 1)
    return rest[0].join(pieces)


def percent_coded(value: str, like: str, *, plus: bool) -> str:
    """`value` percent-encoded in the manner of `like`: what stands bare there stays so, and digits keep case."""
    bare = "".join(one for one in "!$'()*,:;@/?=[]{}|\"+" if one in like and not (plus and one == "+"))
    coded = quote_plus(value, safe=bare) if plus and "%20" not in like else quote(value, safe=bare)
    escapes = "".join(_PERCENT.findall(like))
    if escapes != escapes.upper() and escapes == escapes.lower():
        coded = _PERCENT.sub(lambda found: found[0].lower(), coded)
    return coded


def _from_base64(text: str, step: str) -> str | None:
    name, _, bare = step.partition(":")
    alphabet, _, packed = name.partition("+")
    if alphabet not in ("base64", "base64url"):
        return None
    padding = "=" * (-len(text) % 4) if bare else ""
    try:
        data = b64decode(text + padding, altchars=b"-_" if alphabet == "base64url" else b"+/", validate=True)
    except (Error, ValueError):
        return None
    if packed:
        try:
            data = decode(data, ("gzip",), LARGEST)
        except CodingError:
            return None
    return data.decode() if len(data) <= LARGEST else None


def _to_base64(inner: str, step: str) -> str:
    name, _, bare = step.partition(":")
    alphabet, _, packed = name.partition("+")
    data = inner.encode("utf-8", "surrogatepass")
    if packed:
        data = encode(data, ("gzip",))
    coded = (urlsafe_b64encode if alphabet == "base64url" else b64encode)(data).decode("ascii")
    return coded.rstrip("=") if bare else coded


def _of_token(text: str, rest: str) -> str | None:
    found = _JWT.fullmatch(text)
    which, _, path = rest.partition(":")
    if found is None:
        return None
    inner = _from_base64(found[1 if which == "header" else 2], "base64url:bare")
    return None if inner is None else json_path.leaf_at(orjson.loads(inner), json_path.parsed(path))


def url_parts(url: str) -> tuple[str, str, str]:
    """Authority (with the scheme), path and query of a URL, absolute or not; the fragment goes with the query."""
    match = _URL.match(url)
    head = match[0] if match else ""
    path, mark, query = url[len(head) :].partition("?")
    return head, path, mark + query


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


def with_segment(path: str, number: int, value: str) -> str:
    """A URL's `path` with `value` as the segment of that number. Raises Irreversible."""
    pieces = path.split("/")
    if number + 1 >= len(pieces):
        raise Irreversible("no such segment")
    bare, mark, fragment = pieces[number + 1].partition("#")
    pieces[number + 1] = percent_coded(value, bare.replace("/", ""), plus=False) + mark + fragment
    return "/".join(pieces)


def _pair(pairs: str, path: str) -> int | None:
    """Which of the pieces between ampersands is the one at `path` ("name#number")."""
    name, _, number = path.rpartition("#")
    left = int(number)
    for place, piece in enumerate(pairs.split("&")):
        if unquote_plus(piece.partition("=")[0]) == name:
            if not left:
                return place
            left -= 1
    return None


def pair_at(pairs: str, path: str) -> str | None:
    """The decoded value at `path` ("name#number") of `a=1&b=2`, or None."""
    place = _pair(pairs, path)
    return None if place is None else unquote_plus(pairs.split("&")[place].partition("=")[2], errors="strict")


def with_pair(pairs: str, path: str, value: str) -> str:
    """`pairs` with the value at `path` replaced. Raises Irreversible."""
    place = _pair(pairs, path)
    if place is None:
        raise Irreversible("no such parameter")
    pieces = pairs.split("&")
    name, _, raw = pieces[place].partition("=")
    pieces[place] = f"{name}={percent_coded(value, raw, plus=True)}"
    return "&".join(pieces)


def pairs_of(pairs: str, most: int = 200) -> list[tuple[str, str, str]]:
    """(name, value, path) of each pair of `a=1&b=2`."""
    found: list[tuple[str, str, str]] = []
    seen: dict[str, int] = {}
    for piece in pairs.split("&", most)[:most]:
        raw_name, equals, raw = piece.partition("=")
        if equals:
            name = unquote_plus(raw_name) if "%" in raw_name or "+" in raw_name else raw_name
            value = unquote_plus(raw) if "%" in raw or "+" in raw else raw
            number = seen.get(name, 0)
            seen[name] = number + 1
            found.append((name, value, f"{name}#{number}"))
    return found


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
