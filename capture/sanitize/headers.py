"""Headers: credentials and cookies always, URLs by their parts, the rest by the words of the name and by shape."""

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from ..headers import Headers
from .cookies import Cookies
from .kinds import Kind
from .protobuf_body import ProtobufBody
from .tokens import KeyClassifier
from .urls import Urls
from .values import Values
from .vocabulary import words

# Framing, caching, negotiation, tracing: their grammar holds nothing personal, and replaying needs them as they were.
_KEPT = words(
    "host date content-type content-length content-encoding transfer-encoding content-language content-range etag "
    "if-none-match if-match if-range last-modified if-modified-since if-unmodified-since cache-control pragma expires "
    "age vary accept accept-encoding accept-language accept-charset accept-ranges range connection keep-alive "
    "proxy-connection upgrade te trailer traceparent tracestate "
    "x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled b3 x-amzn-trace-id x-cloud-trace-context "
    "x-datadog-trace-id x-datadog-parent-id allow server-timing strict-transport-security x-content-type-options "
    "x-frame-options x-xss-protection retry-after expect origin-agent-cluster sec-websocket-key sec-websocket-accept "
    "sec-websocket-version sec-websocket-extensions sec-fetch-mode sec-fetch-site sec-fetch-dest sec-fetch-user "
    "sec-gpc sec-ch-ua-mobile dnt upgrade-insecure-requests x-runtime digest content-digest "
    "repr-digest content-md5 want-digest grpc-trace-bin"
)
# Ids that replaying and linking need as they were, and that somebody may have made of an address all the same.
_IDENTIFIERS = words("x-request-id request-id x-correlation-id idempotency-key")
_AUTHORIZATIONS = frozenset({"authorization", "proxy-authorization", "x-authorization", "x-forwarded-authorization"})
_URLS = words(
    "referer location content-location origin refresh x-original-url x-rewrite-url x-forwarded-uri x-original-uri "
    "sourcemap"
)
_ADDRESSES = words(
    "x-forwarded-for x-real-ip cf-connecting-ip cf-connecting-ipv6 true-client-ip x-client-ip fastly-client-ip "
    "x-cluster-client-ip x-envoy-external-address x-original-forwarded-for x-appengine-user-ip"
)
_FORWARDED_FOR = re.compile(r"(for|by)=(\"?)(\[?[0-9A-Fa-f:.]+\]?)(:\d+)?\2", re.IGNORECASE)
_PARAMETER = re.compile(r"(\w[\w-]*)=(?:\"([^\"]*)\"|([^\s,;\"]+))")
_SIGNED = re.compile(r"\w{1,20}=\S+")
_AWS = re.compile(r"(Credential=)([^/,\s]+)|(Signature=)([0-9a-fA-F]+)")
_AUTH_SECRETS = frozenset({"username", "response", "nonce", "cnonce", "opaque", "token", "signature", "id", "mac"})
_BINARY = re.compile(r"\\x[0-9a-f]{2}|[\x00-\x08\x0e-\x1f\x7f]")  # bytes that are no text, as decoders write them
_UNCODED = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"
_MAX_KNOWN = 20_000
_MAX_KNOWN_LENGTH = 4_000


