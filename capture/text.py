"""Recorded text made fit to be shown: what could steer a terminal or hide from a reader becomes visible.

Applied once, at the boundary where text is printed; stored text is never changed by it.
"""

import re

# C0 except tab and newline, DEL, C1, zero-width and bidirectional controls, byte-order mark, the tags block.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable(text: str, limit: int | None = None) -> str:
    """`text` with control, bidirectional and invisible characters as escapes, cut to `limit` characters.

    A cut is shown as "… (+N)", N the characters left out.
    """
    cut = text if limit is None or len(text) <= limit else text[:limit]
    shown = _UNSAFE.sub(_visible, cut)
    return shown if cut is text else f"{shown}… (+{len(text) - len(cut)})"
