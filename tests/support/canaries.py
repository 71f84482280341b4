"""Values that must not reach a disk, and the search for them in whatever a capture would hold."""

import base64
import gzip
import json
import pickle
import re
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Role
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.store.records import pack_exchange, unpack_exchange
from seamline.capture.wire.call import Call
from support.sanitizing import KEY, token

FIRST, LAST = "Jadwiga", "Quellenhorst"
NAME = f"{FIRST} {LAST}"
EMAIL = "jadwiga.quellenhorst@kanarek-bank.com"
PHONE = "+4915112348765"
CARD = "4539578763621486"
IBAN = "DE89370400440532013000"
JWT = token({"sub": "17", "email": EMAIL, "name": NAME}, b"kanarek signature 0123456789abcd")
API_KEY = "sk_live_51KanarekVogel0815TweetX"
PASSWORD = "Kanari&Vogel#1957"
SESSION = "c4a7a51e9f86d081884c7d659a2feaa0"
OPAQUE = "kJ8sXq2ZtR0vB5nM1cLwY7"
"""A session's id that is no hexadecimal."""
RESET = "rst-7Qm2Xv9Lp4Kd8Zt1"
SECRET_BYTES = bytes.fromhex("fe01c0de8badf00d5eedcafe9911aa77")

ALL = {
    "name": NAME, "first": FIRST, "last": LAST, "email": EMAIL, "phone": PHONE, "card": CARD, "iban": IBAN, "jwt": JWT,
    "api key": API_KEY, "password": PASSWORD, "session": SESSION, "opaque": OPAQUE, "reset": RESET,
}  # fmt: skip

PERSON = {
    "name": NAME, "first_name": FIRST, "email": EMAIL, "phone": PHONE, "iban": IBAN, "password": PASSWORD,
    "card": {"number": CARD}, "access_token": JWT, "api_key": API_KEY, "note": f"wrote from {EMAIL}",
    "inner": json.dumps({"email": EMAIL, "session_id": SESSION, "deep": json.dumps({"password": PASSWORD})}),
}  # fmt: skip
"""Everything about one person, with documents in texts."""

DOCUMENT = json.dumps(PERSON)
PICKLED = pickle.dumps(PERSON)
GZIPPED = gzip.compress(DOCUMENT.encode())
DEFLATED = zlib.compress(DOCUMENT.encode())


def cleaned(exchanges: Iterable[Exchange], sanitizer: Sanitizer | None = None) -> list[Exchange]:
    """The exchanges as a capture would hold them: cleaned, packed and read again."""
    sanitizer = sanitizer or Sanitizer(KEY)
    made = [sanitizer.clean(each) for each in exchanges]
    assert made, "nothing was recorded"
    for each in made:
        assert_clean(each)
        replaying = Sanitizer(KEY)
        replaying.trust(each)
        again = replaying.clean(each)
        assert again == each, f"{again.request} {again.response} is no longer {each.request} {each.response}"
    return [unpack_exchange(pack_exchange(each)) for each in made]


def as_exchanges(calls: Iterable[Call], protocol: str) -> list[Exchange]:
    """A decoder's calls as a tap hands them on."""
    made = []
    for seq, call in enumerate(calls, 1):
        call.exchange_id, call.seq, call.session = f"t-{seq}", seq, "s-1"
        made.append(call.exchange(Role.OUTBOUND, "svc", protocol))
    return made


def assert_clean(exchange: Exchange) -> None:
    """No canary stands in the record of `exchange`, in any spelling, nor below a compression."""
    found = sorted(set(leaks(pack_exchange(exchange))) | {leak for part in _opened(exchange) for leak in leaks(part)})
    assert not found, f"{found} in {exchange.request} {exchange.response}"


def leaks(raw: bytes) -> Iterator[str]:
    """The canaries in `raw`, each with the spelling in which it stands."""
    for name, spelling, needle in _NEEDLES:
        if needle in raw:
            yield f"{name} ({spelling})"


def texts(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _opened(exchange: Exchange) -> Iterator[bytes]:
    """What is compressed or in Base64 or in hexadecimal, unpacked."""
    bodies = [exchange.request.body, exchange.request.arguments.encode()]
    if exchange.response is not None:
        bodies.append(exchange.response.body)
    for body in bodies:
        for match in re.finditer(rb"\x1f\x8b|\x78\x9c", body):
            try:
                yield zlib.decompressobj(47).decompress(body[match.start() :])
            except zlib.error:
                continue
        for word in body.replace(b"\\", b'"').split(b'"'):
            yield from _decoded(word)


def _decoded(word: bytes) -> Iterator[bytes]:
    for decode in (
        lambda: bytes.fromhex(word.removeprefix(b"x").decode()),
        lambda: base64.b64decode(word, validate=True),
    ):
        try:
            plain = decode()
        except ValueError:
            continue
        yield plain
        try:
            yield zlib.decompressobj(47).decompress(plain)
        except zlib.error:
            continue


def _spellings(value: str | bytes) -> Iterator[tuple[str, bytes]]:
    raw = value if isinstance(value, bytes) else value.encode()
    yield "plain", raw
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for shift in range(3):
        # In the middle of something longer the alphabet's six bits fall differently.
        coded = base64.b64encode(b"\0" * shift + raw)
        core = coded[-(-shift * 8 // 6) + (1 if shift else 0) : len(coded) - 4]
        yield f"base64+{shift}", core
        yield f"base64url+{shift}", core.replace(b"+", b"-").replace(b"/", b"_")
    if isinstance(value, str):
        yield "percent", quote(value, safe="").encode()
        yield "form", quote_plus(value).encode()
        yield "utf-16-le", value.encode("utf-16-le")
        yield "utf-16-be", value.encode("utf-16-be")
        yield "json", json.dumps(value)[1:-1].encode()
        yield "upper case", value.upper().encode()


_NEEDLES = sorted(
    {
        (name, spelling, needle)
        for name, value in {**ALL, "bytes": SECRET_BYTES}.items()
        for spelling, needle in _spellings(value)
        if len(needle) >= 6
    },
    key=lambda each: each[2],
)
