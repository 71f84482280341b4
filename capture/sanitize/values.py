"""One value: what replaces it, given what its key or its shape says.

Two rules hold here. A value known to be a pseudonym (trusted, or tagged as ours) is left alone. A sensitive key is
not enough where the value cannot be what the key says: `token: true`, `phone: "mobile"` and `email: "weekly"` stay.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote

import orjson

from .checks import is_card
from .kinds import Kind
from .pseudonyms import Pseudonyms, canonical
from .shapes import Shapes, suspicious
from .splice import Edit, Spans, spliced

MAX_TRUSTED = 400_000
_MAX_KNOWN = 50_000
_MAX_KNOWN_LENGTH = 2_000  # characters of a text worth remembering
_SHORTEST_SHAPE = 6  # characters: a@b.co
_SHORTEST_CARD = 14  # digits
_NOTHING = frozenset(
    {"", "none", "null", "nil", "undefined", "unknown", "n/a", "na", "-", "true", "false", "yes", "no"}
)
_MASK = re.compile(r"[*•]+|\[?(?:redacted|filtered|hidden|masked)\]?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_OPENERS = frozenset("{[ \t\r\n")  # what a document within a string can begin with
_IP = re.compile(r"(\d+\.\d+\.\d+\.\d+|\[[^\]]+\])(:\d+)?")
_SHORT_WORD = re.compile(r"[A-Za-z]{1,5}")
_SCHEME = re.compile(r"(Bearer|Basic|Token|Digest|ApiKey|Negotiate|NTLM)( +)(\S.*)", re.IGNORECASE)
_DIGIT_KINDS = frozenset({Kind.PHONE, Kind.PAN, Kind.SSN, Kind.IBAN, Kind.POSTCODE, Kind.NUMBER, Kind.BIRTH})
_CHECKED = frozenset({Kind.EMAIL, Kind.PAN, Kind.IBAN, Kind.JWT, Kind.PEM})


class Values:
    """Replaces values, and remembers what it said.

    The walks that need this class are plugged into it: `nested` cleans text that is a document itself (or says None),
    `claims` those of a token, `url` a URL, `cookies` a list of them, and `pairs` finds `key=value` in text.
    """

    __slots__ = (
        "_known", "_of_kind", "_pseudonyms", "_shapes", "claims", "cookies", "learning", "nested", "pairs", "trusted",
        "url",
    )  # fmt: skip

    def __init__(self, pseudonyms: Pseudonyms, shapes: Shapes) -> None:
        self._pseudonyms = pseudonyms
        self._shapes = shapes
        self._known: dict[str, str] = {}
        self._of_kind: dict[tuple[Kind, str], str] = {}
        self.trusted: set[str] = set()
        self.learning = False
        """While set, values at sensitive places are remembered as pseudonyms instead of being replaced."""
        self.nested: Callable[[str], str | None] = _not_nested
        self.url: Callable[[str], str] = _same
        self.cookies: Callable[[str], str] | None = None
        self.claims: Callable[[str], str | None] = _not_nested
        self.pairs: Callable[[str], Iterable[Edit]] = _no_edits

    @property
    def has_own(self) -> bool:
        """Whether the project has patterns of its own."""
        return self._shapes.has_own

    def forget(self) -> None:
        """Drop what was remembered for speed; needed when more values became trusted."""
        self._known.clear()
        self._of_kind.clear()

    def may_hold(self, text: str) -> bool:
        """Whether `text` may hold anything for `text()` to replace, in any layer: cheap, never wrong in saying no.

        A document within a JSON string shows by its backslashes, or has digits alone and is suspicious by itself.
        """
        return (
            "@" in text
            or "=" in text
            or "\\" in text
            or "://" in text
            or "assword" in text
            or '";s:' in text
            or suspicious(text)
            or self._shapes.has_own
        )

    def text(self, value: str) -> str:
        """`value` with what is sensitive by shape replaced, in any layer of it."""
        if len(value) < _SHORTEST_SHAPE:
            return value
        known = self._known.get(value)
        if known is not None:
            return known
        made = self._scan(value) if self.may_hold(value) or value[:1] in _OPENERS else value
        if not self.learning and len(value) <= _MAX_KNOWN_LENGTH:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[value] = made
        return made

    def of_kind(self, kind: Kind, value: str) -> str:
        """What replaces the text `value` under a key of `kind`."""
        known = self._of_kind.get((kind, value))
        if known is not None:
            return known
        made = self._judged(kind, value)
        if not self.learning and len(value) <= _MAX_KNOWN_LENGTH:
            if len(self._of_kind) >= _MAX_KNOWN:
                self._of_kind.clear()
            self._of_kind[kind, value] = made
        return made

    def _judged(self, kind: Kind, value: str) -> str:
        if kind is Kind.PASSWORD or kind is Kind.DROP:
            return value if not value or _MASK.fullmatch(value) else self._replaced(kind, value)
        if kind is Kind.EMAIL and self._shapes.is_email(value):
            return self._replaced(kind, value)
        if value.strip().lower() in _NOTHING or _MASK.fullmatch(value):
            return value
        if kind is Kind.UNNAMED:
            return self._unnamed(value)
        bare = value.strip()
        shape = self._shapes.whole(bare)
        if shape is not None and shape in _CHECKED:
            return value.replace(bare, self._replaced(shape, bare))
        if kind in _DIGIT_KINDS and not any(map(str.isdigit, value)):
            return value
        return self._by_kind(kind, value)

    def _unnamed(self, value: str) -> str:
        """Nobody says what it is: what shows by its shape goes by that, anything else is a secret."""
        shape = self._shapes.whole(value.strip())
        if shape is not None:
            return value.replace(value.strip(), self._replaced(shape, value.strip()))
        made = self.text(value) if "://" in value else value
        return made if made != value else self._replaced(Kind.SECRET, value)

    def number(self, kind: Kind, raw: str) -> str:
        """What replaces the number `raw` (its JSON spelling) under a key of `kind`: a number of as many digits."""
        digits = raw.lstrip("-")
        if kind is Kind.UNNAMED:
            return self.number(Kind.PAN, raw) if len(raw) >= _SHORTEST_CARD and is_card(raw) else raw
        if kind in (Kind.SECRET, Kind.HANDLE) and len(digits) < 5:
            return raw  # a count or an id, no credential
        if kind in (Kind.STREET, Kind.NAME, Kind.CITY, Kind.IP, Kind.EMAIL):
            return raw
        if kind is Kind.DROP:
            return "1" + "0" * (len(raw) - 1) if raw.isdigit() else "1"
        made = self._replaced(kind, digits) if digits.isdigit() else digits
        if not digits.isdigit() or "e" in made.lower():
            return self._odd_number(kind, raw)
        sign = raw[: len(raw) - len(digits)]
        return sign + ("1" + made[1:] if made[0] == "0" and len(made) > 1 else made)

    def credential(self, value: str) -> str:
        """What replaces an `Authorization` value: the scheme stays."""
        match = _SCHEME.fullmatch(value)
        if match is None:
            return self._replaced(Kind.SECRET, value) if value else value
        scheme, space, rest = match[1], match[2], match[3]
        if scheme.lower() == "basic":
            return f"{scheme}{space}{self._basic(rest)}"
        shape = self._shapes.whole(rest)
        return f"{scheme}{space}{self._replaced(Kind.JWT if shape is Kind.JWT else Kind.SECRET, rest)}"

    def cookie(self, kind: Kind | None, value: str) -> str:
        """What replaces a cookie's `value`: by its name where that says something, else as a secret."""
        if kind is not None and kind is not Kind.SECRET:
            return self.of_kind(kind, value)
        plain = unquote(value) if "%" in value else value
        made = self.text(plain) if self._shapes.whole(plain) in _CHECKED else self._replaced(Kind.SECRET, plain)
        return value if made == plain else quote(made, safe="@:/+,!=") if plain != value else made

    def _odd_number(self, kind: Kind, raw: str) -> str:
        """A fraction or a power: each digit but the first is replaced, so that it stays a number."""
        whole, dot, fraction = raw.partition(".")
        if not dot or "e" in raw.lower():
            return "0"
        return f"{self.number(kind, whole)}{dot}{self._replaced(Kind.NUMBER, fraction)}"

    def _by_kind(self, kind: Kind, value: str) -> str:
        if kind is Kind.SECRET:
            return self._secret(value)
        if kind is Kind.COOKIE:
            return self.cookies(value) if self.cookies and "=" in value else self._replaced(Kind.SECRET, value)
        if kind is Kind.EMAIL:
            return self._email(value)
        if kind is Kind.IP:
            return ", ".join(map(self._ip, re.split(r", *", value)))
        if kind is Kind.PHONE and sum(map(str.isdigit, value)) < 5:
            return value
        if kind is Kind.STREET and not _is_street(value):
            return self.text(value)
        if kind is Kind.NAME:
            return self._name(value)
        return self._replaced(kind, value)

    def _secret(self, value: str) -> str:
        if _SHORT_WORD.fullmatch(value):
            return value
        if "://" in value:  # a connection string: the place stays, the credential in it goes
            made = self.text(value)
            if made != value:
                return made
        return self.credential(value) if _SCHEME.fullmatch(value) else self._replaced(Kind.SECRET, value)

    def _email(self, value: str) -> str:
        if "@" in value:
            made = self.text(value)
            return made if made != value or self.learning else self._unless_known(value)
        return value if value.isalpha() and value.isascii() else self._replaced(Kind.SECRET, value)

    def _unless_known(self, value: str) -> str:
        """`value` holds an "@" and nothing of it was replaced: because it is ours, or because it is too odd."""
        if self._shapes.spans(value):
            return value
        return self._replaced(Kind.SECRET, value)

    def _name(self, value: str) -> str:
        """A full name is its words' pseudonyms, so that it fits the first and the last name beside it."""
        return _WORD.sub(lambda match: self._replaced(Kind.NAME, match.group()), value)

    def _ip(self, value: str) -> str:
        match = _IP.fullmatch(value.strip())
        bare, port = (match[1], match[2] or "") if match else (value.strip(), "")
        try:
            address = ipaddress.ip_address(bare.strip("[]"))
        except ValueError:
            return value
        # Loopback, private and link-local addresses are infrastructure's and name nobody. 198.18/15 is what we make.
        if address.is_loopback or address.is_link_local or address.is_unspecified or _is_internal(address):
            return value
        made = self._replaced(Kind.IP, bare.strip("[]"))
        return f"[{made}]{port}" if bare.startswith("[") else f"{made}{port}"

    def _basic(self, encoded: str) -> str:
        """`user:password` in Base64, each with its own pseudonym; what does not decode is replaced whole."""
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return self._replaced(Kind.SECRET, encoded)
        made = f"{self.of_kind(Kind.HANDLE, user)}{colon}{self.of_kind(Kind.PASSWORD, password)}"
        return base64.b64encode(made.encode()).decode()

    def _scan(self, value: str) -> str:
        inner = self.nested(value)
        if inner is not None:
            return inner
        return self.scan(value, self.pairs(value))

    def scan(self, text: str, pairs: Iterable[Edit], whole: Iterable[Edit] = ()) -> str:
        """`text` with edits made, and with what is sensitive by shape replaced everywhere else.

        Where edits meet, `whole` documents and elements go first, then URLs (which have their own pairs), then
        `pairs`, then shapes.
        """
        taken = Spans()
        kept = [edit for edit in whole if taken.claim(edit[0], edit[1])]
        if "://" in text:
            kept += self._claimed(text, self._shapes.urls(text), taken)
        kept += (edit for edit in pairs if taken.claim(edit[0], edit[1]))
        if suspicious(text) or self._shapes.has_own:
            kept += self._claimed(text, self._shapes.all(text), taken)
        return spliced(text, sorted(kept))

    def _claimed(self, text: str, spans: Iterable[tuple[int, int, Kind]], taken: Spans) -> list[Edit]:
        """The edits of those `spans` that meet nothing taken before."""
        return [
            (start, end, self._replaced(kind, text[start:end])) for start, end, kind in spans if taken.claim(start, end)
        ]

    def _replaced(self, kind: Kind, value: str) -> str:
        """The pseudonym of `value`, unless it is one already."""
        if kind is Kind.URL:
            return self.url(value)
        if kind is Kind.DROP:
            return self._pseudonyms.of(kind, value)
        base = canonical(kind, value)
        if self.learning:
            if kind is Kind.JWT:
                self._claims(value.split(".")[1])
            if len(self.trusted) < MAX_TRUSTED:
                self.trusted.add(base)
            return value
        if base in self.trusted or self._pseudonyms.is_ours(kind, value):
            return value
        return self._token(value) if kind is Kind.JWT else self._pseudonyms.of(kind, value)

    def _token(self, value: str) -> str:
        """A signed token: its claims are cleaned like any document, and it is signed anew under our key."""
        head, *rest = value.split(".")
        if len(rest) != 2:
            return f"{head}.{self._pseudonyms.of(Kind.SECRET, '.'.join(rest))}"
        claims = self._claims(rest[0])
        if claims is None:
            return self._pseudonyms.of(Kind.SECRET, value)
        signed = f"{head}.{claims}"
        return f"{signed}.{self._pseudonyms.signature(signed, len(rest[1]))}"

    def _claims(self, encoded: str) -> str | None:
        try:
            raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
            orjson.loads(raw)
        except ValueError:
            return None
        text = raw.decode()
        cleaned = self.claims(text)
        if cleaned is None or cleaned == text:
            return encoded
        return base64.urlsafe_b64encode(cleaned.encode()).decode().rstrip("=")


def _is_street(value: str) -> bool:
    if any(character.isspace() for character in value.strip()):
        return any(map(str.isalpha, value))
    return value.isalpha() and len(value) > 3


def _is_internal(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Private by RFC 1918, 4193, 6598, or of the range that pseudonyms come from; documentation ranges are not."""
    return any(address.version == net.version and address in net for net in _INTERNAL)


_INTERNAL = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "198.18.0.0/15",
            "2001:db8::/32",
        ),
    )
)


def _not_nested(_: str) -> str | None:
    return None


def _same(text: str) -> str:
    return text


def _no_edits(_: str) -> Iterable[Edit]:
    return ()
