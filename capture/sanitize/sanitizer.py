"""The sanitizer: an exchange in, a clean exchange out.

Three rules hold here. `clean` never raises, and what cannot be cleaned is withheld, never passed on. What holds
nothing sensitive comes out byte for byte as it went in. Nothing that is said about a withheld part tells what it held.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..codings import parse_codings
from ..headers import Headers
from ..model import Ask, Exchange, Failure, Request, Response, Withheld
from .bodies import Bodies, Unclean
from .cookies import Cookies
from .headers import HeaderCleaner
from .json_body import JsonWalker
from .keyed import KeyedHash
from .kinds import Kind
from .layers import Layers
from .pairs import Pairs
from .pseudonyms import Pseudonyms
from .remembered import Remembered
from .rules import Rules
from .shapes import Shapes
from .text_body import TextBody
from .tokens import KeyClassifier
from .urls import Urls
from .values import Values

_REMEMBERED_BYTES = 32 << 20
_MOST_ANSWERS = 1024
_LARGEST_ANSWER = 16 << 10  # bytes of a body: with the number of answers, a bound on what is kept for them
_UNHASHED = frozenset({"digest", "content-digest", "repr-digest", "content-md5"})  # hashes of a body that is gone
_PLACEHOLDER = re.compile(r"(?<![\w$])(\$[0-9]+)(?![\w$])")
_FAILED = "the sanitizer failed on it"
_ARGUMENTS = Headers((("content-type", "application/json"),))


class Sanitizer:
    """Cleans exchanges under a project's `key` and `rules`: the same value gets the same pseudonym everywhere."""

    __slots__ = ("_answers", "_bodies", "_digests", "_headers", "_known", "_urls", "_values", "key_id", "rules_id")

    def __init__(self, key: bytes, rules: Rules = Rules()) -> None:  # noqa: B008 -- frozen and empty
        keys = KeyClassifier(rules.keys, rules.keep)
        self._values = Values(Pseudonyms(key), Shapes((p.kind, p.regex) for p in rules.patterns))
        walker = JsonWalker(keys, self._values)
        pairs = Pairs(keys, self._values)
        self._urls = Urls(pairs, self._values)
        self._values.nested = Layers(walker, pairs, self._urls).clean
        self._values.claims = walker.claims
        self._values.cookies = Cookies(keys, self._values).clean
        self._values.url = self._urls.clean
        self._values.pairs = TextBody(keys, self._values).inline
        self._bodies = Bodies(keys, self._values, walker, pairs)
        self._headers = HeaderCleaner(keys, self._values, self._urls)
        self._digests = KeyedHash(key, b"seam-withheld")
        self._known: Remembered[tuple[str, str, bytes], bytes | Unclean] = Remembered(_REMEMBERED_BYTES)
        # By identity: a decoder that remembers has one object for equal answers, and an entry keeps its own alive.
        self._answers: dict[int, tuple[Response, Response, tuple[Withheld, ...]]] = {}
        self.key_id: str = KeyedHash(key, b"seam-key-id").digest(b"", 6)
        self.rules_id: str = rules.digest

    def clean(self, e: Exchange, *, is_request_clean: bool = False) -> Exchange:
        """`e` without anything sensitive: replaced by pseudonyms, or withheld and named in `withheld`.

        `is_request_clean` says that its request came out of a sanitizer: a replayed one, read from a capture.
        """
        held: list[Withheld] = []
        request = e.request if is_request_clean else self._request(e.request, held)
        response = self._answer(e.response, held) if e.response is not None else None
        failure = self._failure(e.failure) if e.failure is not None else None
        if request is e.request and response is e.response and failure is e.failure and not held:
            return e
        return replace(e, request=request, response=response, failure=failure, withheld=(*e.withheld, *held))

    def trust(self, e: Exchange) -> None:
        """Remember the values at sensitive places of `e`, which is clean already: `clean` leaves them alone."""
        self._forget()  # an answer from before would hide the value
        self._values.learning = True
        try:
            self.clean(e)
        finally:
            self._values.learning = False
            self._forget()

    def trust_requests(self, exchanges: Iterable[Exchange | Ask]) -> None:
        """`trust` for the requests of many exchanges: nothing is cleaned in between, so it forgets once, and needs to
        look at each block of headers and at each body but once."""
        self._forget()
        seen: set[Headers | tuple[str, str, bytes]] = set()
        self._values.learning = True
        try:
            for e in exchanges:
                self._learn(e.request, seen)
        finally:
            self._values.learning = False
            self._forget()

    def _learn(self, request: Request, seen: set[Headers | tuple[str, str, bytes]]) -> None:
        if request.operation or request.arguments:
            self._call(request, [])
            return
        self._part("request.target", self._urls.clean, request.target, "/", [])
        headers, body = request.headers, request.body
        if len(seen) >= _MOST_ANSWERS:
            seen.clear()
        if headers not in seen:
            if sum(len(name) + len(value) for name, value in headers.items) <= _LARGEST_ANSWER:
                seen.add(headers)
            self._message("request", headers, b"", [])
        if body:
            content_type, coding = _described(headers)
            key = (content_type, coding, body)
            if key not in seen:
                if len(body) <= _LARGEST_ANSWER:
                    seen.add(key)
                self._body(headers, body)

    def _forget(self) -> None:
        self._answers.clear()
        self._known.clear()
        self._headers.forget()
        self._values.forget()

    def _request(self, request: Request, held: list[Withheld]) -> Request:
        if request.operation or request.arguments:
            return self._call(request, held)
        target = self._part("request.target", self._urls.clean, request.target, "/", held)
        headers, body = self._message("request", request.headers, request.body, held)
        if target == request.target and headers is request.headers and body is request.body:
            return request
        return Request(request.method, target, headers, body, request.version)

    def _call(self, request: Request, held: list[Withheld]) -> Request:
        """A request of a protocol other than HTTP: its target is no URL, and its values stand in `arguments`."""
        target = self._part("request.target", self._values.text, request.target, "", held)
        operation = self._part("request.operation", self._operation, request.operation, "", held)
        arguments = self._arguments(request.arguments, held)
        headers, body = self._message("request", request.headers, request.body, held)
        made = Request(request.method, target, headers, body, request.version, operation, arguments)
        return request if made == request else made

    def _operation(self, operation: str) -> str:
        """An operation's words, but not the `$n` that stand for its values: `token=$1` holds no token."""
        if "$" not in operation:
            return self._values.text(operation)
        pieces = _PLACEHOLDER.split(operation)
        return "".join(self._values.text(piece) if at % 2 == 0 else piece for at, piece in enumerate(pieces))

    def _arguments(self, arguments: str, held: list[Withheld]) -> str:
        raw = arguments.encode("utf-8", "surrogatepass")
        made = self._body(_ARGUMENTS, raw) if raw else raw
        if isinstance(made, Unclean):
            held.append(self._withheld("request.arguments", raw, str(made)))
            return ""
        return arguments if made is raw else made.decode()

    def _answer(self, response: Response, held: list[Withheld]) -> Response:
        """`_response`, remembered for the very same object."""
        known = self._answers.get(id(response))
        if known is None:
            withheld: list[Withheld] = []
            known = (response, self._response(response, withheld), tuple(withheld))
            if not self._values.learning and len(response.body) <= _LARGEST_ANSWER:
                if len(self._answers) >= _MOST_ANSWERS:
                    self._answers.clear()
                self._answers[id(response)] = known
        held += known[2]
        return known[1]

    def _response(self, response: Response, held: list[Withheld]) -> Response:
        headers, body = self._message("response", response.headers, response.body, held)
        reason = self._part("response.reason", self._values.text, response.reason, "", held)
        if headers is response.headers and body is response.body and reason == response.reason:
            return response
        return Response(response.status, headers, body, reason, response.version)

    def _failure(self, failure: Failure) -> Failure:
        detail = self._part("failure.detail", self._values.text, failure.detail, "", [])
        return failure if detail == failure.detail else replace(failure, detail=detail)

    def _message(self, side: str, headers: Headers, body: bytes, held: list[Withheld]) -> tuple[Headers, bytes]:
        try:
            cleaned = self._headers.clean(headers)
        except Exception:  # fail closed: whatever went wrong, the part must not pass
            held.append(self._withheld(f"{side}.headers", repr(headers.items).encode(), _FAILED))
            cleaned = Headers()
        if not body:
            return cleaned, body
        made = self._body(headers, body)
        if isinstance(made, Unclean):
            held.append(self._withheld(f"{side}.body", body, str(made)))
            return self._without_digests(cleaned), b""
        if made is body:
            return cleaned, body
        return self._fitting(cleaned, made), made

    def _body(self, headers: Headers, body: bytes) -> bytes | Unclean:
        """The body cleaned: `body` itself where nothing was sensitive, the reason where it cannot be cleaned."""
        content_type, coding = _described(headers)
        key = (content_type, coding, body)
        known = None if self._values.learning else self._known.get(key)
        if known is not None:
            return body if known == body else known
        made = self._cleaned_body(body, content_type, parse_codings((coding,)))
        if not self._values.learning:
            size = len(body) + (len(made) if isinstance(made, bytes) and made is not body else 0)
            self._known.put(key, made, size)
        return made

    def _cleaned_body(self, body: bytes, content_type: str, codings: tuple[str, ...]) -> bytes | Unclean:
        try:
            made = self._bodies.clean(body, content_type, codings)
        except Unclean as unclean:
            return Unclean(str(unclean))  # without its traceback, which holds the body
        except Exception:  # fail closed: whatever went wrong, the body must not pass
            return Unclean(_FAILED)
        return body if made == body else made

    def _fitting(self, headers: Headers, body: bytes) -> Headers:
        """`headers` with the length and without the hashes of the body that was replaced."""
        for name, _ in headers.items:
            if len(name) == 14 and name.lower() == "content-length":
                headers = headers.with_value(name, str(len(body)))
                break
        return self._without_digests(headers)

    def _without_digests(self, headers: Headers) -> Headers:
        for name, value in headers.items:
            if name.lower() in _UNHASHED:
                headers = headers.with_value(name, self._values.of_kind(Kind.PASSWORD, value))
        return headers

    def _part(self, name: str, clean: Callable[[str], str], text: str, instead: str, held: list[Withheld]) -> str:
        try:
            return clean(text)
        except Exception:  # fail closed: whatever went wrong, the part must not pass
            held.append(self._withheld(name, text.encode("utf-8", "surrogatepass"), _FAILED))
            return instead

    def _withheld(self, part: str, raw: bytes, why: str) -> Withheld:
        return Withheld(part, len(raw), self._digests.digest(raw), why)


def _described(headers: Headers) -> tuple[str, str]:
    """Content-Type and Content-Encoding, found in one pass: this runs for every message."""
    content_type, coding = "", ""
    for name, value in headers.items:
        size = len(name)
        if size == 12 and not content_type and name.lower() == "content-type":
            content_type = value
        elif size == 16 and name.lower() == "content-encoding":
            coding = f"{coding},{value}" if coding else value
    return content_type, coding
