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
from .segments import Segments
from .shapes import Shapes
from .text_body import TextBody
from .tokens import PLAIN, KeyClass, KeyClassifier
from .urls import Urls
from .values import Values
from .vocabulary import MEMBER_COMMANDS, SECRET_KINDS

_REMEMBERED_BYTES = 32 << 20
_MOST_ANSWERS = 1024
_LARGEST_ANSWER = 16 << 10  # bytes of a body: with the number of answers, a bound on what is kept for them
_UNHASHED = frozenset({"digest", "content-digest", "repr-digest", "content-md5"})  # hashes of a body that is gone
_PLACEHOLDER = re.compile(r"(?<![\w$])(\$[0-9]+)(?![\w$])")
_TABLE = re.compile(r'\b(?:from|join|into|update)\s+(?:\w+\.)?["`]?(\w+)', re.IGNORECASE)
_MOST_TEXTS = 2_000
_LONGEST_TEXT = 4_000  # characters of a statement that is remembered
_FAILED = "the sanitizer failed on it"
_ESCAPED = re.compile(r"\\x[0-9a-f]{2}")  # how decoders write bytes that are no text in a name
_NO_CODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "binary"})
# What AMQP's clients, and some of HTTP's, say in place of a charset.
_RECORDS = frozenset({"postgres", "mysql", "mongodb"})
_KEYED = frozenset({"redis", "nats", "amqp", "kafka"})
_NO_ARGUMENTS = frozenset({"", "[]", "{}"})


class _Place:
    """How the parts of a message are cleaned, by the protocol and what it is asked of; compared by identity."""

    __slots__ = ("above", "bodies", "headers", "records", "text")

    def __init__(
        self,
        bodies: Bodies,
        headers: HeaderCleaner,
        text: Callable[[str], str],
        above: KeyClass = PLAIN,
        records: KeyClass = PLAIN,
    ) -> None:
        self.bodies = bodies
        self.headers = headers
        self.text = text
        self.above = above
        self.records = records


