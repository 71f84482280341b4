"""Pseudonyms: value → stand-in of the same type, shape and spelling, by a keyed hash of kind and canonical value.

Three rules hold here. The same value gives the same pseudonym wherever and however it is spelled. Nothing of the
value but its shape crosses into the pseudonym. A pseudonym that can be recognised (an e-mail address, a card, a
signed token) carries a keyed tag, so that only what this key made is ever taken for one.
"""

import base64
import re
from collections.abc import Callable

from .checks import card_brand, iban_check, is_card, luhn_digit
from .keyed import KeyedHash, lengthened
from .kinds import Kind
from .spelling import letters_like, mapped, respell, with_digits

_MAX_KNOWN = 50_000
_EMAIL_RANDOM = 8  # characters below which an address could meet another by chance
_TAG = 2  # characters of a tag in an e-mail address, digits of one in a card number
_MAX_ATTEMPTS = 8
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NON_DIGIT = re.compile(r"\D+")
_NUMBER_KINDS = frozenset({Kind.PHONE, Kind.PAN, Kind.SSN})
_LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"

# Published test prefixes of the networks, so that a brand check still passes and no such card exists.
_TEST_PREFIX = {
    "visa": "400000", "mastercard": "520082", "amex": "371449", "discover": "601111", "jcb": "356600",
    "diners": "385200", "unionpay": "620000", "maestro": "676277",
}  # fmt: skip


def canonical(kind: Kind, value: str) -> str:
    """`value` as every spelling of it is hashed: e-mail in lower case, cards and phones as digits, names folded."""
    if kind in _NUMBER_KINDS:
        digits = _NON_DIGIT.sub("", value)
        if kind is Kind.PHONE:
            return _canonical_phone(digits)
        return digits or value
    if kind is Kind.IBAN:
        return re.sub(r"[\s-]", "", value).upper()
    if kind is Kind.EMAIL:
        return value.lower()
    if kind in (Kind.NAME, Kind.STREET, Kind.CITY):
        return " ".join(value.casefold().split())
    if kind in (Kind.POSTCODE, Kind.HANDLE):
        return value.casefold()
    return value


def _canonical_phone(digits: str) -> str:
    digits = digits.removeprefix("00")
    return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits


