import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.kinds import Kind
from support.sanitizing import Walks, token


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.SECRET, ""),
        (Kind.SECRET, "none"),
        (Kind.SECRET, "ETH"),
        (Kind.SECRET, "********"),
        (Kind.SECRET, "[REDACTED]"),
        (Kind.PASSWORD, ""),
        (Kind.PASSWORD, "••••"),
        (Kind.PHONE, "mobile"),
        (Kind.PHONE, "911"),
        (Kind.EMAIL, "weekly"),
        (Kind.NUMBER, "personal"),
        (Kind.STREET, "0x52908400098527886E0F7030069857D2E4169EE7"),
        (Kind.STREET, "127.0.0.1:8000"),
        (Kind.IP, "127.0.0.1"),
        (Kind.IP, "10.1.2.3"),
        (Kind.IP, "unknown"),
        (Kind.IP, "::1"),
    ],
)
def test_a_value_that_cannot_be_what_its_key_says_stays(kind: Kind, value: str) -> None:
    assert Walks().values.of_kind(kind, value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.PASSWORD, "letmein"),
        (Kind.PASSWORD, "none"),
        (Kind.SECRET, "letmein"),
        (Kind.EMAIL, "anna at gmail.com"),
        (Kind.EMAIL, "odd address@host"),
        (Kind.PHONE, "555 2671"),
        (Kind.STREET, "Unter den Linden 77"),
        (Kind.IP, "8.8.8.8"),
        (Kind.IP, "203.0.113.9, 10.0.0.1"),
        (Kind.NAME, "Zoë O'Neil"),
    ],
)
def test_a_value_that_can_be_is_replaced(kind: Kind, value: str) -> None:
    assert Walks().values.of_kind(kind, value) != value


def test_a_shape_is_surer_than_a_key() -> None:
    values = Walks().values
    assert values.of_kind(Kind.HANDLE, "anna@x.com") == values.text("anna@x.com")
    assert values.of_kind(Kind.NUMBER, "4111111111111111") == values.text("4111111111111111")


def test_a_full_name_is_its_words() -> None:
    values = Walks().values
    first, last = values.of_kind(Kind.NAME, "Anna"), values.of_kind(Kind.NAME, "Smith")
    assert values.of_kind(Kind.NAME, "Anna Smith") == f"{first} {last}"


@pytest.mark.parametrize(
    ("kind", "raw"),
    [(Kind.PAN, "4111111111111111"), (Kind.PHONE, "14155552671"), (Kind.PASSWORD, "1234"), (Kind.SSN, "123456789"),
     (Kind.NUMBER, "90210123"), (Kind.SECRET, "123456789012"), (Kind.BIRTH, "19801231"), (Kind.POSTCODE, "90210")],
)  # fmt: skip
def test_a_number_becomes_a_number_of_as_many_digits(kind: Kind, raw: str) -> None:
    made = Walks().values.number(kind, raw)
    assert made != raw
    assert str(int(made)) == made
    assert len(made) == len(raw)


@pytest.mark.parametrize(("kind", "raw"), [(Kind.SECRET, "17"), (Kind.NAME, "4"), (Kind.STREET, "12")])
def test_a_count_is_no_secret(kind: Kind, raw: str) -> None:
    assert Walks().values.number(kind, raw) == raw


@given(st.sampled_from([kind for kind in Kind if kind not in (Kind.JWT, Kind.PEM, Kind.URL)]),
       st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))  # fmt: skip
def test_every_number_stays_one(kind: Kind, number: float) -> None:
    float(Walks().values.number(kind, str(number)))


def test_codes_are_dropped() -> None:
    values = Walks().values
    assert values.of_kind(Kind.DROP, "123") == "000"
    assert values.number(Kind.DROP, "123") == "100"


