import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.markup_body import MarkupBody
from support.sanitizing import Walks


def clean(text: str) -> str:
    walks = Walks()
    return MarkupBody(walks.keys, walks.values, walks.text).clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "<html><body><h1>Orders</h1><p>Order 000123 of 2026-11-02, total 129.95</p></body></html>",
        '<input type="password" name="password" placeholder="Your password"><input type="submit" value="Sign in">',
        '<label for="email">Email address</label><input name="email" value="">',
        "<address>see below</address><code>abc</code>",
        "<product><name>Blue shirt</name><price>12.50</price></product>",
        '<script>window.x = {"id": 1}</script><script type="application/json">{"id": [1, 2]}</script>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<a href="/orders/1?page=2&amp;sort=x">a &lt; b</a>',
        '<div class="phone" id="token">text</div>',
    ],
)
def test_ordinary_markup_stays_byte_for_byte(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("<p>mail anna@x.com</p>", "anna"),
        ("<p>mail anna&#64;x.com</p>", "anna"),
        ('<a href="mailto:anna@x.com">x</a>', "anna"),
        ('<a href="/x?password=hunter2">x</a>', "hunter2"),
        ('<a href="https://h/x?password=hunter2&amp;b=1">x</a>', "hunter2"),
        ('<input type="password" name="pw" value="hunter2">', "hunter2"),
        ("<input name='user[ssn]' value='123456789'>", "123456789"),
        ('<meta name="csrf-token" content="abcdef123456">', "abcdef123456"),
        ("<user><firstName>Anna</firstName></user>", "Anna"),
        ("<ns:Password attr='1'>hunter2</ns:Password>", "hunter2"),
        ("<password><![CDATA[hunter2]]></password>", "hunter2"),
        ('<user password="hunter2" id="1"/>', "hunter2"),
        ('<script type="application/json">{"user": {"name": "Anna", "pin": 1234}}</script>', "Anna"),
        ("<script>var cfg = {password: 'hunter2'}</script>", "hunter2"),
    ],
)
def test_sensitive_markup_is_replaced(text: str, secret: str) -> None:
    made = clean(text)
    assert secret not in made
    assert [made.count(mark) for mark in '<>"='] == [text.count(mark) for mark in '<>"=']


def test_a_replaced_value_is_escaped() -> None:
    made = clean('<user password="a&amp;b&quot;c">')
    assert made.count('"') == 2


@given(st.text("<>/=\"' ainputvepsword![CDAT]&#64;@.xyz\n", max_size=200))
def test_any_text_is_cleaned(text: str) -> None:
    assert isinstance(clean(text), str)
