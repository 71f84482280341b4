"""URLs and `a=1&b=2`: their parts read, and one of them replaced without respelling the others. PURE."""

import re
from urllib.parse import quote, quote_plus, unquote_plus

_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}:)?//[^/?#]*")


class Irreversible(ValueError):
    """The step does not apply to the text, or cannot be undone."""


def percent_coded(value: str, like: str, *, plus: bool) -> str:
    """`value` percent-encoded in the manner of `like`: what stands bare there stays so, and digits keep case."""
    bare = "".join(one for one in "!$'()*,:;@/?=[]{}|\"+" if one in like and not (plus and one == "+"))
    coded = quote_plus(value, safe=bare) if plus and "%20" not in like else quote(value, safe=bare)
    escapes = "".join(_PERCENT.findall(like))
    if escapes != escapes.upper() and escapes == escapes.lower():
        coded = _PERCENT.sub(lambda found: found[0].lower(), coded)
    return coded


def url_parts(url: str) -> tuple[str, str, str]:
    """Authority (with the scheme), path and query of a URL, absolute or not; the fragment goes with the query."""
    match = _URL.match(url)
    head = match[0] if match else ""
    path, mark, query = url[len(head) :].partition("?")
    return head, path, mark + query


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
