"""Exchanges to be cleaned, and the values planted in them."""

import base64
import json
from collections.abc import Iterable

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.capture.sanitize.cookies import Cookies
from seamline.capture.sanitize.json_body import JsonWalker
from seamline.capture.sanitize.layers import Layers
from seamline.capture.sanitize.pairs import Pairs
from seamline.capture.sanitize.pseudonyms import Pseudonyms
from seamline.capture.sanitize.rules import Rules
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.sanitize.shapes import Shapes
from seamline.capture.sanitize.text_body import TextBody
from seamline.capture.sanitize.tokens import KeyClassifier
from seamline.capture.sanitize.urls import Urls
from seamline.capture.sanitize.values import Values

KEY = b"a key of the tests, 32 bytes ..."

Pair = tuple[str, str]


class Walks:
    """The walks of a sanitizer, wired to each other and open to tests one by one."""

    def __init__(self, rules: Rules = Rules()) -> None:  # noqa: B008 -- frozen and empty
        self.keys = KeyClassifier(rules.keys, rules.keep)
        self.pseudonyms = Pseudonyms(KEY)
        self.values = Values(self.pseudonyms, Shapes((p.kind, p.regex) for p in rules.patterns))
        self.json = JsonWalker(self.keys, self.values)
        self.pairs = Pairs(self.keys, self.values)
        self.urls = Urls(self.pairs, self.values)
        self.text = TextBody(self.keys, self.values)
        self.values.nested = Layers(self.json, self.pairs, self.urls).clean
        self.values.claims = self.json.claims
        self.values.cookies = Cookies(self.keys, self.values).clean
        self.values.url = self.urls.clean
        self.values.pairs = self.text.inline


def sanitizer(rules: Rules = Rules()) -> Sanitizer:  # noqa: B008 -- frozen and empty
    return Sanitizer(KEY, rules)


def exchange(
    target: str = "/",
    headers: Iterable[Pair] = (),
    body: bytes = b"",
    *,
    answer_headers: Iterable[Pair] = (),
    answer: bytes = b"",
    method: str = "POST",
) -> Exchange:
    request = Request(method, target, Headers(headers), body)
    response = Response(200, Headers(answer_headers), answer, "OK")
    return Exchange("t-1", 1, Role.INBOUND, "http", "svc", "s-1", 1, 1, request, response)


def as_json(value: object) -> Exchange:
    return exchange("/", [("Content-Type", "application/json")], json.dumps(value).encode())


def token(claims: object, signature: bytes = b"0123456789abcdef0123456789abcdef") -> str:
    """A signed token (JWT) with those claims."""
    parts = (b'{"alg":"HS256","typ":"JWT"}', json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def everything(e: Exchange) -> str:
    """All text of an exchange, to look for what should not be there."""
    parts = [e.request.target, *(f"{name}: {value}" for name, value in e.request.headers)]
    parts.append(e.request.body.decode("latin-1"))
    if e.response is not None:
        parts += [f"{name}: {value}" for name, value in e.response.headers]
        parts.append(e.response.body.decode("latin-1"))
    return "\n".join(parts)
