import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.sanitizing import Walks


@pytest.mark.parametrize(
    "text",
    [
        "Your order 000123 of 2026-11-02 is on its way. Total: 129.95 EUR.\n",
        "Passwords must have 8 characters. Password: required. Token: none\n",
        "level=info msg=started port=8080 took=12ms\n",
        "# HELP http_requests_total\nhttp_requests_total{code=\"200\"} 1027 1395066363000\n",
        "name: shop\nversion: 1.2.3\nimage: registry.example/shop@sha256:4111\n",
        "data: [DONE]\n\n",
        "event: ping\ndata: {\"n\": 1}\n\n",
        "Address: see below\n",
    ],
)  # fmt: skip
def test_prose_logs_and_events_stay(text: str) -> None:
    assert Walks().text.clean(text) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("login user_email=anna@x.com ok", "anna"),
        ("level=info password=hunter2 x=1", "hunter2"),
        ('{"level": "info", "password": "hunter2"}\n{"level": "warn"}\n', "hunter2"),
        ('data: {"token": "abcdef123"}\n\n', "abcdef123"),
        ("password: hunter2\nname: x\n", "hunter2"),
        ("Date of birth: 1980-12-31\n", "1980-12-31"),
        ("- api_key: 'abcdef123'\n", "abcdef123"),
        ("call +1 415 555 2671 today", "2671"),
        ("see https://h.com/?password=hunter2&x=1 now", "hunter2"),
        ("postgres://app:hunter2@db:5432/shop", "hunter2"),
    ],
)
def test_values_in_text_are_found(text: str, secret: str) -> None:
    made = Walks().text.clean(text)
    assert secret not in made
    assert made.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "const token = getToken(); this.password=n.password;var t={type:\"password\",email:\"Email\"}",
        "label{password:'Enter your password'} if(token==='function'){}",
        ".phone{width:100px}",
        "fetch('/api/v1/users/' + id + '?expand=address')",
    ],
)  # fmt: skip
def test_programs_stay(text: str) -> None:
    assert Walks().text.clean(text, code=True) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('var cfg={apiKey:"a1B2c3D4e5"}', "a1B2c3D4e5"),
        ("password = 'hunter2'", "hunter2"),
        ("// by anna@x.com", "anna"),
    ],
)
def test_literals_in_programs_are_found(text: str, secret: str) -> None:
    assert secret not in Walks().text.clean(text, code=True)


@given(st.text(max_size=300), st.booleans())
def test_any_text_is_cleaned(text: str, code: bool) -> None:
    assert isinstance(Walks().text.clean(text, code=code), str)


def test_what_php_serializes_is_judged_by_its_names() -> None:
    text = 'a:2:{s:8:"password";s:7:"hunter2";s:4:"page";s:7:"hunter2";}'
    made = Walks().text.clean(text)
    assert made.count("hunter2") == 1
    assert len(made) == len(text)
    assert Walks().values.text(text) == made
