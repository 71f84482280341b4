import pytest

from seamline.capture.sanitize.multipart_body import BadMultipart, MultipartBody
from support.sanitizing import Walks

TYPE = "multipart/form-data; boundary=XX"


def part(head: str, body: str) -> str:
    return f"--XX\r\n{head}\r\n\r\n{body}\r\n"


def clean(body: str, content_type: str = TYPE) -> str:
    walks = Walks()

    def inner(raw: bytes, kind: str) -> bytes:
        return f"[{kind}]{raw.decode()}".encode()

    return MultipartBody(walks.keys, walks.values, inner).clean(body.encode(), content_type).decode()


def test_fields_are_judged_by_name_and_files_by_their_type() -> None:
    made = clean(
        part('Content-Disposition: form-data; name="password"', "hunter2")
        + part('Content-Disposition: form-data; name="note"', "hello")
        + part(
            'Content-Disposition: form-data; name="token"; filename="t.json"\r\nContent-Type: application/json', "{}"
        )
        + "--XX--\r\n"
    )
    assert "hunter2" not in made
    assert "[text/plain]hello" in made
    assert "[application/json]{}" in made
    assert made.endswith("--XX--\r\n")


def test_a_file_name_is_text_too() -> None:
    assert "anna@x.com" not in clean(
        part('Content-Disposition: form-data; name="f"; filename="anna@x.com.txt"', "x") + "--XX--"
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("--XX\r\n\r\nx\r\n--XX--", "multipart/form-data"),
        ("no parts", TYPE),
        ("--XX\r\nHead: x\r\n\r\nx\r\n", TYPE),
        ("--XX\r\nno blank line\r\n--XX--", TYPE),
        ("secret preamble\r\n--XX\r\nA: b\r\n\r\nx\r\n--XX--", TYPE),
        ("--XX\r\nA: b\r\n\r\nx\r\n--XX--secret epilogue", TYPE),
        (part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "eA==") + "--XX--", TYPE),
        ("--XX" * 3000, TYPE),
    ],
)
def test_what_does_not_fit_its_boundary_is_refused(body: str, content_type: str) -> None:
    with pytest.raises(BadMultipart):
        clean(body, content_type)


def test_a_quoted_boundary_is_read() -> None:
    assert "[text/plain]x" in clean("--X X\r\nA: b\r\n\r\nx\r\n--X X--", 'multipart/mixed; boundary="X X"')
