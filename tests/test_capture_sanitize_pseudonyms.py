import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.checks import card_brand, is_card, is_iban
from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.pseudonyms import Pseudonyms, canonical, placeholder
from seamline.capture.sanitize.shapes import Shapes
from support.sanitizing import KEY

OTHER = b"another key of the tests .......".ljust(32)


def made(kind: Kind, value: str) -> str:
    return Pseudonyms(KEY).of(kind, value)


VALUES = [
    (Kind.SECRET, "abcDEF123456"),
    (Kind.PASSWORD, "P@ss w0rd!"),
    (Kind.EMAIL, "anna.smith@gmail.com"),
    (Kind.PHONE, "+1 415 555 2671"),
    (Kind.PHONE, "+44 20 7946 0958"),
    (Kind.PHONE, "030/901820"),
    (Kind.PAN, "4111 1111 1111 1111"),
    (Kind.IBAN, "DE89 3704 0044 0532 0130 00"),
    (Kind.SSN, "123-45-6789"),
    (Kind.NAME, "Anna"),
    (Kind.STREET, "221B Baker Street"),
    (Kind.CITY, "London"),
    (Kind.POSTCODE, "NW1 6XE"),
    (Kind.BIRTH, "1980-12-31"),
    (Kind.NUMBER, "C01X00T47"),
    (Kind.HANDLE, "anna_s"),
]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_pseudonym_keeps_length_and_separators_and_depends_on_the_key(kind: Kind, value: str) -> None:
    one = made(kind, value)
    assert one == made(kind, value) != value
    assert len(one) == len(value)
    assert Pseudonyms(OTHER).of(kind, value) != one
    if kind is not Kind.EMAIL:
        assert re.sub(r"\w", "x", one) == re.sub(r"\w", "x", value)


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (Kind.EMAIL, ["anna.smith@gmail.com", "Anna.Smith@GMAIL.com", "ANNA.SMITH@GMAIL.COM"]),
        (Kind.PAN, ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111"]),
        (Kind.IBAN, ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"]),
        (Kind.SSN, ["123-45-6789", "123456789"]),
        (Kind.NAME, ["anna", "Anna", "ANNA"]),
        (Kind.HANDLE, ["annasmith", "AnnaSmith"]),
        (Kind.POSTCODE, ["NW1 6XE", "nw1 6xe"]),
    ],
)
def test_every_spelling_has_the_same_pseudonym_in_its_own_spelling(kind: Kind, spellings: list[str]) -> None:
    found = {canonical(kind, made(kind, spelling)) for spelling in spellings}
    assert len(found) == 1
    for spelling in spellings:
        assert made(kind, spelling).isupper() == spelling.isupper()


def test_a_phone_with_and_without_its_country_is_one() -> None:
    assert made(Kind.PHONE, "(415) 555-2671")[-4:] == made(Kind.PHONE, "+1 415-555-2671")[-4:]


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3566002020360505", "30569309025904",
     "6200000000000005"],
)  # fmt: skip
def test_a_card_becomes_a_card_of_the_same_brand_and_none_of_its_digits_tell(number: str) -> None:
    fake = made(Kind.PAN, number)
    assert is_card(fake)
    assert card_brand(fake) == card_brand(number)
    assert fake[-4:] != number[-4:]


def test_an_iban_becomes_a_right_one_of_its_country() -> None:
    fake = made(Kind.IBAN, "DE89370400440532013000")
    assert is_iban(fake)
    assert fake.startswith("DE")


@pytest.mark.parametrize("value", ["a@b.co", "anna@x.com", "Very.Long.Name@department.of.something.example.org"])
def test_an_email_ends_in_a_reserved_domain_and_is_still_one(value: str) -> None:
    fake = made(Kind.EMAIL, value)
    assert fake.endswith(".test") or fake.lower().endswith(".test")
    assert Shapes().is_email(fake)
    assert len(fake) == len(value) or len(value) < 16


def test_phones_are_reserved_or_impossible() -> None:
    assert re.fullmatch(r"\+1 [2-9]\d\d 555 01\d\d", made(Kind.PHONE, "+1 415 555 2671"))
    assert made(Kind.PHONE, "+44 20 7946 0958").startswith("+44 00 ")
    assert made(Kind.PHONE, "020 7946 0958").startswith("000 ")


