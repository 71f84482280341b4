import base64
import json

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


def coded(value: object, *, urlsafe: bool = True) -> str:
    raw = json.dumps(value).encode()
    return (base64.urlsafe_b64encode(raw) if urlsafe else base64.b64encode(raw)).decode()


@pytest.mark.parametrize("urlsafe", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_json_in_base64_is_opened(urlsafe: bool, padded: bool) -> None:
    text = coded({"email": "jane.doe@corp.com", "é": "~~??>>"}, urlsafe=urlsafe)
    made = layers().clean(text if padded else text.rstrip("="))
    assert made is not None
    assert made.endswith("=") <= padded
    again = json.loads(base64.b64decode(made + "=" * (-len(made) % 4), b"-_" if urlsafe else b"+/"))
    assert again["email"].endswith(".test")
    assert again["é"] == "~~??>>"


def test_a_signed_session_loses_its_signature() -> None:
    made = layers().clean(coded({"email": "jane.doe@corp.com"}).rstrip("=") + ":1tSabc:Zk3-sig_x")
    assert made is not None
    assert "Zk3-sig_x" not in made
    assert made.count(":") == 2


@pytest.mark.parametrize("text", [coded({"a": 1}), "eyJub3QganNvbg", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig"])
def test_other_base64_is_no_document(text: str) -> None:
    assert layers().clean(text) is None
