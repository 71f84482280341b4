"""Names that differ from side to side without meaning anything, taken out of what is recorded.

A clone is called `seamline_…_candidate_3` on one side and `seamline_…_baseline_2` on the other: both are recorded as
`{database}`, so that a difference is one. The names are unique enough to be replaced wherever they stand.
"""

from collections.abc import Mapping
from dataclasses import replace

from ...capture.headers import Headers
from ...capture.model import Exchange, Role
from ...capture.recorder import Sink
from ...capture.wire.call import Call


def neutral(exchange: Exchange, names: Mapping[str, str]) -> Exchange:
    """`exchange` with each of `names` (the keys) written as its value; the exchange itself where none occurs."""
    request, response = exchange.request, exchange.response
    told = _Told(names)
    request = replace(
        request,
        target=told.text(request.target),
        headers=told.headers(request.headers),
        body=told.raw(request.body),
        operation=told.text(request.operation),
        arguments=told.text(request.arguments),
    )
    if response is not None:
        response = replace(
            response,
            headers=told.headers(response.headers),
            body=told.raw(response.body),
            reason=told.text(response.reason),
        )
    return replace(exchange, request=request, response=response) if told.any else exchange


class _Told:
    """Replaces, and remembers whether there was anything to replace."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._raw = {name.encode(): value.encode() for name, value in names.items()}
        self.any = False

    def text(self, text: str) -> str:
        for name, value in self._names.items():
            if name in text:
                self.any = True
                text = text.replace(name, value)
        return text

    def raw(self, raw: bytes) -> bytes:
        for name, value in self._raw.items():
            if name in raw:
                self.any = True
                raw = raw.replace(name, value)
        return raw

    def headers(self, headers: Headers) -> Headers:
        if not any(name in value for _, value in headers.items for name in self._names):
            return headers
        return Headers((name, self.text(value)) for name, value in headers.items)


class NeutralSink:
    """A tap's recorder that takes exchanges and writes them down neutrally. Everything else it hands on as it is: what
    comes as raw HTTP holds none of the names."""

    def __init__(self, sink: Sink, names: Mapping[str, str]) -> None:
        self.clock = sink.clock
        self.sessions = sink.sessions
        self.prefix = sink.prefix
        self.next_id = sink.next_id
        self.next_seq = sink.next_seq
        self.offer_raw = sink.offer_raw
        self.offer_whole = sink.offer_whole
        self.lost = sink.lost
        self._offer = sink.offer
        self._names = names

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange. Never waits, never raises."""
        self._offer(neutral(exchange, self._names))

    def offer_call(self, call: Call, role: Role, service: str, protocol: str) -> None:
        """Take a call: its exchange is what holds the names."""
        self.offer(call.exchange(role, service, protocol))
