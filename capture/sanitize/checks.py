"""Checksums and tables that tell a real number of some kind from a run of digits.

Sources: ISO/IEC 7812-1 annex B (Luhn), ISO 13616 (IBAN, mod 97 and the lengths of its registry, release 99), the
networks' published issuer ranges, SSA's rules for social security numbers since 2011.
"""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
        21: "HR LV LI CH", 22: "BH BG CR GE DE IE ME RS GB VA", 23: "GI IL TL AE IQ OM SO",
        24: "AD CZ MD PK RO SA SK ES SE TN VG", 25: "PT ST LY", 26: "IS TR",
        27: "FR GR IT MR MC SM BI DJ", 28: "AL AZ CY DO GT HU LB PL SV BY NI", 29: "BR PS QA UA EG",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def luhn_sum(digits: str) -> int:
    """The Luhn sum of `digits`, whose last one is the check digit; a multiple of 10 where it is right."""
    total = sum(map(int, digits[-1::-2]))
    return total + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])


def luhn_digit(body: str) -> str:
    """The check digit that completes `body`."""
    return str(-luhn_sum(body + "0") % 10)


def card_brand(digits: str) -> str | None:
    """The network that issues numbers of this prefix and length, or None. Nothing of Luhn here.

    13 and 19 digits that begin with 4 are left out: Visa has not issued the former for decades nor widely the
    latter, and barcodes (EAN-13) and 64-bit ids look the same.
    """
    size, two, four = len(digits), int(digits[:2] or 0), int(digits[:4] or 0)
    if size == 16 and digits[0] == "4":
        return "visa"
    if size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720):
        return "mastercard"
    if size == 15 and two in (34, 37):
        return "amex"
    if size == 16 and (four == 6011 or two == 65 or 644 <= int(digits[:3]) <= 649):
        return "discover"
    if size == 16 and 3528 <= four <= 3589:
        return "jcb"
    if size == 14 and (two in (36, 38, 39) or 300 <= int(digits[:3]) <= 305):
        return "diners"
    if 16 <= size <= 19 and two == 62:
        return "unionpay"
    if 16 <= size <= 19 and four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763):
        return "maestro"
    return None


def is_card(digits: str) -> bool:
    """Whether `digits` are a payment card's number: length, known issuer range, Luhn."""
    return 14 <= len(digits) <= 19 and card_brand(digits) is not None and luhn_sum(digits) % 10 == 0


def _mod_97(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text)) % 97


def is_iban(text: str) -> bool:
    """Whether `text` (no spaces, upper case) is an IBAN: a country's length and a right check."""
    return IBAN_LENGTHS.get(text[:2]) == len(text) and _mod_97(text[4:] + text[:4]) == 1


def iban_check(country: str, account: str) -> str:
    """The two check digits of the IBAN of `country` with that account part."""
    return f"{98 - _mod_97(account + country + '00'):02d}"


def is_ssn(digits: str) -> bool:
    """Whether nine `digits` can be a social security number: area not 000, 666 or 9xx, no part all zeros."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return len(digits) == 9 and area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"
