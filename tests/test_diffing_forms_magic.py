"""Kinds of files by how they begin."""

import pytest

from seamline.diffing.forms.magic import magic


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"%PDF-1.7", "pdf"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        (b"\0\0\0\x1cftypavif", "avif"),
        (b"\0\0\0\x1cftypisom", "mp4"),
        (b"PK\x03\x04", "zip"),
        (b"plain", ""),
        (b"", ""),
    ],
)
def test_signatures(body: bytes, kind: str) -> None:
    assert magic(body) == kind
