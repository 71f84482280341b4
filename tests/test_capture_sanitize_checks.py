import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.checks import (
    IBAN_LENGTHS,
    card_brand,
    iban_check,
    is_card,
    is_iban,
    is_ssn,
    luhn_digit,
    luhn_sum,
)

# The networks' published test numbers.
CARDS = {
    "4111111111111111": "visa",
    "5555555555554444": "mastercard",
    "2223003122003222": "mastercard",
    "378282246310005": "amex",
    "6011111111111117": "discover",
    "3566002020360505": "jcb",
    "30569309025904": "diners",
    "6200000000000005": "unionpay",
}


@pytest.mark.parametrize(("number", "brand"), CARDS.items())
def test_published_test_cards_are_cards(number: str, brand: str) -> None:
    assert is_card(number)
    assert card_brand(number) == brand


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111112",
        "1730000000000",
        "1730000000000000",
        "4006381333931",
        "9999999999999995",
        "0000000000000000",
        "",
    ],
)
def test_other_digits_are_no_cards(number: str) -> None:
    assert not is_card(number)


@given(st.text("0123456789", min_size=1, max_size=18))
def test_the_check_digit_makes_the_sum_right_and_no_other_does(body: str) -> None:
    right = luhn_digit(body)
    assert [digit for digit in "0123456789" if luhn_sum(body + digit) % 10 == 0] == [right]


# Examples of the SWIFT registry.
@pytest.mark.parametrize(
    "text",
    ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NL91ABNA0417164300",
     "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
)  # fmt: skip
def test_published_ibans_are_ibans(text: str) -> None:
    assert is_iban(text)
    assert iban_check(text[:2], text[4:]) == text[2:4]
    assert not is_iban(text[:-1] + ("1" if text[-1] != "1" else "2"))
    assert not is_iban(text + "0")


@given(st.sampled_from(sorted(IBAN_LENGTHS)), st.data())
def test_a_made_iban_is_one(country: str, data: st.DataObject) -> None:
    size = IBAN_LENGTHS[country] - 4
    account = data.draw(st.text("0123456789ABCXYZ", min_size=size, max_size=size))
    assert is_iban(country + iban_check(country, account) + account)


@pytest.mark.parametrize(
    ("digits", "right"),
    [("123456789", True), ("000456789", False), ("666456789", False), ("912456789", False), ("123006789", False),
     ("123450000", False), ("12345678", False)],
)  # fmt: skip
def test_social_security_numbers(digits: str, right: bool) -> None:
    assert is_ssn(digits) is right