class HeaderCleaner:
    """Cleans headers, and remembers each (name, value) that it has seen. `text` cleans a value of which the name says
    nothing; by default `values.text`."""

    __slots__ = ("_keys", "_known", "_names", "_own", "_policies", "_protobuf", "_unknown", "_urls", "_values")

    def __init__(
        self, keys: KeyClassifier, values: Values, urls: Urls, text: Callable[[str], str] | None = None
    ) -> None:
        self._unknown = text or values.text
        self._names: dict[str, str] = {}  # the few that are values themselves
        self._keys = keys
        self._values = values
        self._urls = urls
        cookies = Cookies(keys, values)
        self._own: dict[str, Callable[[str], str]] = {
            "cookie": cookies.clean,
            "set-cookie": cookies.clean_set,
            "forwarded": self._forwarded,
            "grpc-message": self._percent_coded,
            "reply-to": self._reply_to,
            **dict.fromkeys(_AUTHORIZATIONS, self._authorization),
            **dict.fromkeys(_URLS, self._url),
            **dict.fromkeys(_ADDRESSES, self._addresses),
            **dict.fromkeys(_IDENTIFIERS, self._identifier),
        }
        self._protobuf = ProtobufBody(keys, values)
        self._policies: dict[str, Callable[[str], str] | None] = {}
        self._known: dict[tuple[str, str], str] = {}

    def forget(self) -> None:
        """Drop what was remembered for speed."""
        self._known.clear()
        self._names.clear()
        self._policies.clear()

    def clean(self, headers: Headers) -> Headers:
        """`headers` with what is sensitive in them replaced; the same object where nothing is."""
        made: list[tuple[str, str]] | None = None
        policies, known = self._policies, self._known
        for place, item in enumerate(headers.items):
            name = item[0]
            policy = policies[name] if name in policies else self._policy(name)
            if policy is None:
                continue
            value = known.get(item)
            if value is None:
                value = self._cleaned(policy, item)
            if value != item[1]:
                if made is None:
                    made = list(headers.items)
                made[place] = (name, value)
        if self._names and any(name in self._names for name, _ in headers.items):
            made = self._renamed(made or list(headers.items))
        return headers if made is None else Headers.of_pairs(tuple(made))

    def _renamed(self, items: list[tuple[str, str]]) -> list[tuple[str, str]]:
        names = self._names
        return [(names.get(name, name), value) for name, value in items]

    def _cleaned(self, policy: Callable[[str], str], item: tuple[str, str]) -> str:
        value = policy(item[1])
        if not self._values.learning and len(item[1]) <= _MAX_KNOWN_LENGTH:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[item] = value
        return value

    def _policy(self, name: str) -> Callable[[str], str] | None:
        if len(self._policies) >= _MAX_KNOWN:
            self._policies.clear()
            self._names.clear()
        policy = self._policies[name] = self._choose(name.lower())
        if self._keys.of(name).odd:
            made = self._values.text(name)
            if made != name and not self._values.learning:
                self._names[name] = made
        return policy

    def _choose(self, name: str) -> Callable[[str], str] | None:
        if name in _KEPT:
            return None
        if name in self._own:
            return self._own[name]
        if name.endswith("-bin"):  # gRPC's binary metadata
            if self._keys.of(name.removesuffix("-bin")).kind is None:
                return self._protobuf.clean_metadata
            return lambda value: self._of_kind(Kind.PASSWORD, value)
        kind = self._keys.of(name).kind
        if kind is None:
            return self._text
        return lambda value: self._of_kind(kind, value)

    def _text(self, value: str) -> str:
        """A value of which its name says nothing."""
        return self._values.of_kind(Kind.PASSWORD, value) if _BINARY.search(value) else self._unknown(value)

    def _percent_coded(self, value: str) -> str:
        """What gRPC percent-encodes (gRPC over HTTP/2, "Status-Message"): some encode more of it than they need."""
        plain = unquote(value) if "%" in value else value
        made = self._text(plain)
        return value if made == plain else quote(made, safe=_UNCODED)

    def _identifier(self, value: str) -> str:
        return self._text(value) if "@" in value or "eyJ" in value else value

    def _reply_to(self, value: str) -> str:
        """An e-mail address in HTTP and SMTP, the name of a queue in AMQP."""
        return self._of_kind(Kind.EMAIL, value) if "@" in value else self._text(value)

    def _of_kind(self, kind: Kind, value: str) -> str:
        if kind is Kind.SECRET and _SIGNED.match(value):  # sha256=…, t=…,v1=…: the labels stay
            return _PARAMETER.sub(lambda match: self._parameter(match, only_long=True), value)
        return self._values.of_kind(kind, value)

    def _authorization(self, value: str) -> str:
        scheme, _, rest = value.partition(" ")
        if scheme.lower() in ("digest", "hawk", "oauth", "signature") and "=" in rest:
            return f"{scheme} {_PARAMETER.sub(lambda match: self._parameter(match, only_long=False), rest)}"
        if scheme.upper().startswith("AWS4-"):
            return f"{scheme} {_AWS.sub(self._aws, rest)}"
        return self._values.credential(value)

    def _parameter(self, match: re.Match[str], *, only_long: bool) -> str:
        group = 2 if match[2] is not None else 3
        value = match[group]
        name = match[1].lower().removeprefix("oauth_")
        if len(value) < 16 if only_long else name not in _AUTH_SECRETS and name != "consumer_key":
            return match.group()
        start = match.start(group) - match.start()
        made = self._values.of_kind(Kind.HANDLE if name == "username" else Kind.PASSWORD, value)
        return match.group()[:start] + made + match.group()[start + len(value) :]

    def _aws(self, match: re.Match[str]) -> str:
        name, value = (match[1], match[2]) if match[1] else (match[3], match[4])
        return name + self._values.of_kind(Kind.PASSWORD, value)

    def _url(self, value: str) -> str:
        return self._urls.clean(value)

    def _addresses(self, value: str) -> str:
        return self._values.of_kind(Kind.IP, value)

    def _forwarded(self, value: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            address = match[3]
            made = self._values.of_kind(Kind.IP, address.strip("[]"))
            bracketed = f"[{made}]" if address.startswith("[") else made
            return f"{match[1]}={match[2]}{bracketed}{match[4] or ''}{match[2]}"

        return _FORWARDED_FOR.sub(replaced, value)
