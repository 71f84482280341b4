"""What a sensitive value can be. The kind chooses how its pseudonym is made and how it is canonicalised."""

from enum import StrEnum


class Kind(StrEnum):
    """A class of sensitive values."""

    # Credentials, tokens, session ids: opaque, same length, same character classes.
    SECRET = "secret"  # noqa: S105 -- the word, not one
    UNNAMED = "unnamed"  # anything, because nobody says what: by its shape, else as SECRET, short words too
    # As SECRET, but never mistaken for a harmless short word.
    PASSWORD = "password"  # noqa: S105 -- the word, not one
    DROP = "drop"  # card security codes, PINs, one-time codes: a placeholder, never a pseudonym (PCI DSS 3.3.1)
    EMAIL = "email"
    PHONE = "phone"
    PAN = "pan"  # a payment card's number
    IBAN = "iban"
    SSN = "ssn"  # United States social security number
    JWT = "jwt"
    NAME = "name"  # of a person
    STREET = "street"
    CITY = "city"
    POSTCODE = "postcode"
    BIRTH = "birth"  # a date of birth
    NUMBER = "number"  # passport, licence, account, tax number …: digits and letters of the same classes
    HANDLE = "handle"  # a login name
    IP = "ip"
    PEM = "pem"  # a private key in PEM armour
    COOKIE = "cookie"  # pairs whose values are secrets
    URL = "url"  # no secret itself: its parts are judged one by one
