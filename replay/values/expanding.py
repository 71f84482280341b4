"""What else a text may hold: the texts one step below it, with the step that leads there. PURE."""

from functools import lru_cache
from typing import NamedTuple

import orjson

from . import decodings, names, urls, walk
from .telling import STRONG, WEAK, is_time, strength

_SEPARATORS = "?&=;,:| /#.-_"
_MOST_PIECES = 24
_MOST_WORDS = 200
_MOST_INNER = 60
_LONGEST_SPLIT = 2048
_REMEMBERED = 512


class Inner(NamedTuple):
    """A text within another: the step that takes it out, and what its place says: a name, the noun in front of it, or
    the path of the URL above it."""

    step: str
    text: str
    name: str = ""
    noun: str = ""
    above: str = ""


def inner_of(text: str) -> tuple[Inner, ...]:
    """The texts one step below `text`. At most some dozens; none where `text` is too long."""
    return _known_inner(text) if len(text) <= _REMEMBERED else _inner_of(text)


def _inner_of(text: str) -> tuple[Inner, ...]:
    if not 3 <= len(text) <= decodings.LARGEST or text.isdigit() or is_time(text):
        return ()
    first = text[0]
    if first in "{[" and text[-1] in "}]":
        return _of_json(text)
    found: list[Inner] = []
    if "%" in text:
        _add(found, text, "percent")
    if text[-1] == '"' and (first == '"' or first in "Ww"):
        _add(found, text, "quoted")
    if "&" in text and ";" in text:
        _add(found, text, "html")
    if text.startswith("eyJ") and text.count(".") == 2:
        return (*found, *_of_token(text))
    if len(text) >= 8:
        step = decodings.base64_step(text)
        if step is not None:
            _add(found, text, step)
    if first == "/" or "://" in text[:32] or first == "?":
        return (*found, *url_parts(text))
    is_coded = any(one.step.startswith("base64") for one in found)
    if not is_coded and "=" in text and "?" not in text and ("&" in text or " " not in text):
        found += [Inner(f"pairs:{path}", value, name) for name, value, path in urls.pairs_of(text, 32) if value]
    if not found and len(text) <= _LONGEST_SPLIT:
        found += _pieces(text)
    return tuple(found[:_MOST_INNER])


_known_inner = lru_cache(maxsize=32_768)(_inner_of)


def _add(found: list[Inner], text: str, step: str) -> None:
    inner = decodings.decoded(text, step)
    if inner and inner != text:
        found.append(Inner(step, inner))


def keeps_meaning(step: str) -> bool:
    """Whether what `step` takes out is the same thing, only spelt differently."""
    return step in ("percent", "plus", "quoted", "html", "split:.:0") or step.startswith("base64")


def scheme_of(value: str) -> Inner | None:
    """What follows the scheme in a credential's header."""
    scheme, blank, rest = value.partition(" ")
    if not blank or not rest.strip() or not scheme.isascii() or len(scheme) > 31:
        return None
    step = "bearer" if scheme.lower() == "bearer" else f"scheme:{scheme}"
    inner = decodings.decoded(value, step)
    return Inner(step, inner) if inner else None


def _of_json(text: str, prefix: str = "json:") -> tuple[Inner, ...]:
    try:
        document = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return ()
    found: list[Inner] = []
    for spot, key, value in walk.leaves(document):
        about = walk.holder_of(spot, key).container().name
        found.append(Inner(f"{prefix}{walk.path_of(spot, key)}", str(value), walk.name_of(spot, key), about))
        if len(found) >= _MOST_INNER:
            break
    return tuple(found)


def _of_token(text: str) -> tuple[Inner, ...]:
    claims = decodings.decoded(text.split(".")[1], "base64url:bare")
    return _of_json(claims, "jwt:claims:") if claims and claims[:1] == "{" else ()


def url_parts(url: str) -> tuple[Inner, ...]:
    """Segments and parameters of a URL, absolute or not."""
    _, path, query = urls.url_parts(url)
    found = segments(path.partition("#")[0])
    if query:
        pairs = query[1:].partition("#")[0]
        found += [Inner(f"url:query:{where}", value, name) for name, value, where in urls.pairs_of(pairs, 64)]
    return tuple(found)


def segments(path: str) -> list[Inner]:
    """The segments of a path that are more than a name, with what stands in front of them."""
    found: list[Inner] = []
    pieces = path.split("/")[:40]
    for number in range(1, len(pieces)):
        piece = pieces[number]
        if piece:
            noun = pieces[number - 1] if number > 1 and names.is_noun(pieces[number - 1]) else ""
            inner = decodings.decoded(piece, "percent") if "%" in piece else piece
            if inner:
                found.append(Inner(f"url:path:{number - 1}", inner, "", noun, "/".join(pieces[:number])))
    return found


def _pieces(text: str) -> list[Inner]:
    """The pieces between separators that may tell something, the rarest separator first: `order:7-a` is split at its
    colon. An id that is one (`ORD-2026-00017`) is not taken apart, a sentence only into its words."""
    found: list[Inner] = []
    separators = _SEPARATORS[:-2] if strength(text) == STRONG else _SEPARATORS
    present = [separator for separator in separators if separator in text]
    if " " in present and text.count(" ") > 2:
        present = [" "]
    for separator in sorted(present, key=lambda one: (text.count(one), _SEPARATORS.index(one))):
        pieces = [piece.strip() for piece in text.split(separator)]
        if len(pieces) > _MOST_PIECES and separator != " ":
            continue
        for number, piece in enumerate(pieces[:_MOST_WORDS]):
            if not piece or piece == text:
                continue
            before = pieces[number - 1] if number else ""
            noun = before if separator != " " and names.is_noun(before) and not piece.isalpha() else ""
            name = before if separator == "=" and number == 1 else ""
            if noun or name or strength(piece) > WEAK or (len(piece) >= 8 and not piece.isalnum()):
                found.append(Inner(f"split:{separator}:{number}", piece, name, noun))
    return found
