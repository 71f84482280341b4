import pytest

from seamline.capture.sanitize.layers import Layers
from support.sanitizing import Walks


def layers() -> Layers:
    walks = Walks()
    return Layers(walks.json, walks.pairs, walks.urls)


@pytest.mark.parametrize("text", ["", "text", "a=b", "{not json}", "[x", "/path", "a = b & c = d", "https://x/?a=b"])
def test_plain_text_is_no_document(text: str) -> None:
    assert layers().clean(text) is None


@pytest.mark.parametrize(
    "text", ['{"password":"hunter2"}', ' [{"pin":"1234"}]\n', "/a?password=hunter2", "x=1&password=hunter2&y=1234"]
)
def test_documents_are_cleaned_as_what_they_are(text: str) -> None:
    made = layers().clean(text)
    assert made is not None
    assert "hunter2" not in made
    assert '"1234"' not in made
    assert made[:1] == text[:1]