def test_social_security_numbers_are_never_issued_ones() -> None:
    assert re.fullmatch(r"9\d\d-[1-4]\d-\d{4}", made(Kind.SSN, "123-45-6789"))


def test_a_uuid_stays_a_uuid_of_its_version() -> None:
    fake = made(Kind.SECRET, "550e8400-e29b-41d4-a716-446655440000")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", fake)


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("1980-12-31", r"198\d-(0[1-9]|1[0-2])-(0[1-9]|1[0-2])"),
        ("31/12/1980", r"(0[1-9]|1[0-2])/(0[1-9]|1[0-2])/198\d"),
        ("19801231", r"198\d(0[1-9]|1[0-2])([01]\d|2[0-8])"),
        ("1980-12-31T00:00:00Z", r"198\d-\d\d-\d\dT(0\d|1[0-2]):\d\d:\d\dZ"),
        ("3 Feb 1980", r"[1-9] Feb 198\d"),
    ],
)
def test_a_date_of_birth_stays_a_date_in_its_format_and_decade(value: str, pattern: str) -> None:
    for key in range(40):
        assert re.fullmatch(pattern, Pseudonyms(bytes([key]) * 32).of(Kind.BIRTH, value))


@pytest.mark.parametrize(
    ("value", "pattern"),
    [("8.8.8.8", r"198\.1[89]\.\d+\.\d+"), ("2a00:1450::1", r"2001:db8(:[0-9a-f]{1,4}){6}")],
)
def test_addresses_come_from_reserved_blocks(value: str, pattern: str) -> None:
    assert re.fullmatch(pattern, made(Kind.IP, value))


def test_a_private_key_keeps_its_armour() -> None:
    fake = made(Kind.PEM, "-----BEGIN PRIVATE KEY-----\nMIIEow==\n-----END PRIVATE KEY-----")
    assert re.fullmatch(r"-----BEGIN PRIVATE KEY-----\n[A-Z]{4}\w\w==\n-----END PRIVATE KEY-----", fake)
    assert "MIIEow" not in fake


@pytest.mark.parametrize(("value", "left"), [("123", "000"), ("12a", "***"), ("", "")])
def test_codes_that_must_not_be_kept_leave_a_placeholder(value: str, left: str) -> None:
    assert placeholder(value) == left
    assert Pseudonyms(KEY).of(Kind.DROP, value) == left


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Kind.EMAIL, "anna@x.com"), (Kind.PAN, "4111 1111 1111 1111"), (Kind.SSN, "123-45-6789")],
)
def test_what_this_key_made_is_recognised_and_nothing_else(kind: Kind, value: str) -> None:
    pseudonyms = Pseudonyms(KEY)
    assert not pseudonyms.is_ours(kind, value)
    assert pseudonyms.is_ours(kind, pseudonyms.of(kind, value))


def test_values_in_reserved_ranges_are_seldom_taken_for_ours() -> None:
    pseudonyms = Pseudonyms(KEY)
    assert sum(pseudonyms.is_ours(Kind.EMAIL, f"user{number}@acme.test") for number in range(2000)) < 20
    assert not any(pseudonyms.is_ours(Kind.EMAIL, f"user{number}@example.com") for number in range(50))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.EMAIL, [f"u{n}@x.com" for n in range(3000)]),
        (Kind.PHONE, [f"+1415555{n:04d}" for n in range(3000)]),
        (Kind.PAN, [f"41111111{n:08d}" for n in range(3000)]),
        (Kind.SECRET, [f"tok{n:05d}" for n in range(3000)]),
        (Kind.SSN, [f"12345{n:04d}" for n in range(3000)]),
    ],
)
def test_different_values_have_different_pseudonyms(kind: Kind, values: list[str]) -> None:
    pseudonyms = Pseudonyms(KEY)
    assert len({pseudonyms.of(kind, value) for value in values}) == len(values)


KINDS = [kind for kind in Kind if kind not in (Kind.JWT, Kind.URL)]


@given(st.sampled_from(KINDS), st.text(max_size=120))
def test_any_text_has_a_pseudonym(kind: Kind, value: str) -> None:
    assert isinstance(made(kind, value), str)