def test_an_authorization_keeps_its_scheme() -> None:
    values = Walks().values
    assert values.credential("Bearer abcdef").startswith("Bearer ")
    basic = values.credential("Basic " + base64.b64encode(b"anna:hunter2").decode())
    user, _, password = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
    assert (user, password) == (values.of_kind(Kind.HANDLE, "anna"), values.of_kind(Kind.PASSWORD, "hunter2"))
    assert values.credential("Basic !!!not-base64") != "Basic !!!not-base64"
    assert values.credential("opaque12") != "opaque12"


def test_a_token_is_cleaned_inside_and_signed_anew() -> None:
    values = Walks().values
    original = token({"sub": "42", "email": "anna@x.com", "exp": 1})
    made = values.text(original)
    head, claims, signature = made.split(".")
    assert head == original.split(".")[0]
    assert values.text("anna@x.com").encode() in base64.urlsafe_b64decode(claims + "==")
    assert signature != original.split(".")[2]
    assert values.text(made) == made, "signed by us"
    assert values.text(original[:-2] + "AA") == made, "the signature is over what is signed"


def test_an_encrypted_token_is_opaque() -> None:
    original = "eyJhbGciOiJSU0EifQ.abc1.def2.ghi3.jkl4"
    made = Walks().values.text(original)
    assert made.split(".")[0] == original.split(".", maxsplit=1)[0]
    assert [len(part) for part in made.split(".")] == [len(part) for part in original.split(".")]
    assert made != original


@pytest.mark.parametrize("cookie", [token({"a": 1}), "s%3Aabcdef.ghi%2Bjk", "0123456789abcdef", "abc"])
def test_a_cookie_is_opaque(cookie: str) -> None:
    made = Walks().values.cookie(None, cookie)
    assert made != cookie
    assert not set(made) & set('; ,"')


def test_layers_of_text_are_opened() -> None:
    values = Walks().values
    assert values.text('{"password": "hunter2"}') == f'{{"password": "{values.of_kind(Kind.PASSWORD, "hunter2")}"}}'
    assert values.text(' {"email":"a@b.com"} ') == f' {{"email":"{values.text("a@b.com")}"}} '
    assert "hunter2" not in values.text("a=1&password=hunter2")
    assert "hunter2" not in values.text("/login?password=hunter2")
    assert "hunter2" not in values.text("failed: password=hunter2 for x")
    assert "hunter2" not in values.text("open https://u:hunter2@h.com/ now")


def test_trusted_values_are_left_alone_in_every_spelling() -> None:
    values = Walks().values
    values.learning = True
    for kind, value in ((Kind.EMAIL, "anna@x.com"), (Kind.PAN, "4111111111111111"), (Kind.NAME, "Anna Smith")):
        assert values.of_kind(kind, value) == value
    values.learning = False
    values.forget()
    assert values.text("mail ANNA@x.com or 4111 1111 1111 1111") == "mail ANNA@x.com or 4111 1111 1111 1111"
    assert values.of_kind(Kind.NAME, "SMITH") == "SMITH"
    assert values.of_kind(Kind.NAME, "Smithers") != "Smithers"


@given(st.text(max_size=200))
def test_any_text_is_cleaned(text: str) -> None:
    values = Walks().values
    assert isinstance(values.text(text), str)
    for kind in Kind:
        if kind not in (Kind.JWT, Kind.URL):
            assert isinstance(values.of_kind(kind, text), str)


@pytest.mark.parametrize(("value", "kind"), [("jane@corp.com", Kind.EMAIL), ("Jane", Kind.SECRET), ("ok", Kind.SECRET)])
def test_what_nobody_names_goes_by_its_shape_or_as_a_secret(value: str, kind: Kind) -> None:
    values = Walks().values
    made = values.of_kind(Kind.UNNAMED, value)
    assert made != value
    if kind is Kind.EMAIL:
        assert made == values.of_kind(kind, value)
    assert values.of_kind(Kind.UNNAMED, "true") == "true"
    assert values.number(Kind.UNNAMED, "123456") == "123456"
    assert values.number(Kind.UNNAMED, "4539578763621486") == values.number(Kind.PAN, "4539578763621486")