class Pseudonyms:
    """Makes pseudonyms under one project key, and remembers them for speed and to keep them distinct.

    Two values whose pseudonyms meet by chance (few phone numbers are reserved for fiction) are told apart by a
    second try; so such a pair, and no other, depends on the order in which it was seen.
    """

    __slots__ = ("_hash", "_known", "_makers", "_taken")

    def __init__(self, key: bytes) -> None:
        self._hash = KeyedHash(key)
        self._known: dict[tuple[Kind, str], str] = {}
        self._taken: dict[tuple[Kind, str], str] = {}
        self._makers: dict[Kind, Callable[[str, bytes], str]] = {
            Kind.EMAIL: self._email,
            Kind.PAN: self._card,
            Kind.PHONE: _phone,
            Kind.IBAN: _iban,
            Kind.SSN: _ssn,
            Kind.BIRTH: _birth,
            Kind.IP: _address,
            Kind.NAME: letters_like,
            Kind.STREET: letters_like,
            Kind.CITY: letters_like,
            Kind.POSTCODE: _folded,
            Kind.HANDLE: _folded,
        }

    def of(self, kind: Kind, value: str) -> str:
        """The pseudonym of `value`, in its spelling."""
        known = self._known.get((kind, value))
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[kind, value] = self._make(kind, value)
        return known

    def is_ours(self, kind: Kind, value: str) -> bool:
        """Whether this key made `value`, for the kinds whose pseudonyms carry a tag."""
        if kind is Kind.EMAIL:
            address = value.lower()
            return address.endswith(".test") and len(address) > 6 + _TAG and self._is_tagged_email(address)
        if kind is Kind.PAN:
            digits = _NON_DIGIT.sub("", value)
            return digits[:6] in _TEST_PREFIX.values() and is_card(digits) and self._is_tagged_card(digits)
        if kind is Kind.SSN:
            digits = _NON_DIGIT.sub("", value)
            # 9xx with a group below 50 is neither a social security number nor a taxpayer number (IRS, ITIN ranges).
            return len(digits) == 9 and digits[0] == "9" and "10" <= digits[3:5] <= "49"
        return False

    def signature(self, signed: str, length: int) -> str:
        """The signature under this key of a token's `signed` part, Base64 of `length` characters."""
        stream = lengthened(self._hash.stream("signature", signed), length)
        return base64.urlsafe_b64encode(stream[: -(-length * 3 // 4)]).decode()[:length]

    def _make(self, kind: Kind, value: str) -> str:
        if kind is Kind.DROP:
            return placeholder(value)
        if kind is Kind.PEM:
            return _pem(value, self._hash.stream(kind, value))
        return self._distinct(kind, value)

    def _distinct(self, kind: Kind, value: str) -> str:
        base = canonical(kind, value)
        maker = self._makers.get(kind, opaque)
        domain = Kind.SECRET if maker is opaque or kind is Kind.HANDLE else kind
        made = value
        for attempt in range(_MAX_ATTEMPTS):
            made = maker(value, self._hash.stream(domain, base, attempt))
            if canonical(kind, made) == base:
                continue
            owner = self._owner(domain, canonical(kind, made), base)
            if owner == base:
                return made
        return made

    def _owner(self, kind: Kind, made: str, base: str) -> str:
        if len(self._taken) >= _MAX_KNOWN:
            self._taken.clear()
        return self._taken.setdefault((kind, made), base)

    def _email(self, value: str, stream: bytes) -> str:
        """`local@label.test` of the same length, the last two characters of the label being the tag."""
        stream = lengthened(stream, 128)
        local, _, domain = value.rpartition("@")
        label = max(len(domain) - len(".test"), _TAG)
        wanted = max(len(local), _EMAIL_RANDOM + _TAG - label, 1)
        shape = local[:wanted].ljust(wanted, "a")
        made = mapped(shape.lower(), stream, _LETTERS_AND_DIGITS)
        tail = "".join(_LETTERS_AND_DIGITS[byte % 26] for byte in stream[64 : 64 + min(label - _TAG, 60)])
        head = f"{made}@{tail}"
        address = f"{head}{self._email_tag(head)}.test"
        if value.isupper():
            return address.upper()
        return respell(made, local) + address[len(made) :] if len(made) == len(local) else address

    def _email_tag(self, head: str) -> str:
        return "".join(_LETTERS_AND_DIGITS[byte % 36] for byte in self._hash.stream("email tag", head)[:_TAG])

    def _is_tagged_email(self, address: str) -> bool:
        head = address.removesuffix(".test")
        return self._email_tag(head[:-_TAG]) == head[-_TAG:]

    def _card(self, value: str, stream: bytes) -> str:
        digits = _NON_DIGIT.sub("", value)
        if len(digits) < 12:
            return mapped(value, stream)
        prefix = _TEST_PREFIX.get(card_brand(digits) or "", "400000")
        count = len(digits) - len(prefix) - _TAG - 1
        body = prefix + "".join(str(byte % 10) for byte in stream[:count])
        body += self._card_tag(body)
        return with_digits(value, body + luhn_digit(body))

    def _card_tag(self, body: str) -> str:
        return "".join(str(byte % 10) for byte in self._hash.stream("card tag", body)[:_TAG])

    def _is_tagged_card(self, digits: str) -> bool:
        body = digits[: -_TAG - 1]
        return self._card_tag(body) == digits[-_TAG - 1 : -1]


def placeholder(value: str) -> str:
    """What is left of a value that must not be kept in any form: zeros for digits, else asterisks."""
    return "0" * len(value) if value.isdecimal() else "*" * len(value)


def opaque(value: str, stream: bytes) -> str:
    """Text of the same length and character classes. A UUID stays one of its version and variant."""
    made = mapped(value, stream)
    if _UUID.fullmatch(value):
        return made[:14] + value[14] + made[15:19] + value[19] + made[20:]
    return made


def _folded(value: str, stream: bytes) -> str:
    """Opaque, the same for either case and in the case of `value`."""
    return respell(mapped(value.lower(), stream), value) if len(value.lower()) == len(value) else mapped(value, stream)


def _phone(value: str, stream: bytes) -> str:
    """A number of a reserved or impossible range: NANP 555-01xx, elsewhere a national part that begins with 00."""
    digits = _NON_DIGIT.sub("", value)
    if len(digits) < 5:
        return mapped(value, stream)
    ten = _canonical_phone(digits)
    foreign = value.lstrip().startswith("+") and digits[0] != "1"
    if len(ten) == 10 and not foreign and ten[0] in "23456789":
        area = f"{2 + stream[0] % 8}{stream[1] % 9}{stream[2] % 10}"
        if area[1:] == "11":
            area = f"{area[0]}12"
        made = f"{area}55501{stream[3] % 100:02d}"
        return with_digits(value, digits[: len(digits) - 10] + made)
    kept = 2 if foreign or len(digits) > 11 else 1
    if digits.startswith("00"):
        kept = 4
    rest = "".join(str(byte % 10) for byte in stream[: len(digits)])
    return with_digits(value, (digits[:kept] + "00" + rest)[: len(digits)])


def _iban(value: str, stream: bytes) -> str:
    text = canonical(Kind.IBAN, value)
    if len(text) < 8:
        return mapped(value, stream)
    account = mapped(text[4:].lower(), stream).upper()
    whole = text[:2] + iban_check(text[:2], account) + account if text[:2].isalpha() and text[2:].isalnum() else ""
    if not whole or not text.isascii():
        return mapped(value, stream)
    characters = iter(whole)
    return respell("".join(next(characters) if c.isalnum() else c for c in value), value)


def _ssn(value: str, stream: bytes) -> str:
    digits = _NON_DIGIT.sub("", value)
    if len(digits) != 9:
        return mapped(value, stream)
    serial = 1 + int.from_bytes(stream[4:8]) % 9999
    return with_digits(value, f"9{int.from_bytes(stream[:2]) % 100:02d}{10 + stream[2] % 40}{serial:04d}")


def _birth(value: str, stream: bytes) -> str:
    """A date in the same format and decade, day and month both up to 12, so that either order reads."""
    stream = lengthened(stream, len(value))

    def part(match: re.Match[str]) -> str:
        text, byte = match.group(), stream[match.start()]
        if len(text) == 8 and text[:2] in ("18", "19", "20"):
            return f"{text[:3]}{byte % 10}{1 + stream[-1] % 12:02d}{1 + stream[-2] % 28:02d}"
        if len(text) == 4:
            return f"{text[:3]}{byte % 10}"
        if len(text) <= 2:
            return f"{1 + byte % (12 if len(text) == 2 else 9):0{len(text)}d}"
        return mapped(text, stream)

    return re.sub(r"[0-9]+", part, value)


def _address(value: str, stream: bytes) -> str:
    """IPv4 → 198.18.0.0/15 (RFC 2544, benchmarking), IPv6 → 2001:db8::/32 (RFC 3849)."""
    if ":" in value:
        groups = [f"{int.from_bytes(stream[i : i + 2]):x}" for i in range(0, 12, 2)]
        return "2001:db8:" + ":".join(groups)
    return f"198.{18 + stream[0] % 2}.{stream[1]}.{stream[2]}"


def _pem(value: str, stream: bytes) -> str:
    head, tail = value.find("-----", 5) + 5, value.rfind("-----END")
    if head < 5 or tail < head:
        return mapped(value, stream)
    return value[:head] + mapped(value[head:tail], stream) + value[tail:]