class Sanitizer:
    """Cleans exchanges under a project's `key` and `rules`: the same value gets the same pseudonym everywhere."""

    __slots__ = (
        "_answers", "_asked", "_digests", "_headers", "_keys", "_known", "_operations", "_places", "_plain",
        "_segments", "_urls", "_values", "key_id", "rules_id",
    )  # fmt: skip

    def __init__(self, key: bytes, rules: Rules = Rules()) -> None:  # noqa: B008 -- frozen and empty
        shapes = Shapes((p.kind, p.regex) for p in rules.patterns)
        self._keys = keys = KeyClassifier(rules.keys, rules.keep, shapes)
        self._values = values = Values(Pseudonyms(key), shapes)
        self._segments = Segments(keys, values)
        walker = JsonWalker(keys, values)
        pairs = Pairs(keys, values)
        self._urls = Urls(pairs, values)
        values.nested = Layers(walker, pairs, self._urls).clean
        values.claims = walker.claims
        values.cookies = Cookies(keys, values).clean
        values.url = self._urls.clean
        values.pairs = TextBody(keys, values).inline
        self._headers: dict[Callable[[str], str], HeaderCleaner] = {}
        self._plain = self._place(walker, values.text)
        self._asked: dict[str, tuple[bool, bool]] = {}
        self._operations: dict[str, str] = {}
        self._places: dict[tuple[bool, Kind | None, bool, bool], _Place] = {}
        self._digests = KeyedHash(key, b"seam-withheld")
        self._known: Remembered[tuple[_Place, str, str, bytes], bytes | Unclean] = Remembered(_REMEMBERED_BYTES)
        # By identity: a decoder that remembers has one object for equal answers, and an entry keeps its own alive.
        self._answers: dict[int, tuple[Response, Response, tuple[Withheld, ...]]] = {}
        self.key_id: str = KeyedHash(key, b"seam-key-id").digest(b"", 6)
        self.rules_id: str = rules.digest

    def clean(self, e: Exchange, *, is_request_clean: bool = False) -> Exchange:
        """`e` without anything sensitive: replaced by pseudonyms, or withheld and named in `withheld`.

        `is_request_clean` says that its request came out of a sanitizer: a replayed one, read from a capture.
        """
        held: list[Withheld] = []
        place = self._place_of(e)
        request = e.request if is_request_clean else self._request(e.request, place, held)
        response = self._answer(e.response, place, held) if e.response is not None else None
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
                self._learn(e.request, self._place_of(e), seen)
        finally:
            self._values.learning = False
            self._forget()

    def _place(
        self, walker: JsonWalker, text: Callable[[str], str], above: KeyClass = PLAIN, records: KeyClass = PLAIN
    ) -> _Place:
        keys, values = self._keys, self._values
        bodies = Bodies(keys, values, walker, Pairs(keys, values))
        headers = self._headers.get(text)
        if headers is None:  # one for all places that clean texts alike: each remembers much
            headers = self._headers[text] = HeaderCleaner(keys, values, self._urls, text)
        return _Place(bodies, headers, text, above, records)

    def _place_of(self, e: Exchange | Ask) -> _Place:
        """Where the parts of `e` stand: a table's rows are persons where its name says so, a key's members secrets."""
        request, protocol = e.request, e.protocol
        keyed = protocol in _KEYED
        if not keyed and protocol not in _RECORDS:
            return self._plain
        members: Kind | None = None
        if keyed:
            said = self._keys.of(request.target)
            person, address = said.person, said.address
            # The fields of session:9f86 are a session's; those of `tokens` are tokens.
            is_record = said.keyed and request.method[:1] == "H"
            if said.kind in SECRET_KINDS and request.method in MEMBER_COMMANDS and not is_record:
                members = Kind.DROP if said.kind is Kind.DROP else Kind.SECRET
        else:
            person, address = self._tables(request)
        context = (keyed, members, person, address)
        return self._places.get(context) or self._new_place(context)

    def _tables(self, request: Request) -> tuple[bool, bool]:
        """Whether rows are persons' or addresses', by the tables' names; where none is named, they may be."""
        text = request.operation
        known = self._asked.get(text)
        if known is None or not request.target:
            named = [request.target, *_TABLE.findall(text)] if request.target else ["customer", "address"]
            said = [self._keys.of(name) for name in named]
            known = any(each.person for each in said), any(each.address for each in said)
            if request.target and len(text) <= _LONGEST_TEXT:
                if len(self._asked) >= _MOST_TEXTS:
                    self._asked.clear()
                self._asked[text] = known
        return known

    def _new_place(self, context: tuple[bool, Kind | None, bool, bool]) -> _Place:
        keyed, members, person, address = context
        text = self._segments.clean if keyed else self._values.text
        walker = JsonWalker(self._keys, self._values, self._segments.clean, binary=True, is_keyed=keyed)
        above = PLAIN if members is None else KeyClass(kind=members, members=True)
        records = KeyClass(person=person, address=address) if person or address else PLAIN
        self._places[context] = place = self._place(walker, text, above, records)
        return place

    def _learn(self, request: Request, place: _Place, seen: set[Headers | tuple[str, str, bytes]]) -> None:
        if place is not self._plain or request.operation or request.arguments:
            self._call(request, place, [])
            return
        self._part("request.target", self._urls.clean, request.target, "/", [])
        headers, body = request.headers, request.body
        if len(seen) >= _MOST_ANSWERS:
            seen.clear()
        if headers not in seen:
            if sum(len(name) + len(value) for name, value in headers.items) <= _LARGEST_ANSWER:
                seen.add(headers)
            self._message("request", place, headers, b"", [])
        if body:
            content_type, coding = _described(headers)
            key = (content_type, coding, body)
            if key not in seen:
                if len(body) <= _LARGEST_ANSWER:
                    seen.add(key)
                self._body(place, headers, body)

    def _forget(self) -> None:
        self._answers.clear()
        self._known.clear()
        self._segments.forget()
        self._operations.clear()
        for headers in self._headers.values():
            headers.forget()
        self._values.forget()

    def _request(self, request: Request, place: _Place, held: list[Withheld]) -> Request:
        if place is not self._plain or request.operation or request.arguments:
            return self._call(request, place, held)
        target = self._part("request.target", self._urls.clean, request.target, "/", held)
        headers, body = self._message("request", place, request.headers, request.body, held)
        if target == request.target and headers is request.headers and body is request.body:
            return request
        return Request(request.method, target, headers, body, request.version)

    def _call(self, request: Request, place: _Place, held: list[Withheld]) -> Request:
        """A request of a protocol other than HTTP: its target is no URL, and its values stand in `arguments`."""
        clean = self._of_bytes if _ESCAPED.search(request.target) else place.text
        target = self._part("request.target", clean, request.target, "", held)
        operation = self._operations.get(request.operation)
        if operation is None:
            operation = self._part("request.operation", self._operation, request.operation, "", held)
        arguments = self._arguments(request.arguments, place, held)
        headers, body = self._message("request", place, request.headers, request.body, held)
        if headers is request.headers and body is request.body:
            before = (request.target, request.operation, request.arguments)
            if before == (target, operation, arguments):
                return request
        return Request(request.method, target, headers, body, request.version, operation, arguments)

    def _of_bytes(self, name: str) -> str:
        """A name that is no text, written with escapes: nothing can be told of it."""
        return self._values.of_kind(Kind.PASSWORD, name)

    def _operation(self, operation: str) -> str:
        """An operation's words, but not the `$n` that stand for its values: `token=$1` holds no token."""
        pieces = _PLACEHOLDER.split(operation)
        made = "".join(self._values.text(piece) if at % 2 == 0 else piece for at, piece in enumerate(pieces))
        if not self._values.learning and len(operation) <= _LONGEST_TEXT:
            # A service has few of them, and says them again and again.
            if len(self._operations) >= _MOST_TEXTS:
                self._operations.clear()
            self._operations[operation] = made
        return made

    def _arguments(self, arguments: str, place: _Place, held: list[Withheld]) -> str:
        if arguments in _NO_ARGUMENTS:
            return arguments
        raw = arguments.encode("utf-8", "surrogatepass")
        made = self._document(place, "application/json", "", raw)
        if isinstance(made, Unclean):
            held.append(self._withheld("request.arguments", raw, str(made)))
            return ""
        return arguments if made is raw else made.decode()

    def _answer(self, response: Response, place: _Place, held: list[Withheld]) -> Response:
        """`_response`, remembered for the very same object."""
        if place is not self._plain:
            return self._response(response, place, held)
        known = self._answers.get(id(response))
        if known is None:
            withheld: list[Withheld] = []
            known = (response, self._response(response, place, withheld), tuple(withheld))
            if not self._values.learning and len(response.body) <= _LARGEST_ANSWER:
                if len(self._answers) >= _MOST_ANSWERS:
                    self._answers.clear()
                self._answers[id(response)] = known
        held += known[2]
        return known[1]

    def _response(self, response: Response, place: _Place, held: list[Withheld]) -> Response:
        headers, body = self._message("response", place, response.headers, response.body, held)
        reason = self._part("response.reason", place.text, response.reason, "", held)
        if headers is response.headers and body is response.body and reason == response.reason:
            return response
        return Response(response.status, headers, body, reason, response.version)

    def _failure(self, failure: Failure) -> Failure:
        detail = self._part("failure.detail", self._values.text, failure.detail, "", [])
        return failure if detail == failure.detail else replace(failure, detail=detail)

    def _message(
        self, side: str, place: _Place, headers: Headers, body: bytes, held: list[Withheld]
    ) -> tuple[Headers, bytes]:
        try:
            cleaned = place.headers.clean(headers)
        except Exception:  # fail closed: whatever went wrong, the part must not pass
            held.append(self._withheld(f"{side}.headers", repr(headers.items).encode(), _FAILED))
            cleaned = Headers()
        if not body:
            return cleaned, body
        made = self._body(place, headers, body)
        if isinstance(made, Unclean):
            held.append(self._withheld(f"{side}.body", body, str(made)))
            return self._without_digests(cleaned), b""
        if made is body:
            return cleaned, body
        return self._fitting(cleaned, made), made

    def _body(self, place: _Place, headers: Headers, body: bytes) -> bytes | Unclean:
        """The body cleaned: `body` itself where nothing was sensitive, the reason where it cannot be cleaned."""
        content_type, coding = _described(headers)
        return self._document(place, content_type, coding, body)

    def _document(self, place: _Place, content_type: str, coding: str, body: bytes) -> bytes | Unclean:
        key = (place, content_type, coding, body)
        known = None if self._values.learning else self._known.get(key)
        if known is not None:
            return body if known == body else known
        made = self._cleaned_body(place, body, content_type, coding)
        if not self._values.learning:
            size = len(body) + (len(made) if isinstance(made, bytes) and made is not body else 0)
            self._known.put(key, made, size)
        return made

    def _cleaned_body(self, place: _Place, body: bytes, content_type: str, coding: str) -> bytes | Unclean:
        codings = tuple(name for name in parse_codings((coding,)) if name not in _NO_CODINGS) if coding else ()
        try:
            made = place.bodies.clean(body, content_type, codings, place.above, place.records)
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
