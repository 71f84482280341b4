"""Two HTML pages: what a reader sees and where the links lead, apart from how it is marked up.

A page whose words, links and form fields are the same has not changed for anyone who reads or follows it; neither has
one that only names another version of the software that made it.
"""

import re
from html import unescape

from ..difference import Difference, bounded
from ..report.model import Surface
from .scalars import Clocks
from .text import compare_lines

MAX_CHARS = 2_000_000
"""A longer page is compared as text."""

_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "mark", "small", "span", "strong", "sub", "sup", "time", "u"})
_LINKS = frozenset({"href", "src", "action", "formaction"})
_FIELDS = frozenset({"input", "select", "textarea", "button", "option"})
_FOLLOWED = frozenset({"canonical", "alternate", "next", "prev"})
_RAW = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style")}
_TAG_START = re.compile(r"</?[a-zA-Z]")
# Possessive, so that a quote that never closes fails at once instead of being tried at every length.
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_ATTRIBUTE = re.compile(r"""([^\s=/>"']++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"']++)))?""")
_VERSION = re.compile(r"\bv?\d{1,4}\.\d{1,4}\.\d{1,5}(?:[-+.]?(?:a|b|rc|dev|post)\d{1,4})?\b")


def compare_html(before: str, after: str, clocks: Clocks) -> list[Difference]:
    """One difference for each line of the outlines that changed; one for the markup where the outlines are equal."""
    if before == after:
        return []
    if max(len(before), len(after)) > MAX_CHARS:
        return compare_lines(before, after, clocks)
    left, right = outline(before), outline(after)
    if left == right:
        shown = (bounded(before[:200]), bounded(after[:200]))
        return [Difference(Surface.RESPONSE, "markup_changed", "$", *shown, "markup", "markup")]
    if _VERSION.sub("#", left) == _VERSION.sub("#", right):
        old, new = _VERSION.findall(left), _VERSION.findall(right)
        changed = next((pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]), ("", ""))
        return [Difference(Surface.RESPONSE, "value_changed", "$", changed[0], changed[1], "version", "version")]
    return compare_lines(left, right, clocks)


def outline(page: str) -> str:
    """What can be seen and followed, a line each: words, link targets without their fragments, form fields."""
    return _Outline(page).text()


class _Outline:
    """Collects the lines of an outline in one pass. Never fails: HTML has no errors, only surprises.

    A tag or a comment that does not end makes the rest of the page plain text, so that no character is looked at
    more than a few times. The standard library's parser starts over at each "<": minutes for 400 kB of "<!--".
    """

    def __init__(self, page: str) -> None:
        self._page = page
        self._lines: list[str] = []
        self._words: list[str] = []
        self._unseen = 0

    def text(self) -> str:
        at = 0
        while at < len(self._page):
            start = self._page.find("<", at)
            if start < 0:
                break
            self._see(self._page[at:start])
            after = self._markup(start)
            if after < 0:
                at = start
                break
            at = after
        self._see(self._page[at:])
        self._break()
        return "\n".join(self._lines)

    def _markup(self, start: int) -> int:
        """Take what begins with "<" at `start`; where it ends, or -1 where it does not."""
        for opening, closing in (("<!--", "-->"), ("<!", ">"), ("<?", ">")):
            if self._page.startswith(opening, start):
                end = self._page.find(closing, start + len(opening))
                return end + len(closing) if end >= 0 else -1
        if not _TAG_START.match(self._page, start):
            self._see("<")
            return start + 1
        tag = _TAG.match(self._page, start)
        if tag is None:
            return -1
        name = tag[2].lower()
        if tag[1]:
            self._closed(name)
            return tag.end()
        self._opened(name, _attributes(tag[3]))
        return self._raw(name, tag.end()) if name in _RAW else tag.end()

    def _raw(self, name: str, start: int) -> int:
        """Past the contents of a script or a style sheet, which hold no tags."""
        end = _RAW[name].search(self._page, start)
        return end.start() if end else -1

    def _opened(self, tag: str, values: dict[str, str]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        if tag not in _INLINE:
            self._break()
        if tag == "script" or (tag == "link" and values.get("rel", "").lower() not in _FOLLOWED):
            # Style sheets, icons and scripts carry fingerprints of the build in their names.
            return
        for name in sorted(values.keys() & _LINKS):
            self._lines.append(f"{name}: {_without_fragment(values[name])}")
        if tag in _FIELDS and ("name" in values or "value" in values):
            self._lines.append(f"{tag}: {values.get('name', '')}={values.get('value', '')}")

    def _closed(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag not in _INLINE:
            self._break()

    def _see(self, text: str) -> None:
        if text and not self._unseen:
            self._words.append(unescape(text))

    def _break(self) -> None:
        line = " ".join("".join(self._words).split())
        self._words.clear()
        if line:
            self._lines.append(line)


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        found.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return found


def _without_fragment(url: str) -> str:
    return url.split("#", 1)[0]
