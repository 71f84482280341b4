"""Two HTML pages: what a reader sees and where the links lead, apart from how it is marked up.

A page whose words, links and form fields are the same has not changed for anyone who reads or follows it; neither has
one that only names another version of the software that made it.
"""

import re
from html.parser import HTMLParser
from urllib.parse import urldefrag

from ..difference import Difference, bounded
from ..report.model import Surface
from .scalars import Clocks
from .text import compare_text

MAX_CHARS = 2_000_000
"""A longer page is compared as text."""

_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "mark", "small", "span", "strong", "sub", "sup", "time", "u"})
_LINKS = frozenset({"href", "src", "action", "formaction"})
_FIELDS = frozenset({"input", "select", "textarea", "button", "option"})
_FOLLOWED = frozenset({"canonical", "alternate", "next", "prev"})
_VERSION = re.compile(r"\bv?\d{1,4}\.\d{1,4}\.\d{1,5}(?:[-+.]?(?:a|b|rc|dev|post)\d{1,4})?\b")


def compare_html(before: str, after: str, clocks: Clocks) -> Difference | None:
    """One difference at the document, or None where even the markup is the same."""
    if before == after:
        return None
    if max(len(before), len(after)) > MAX_CHARS:
        return compare_text(before, after, clocks)
    left, right = outline(before), outline(after)
    if left == right:
        return Difference(
            Surface.RESPONSE, "markup_changed", "$", bounded(before[:200]), bounded(after[:200]), "markup", "markup"
        )
    if _VERSION.sub("#", left) == _VERSION.sub("#", right):
        old, new = _VERSION.findall(left), _VERSION.findall(right)
        changed = next((pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]), ("", ""))
        return Difference(Surface.RESPONSE, "value_changed", "$", changed[0], changed[1], "version", "version")
    return compare_text(left, right, clocks)


def outline(page: str) -> str:
    """What can be seen and followed, a line each: words, link targets without their fragments, form fields."""
    parser = _Outline()
    parser.feed(page)
    parser.close()
    return parser.result()


class _Outline(HTMLParser):
    """Collects the lines of an outline. Never fails: HTML has no errors, only surprises."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._words: list[str] = []
        self._unseen = 0

    def result(self) -> str:
        self._break()
        return "\n".join(self._lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        if tag not in _INLINE:
            self._break()
        values = {name: value or "" for name, value in attrs}
        if tag == "script" or (tag == "link" and values.get("rel", "").lower() not in _FOLLOWED):
            # Style sheets, icons and scripts carry fingerprints of the build in their names.
            return
        for name in sorted(values.keys() & _LINKS):
            self._lines.append(f"{name}: {urldefrag(values[name]).url}")
        if tag in _FIELDS and ("name" in values or "value" in values):
            self._lines.append(f"{tag}: {values.get('name', '')}={values.get('value', '')}")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag not in _INLINE:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._words.append(data)

    def _break(self) -> None:
        line = " ".join("".join(self._words).split())
        self._words.clear()
        if line:
            self._lines.append(line)
