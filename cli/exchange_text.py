"""One exchange written out for people: request and answer whole, JSON indented, nothing that steers a terminal. PURE.

A body is shown as it is in the capture: indenting adds white space between tokens and changes none of them.
"""

import re
from collections.abc import Iterator

from ..capture.describe import instant, text_body
from ..capture.headers import Headers
from ..capture.headline import answered, asked
from ..capture.model import Exchange, Response
from ..capture.text import printable

MAX_TEXT = 1 << 18
"""Characters of one body that are shown; `--format json` has all of it."""
MAX_HEX = 256
MAX_INDENT = 32

# A string that never ends runs to the end (possessive: no second try), so that hostile text takes linear time.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)


def write_out(exchange: Exchange) -> str:
    """The whole exchange as text."""
    lines = [*_facts(exchange), "", *_request(exchange)]
    if exchange.response is not None:
        lines += ["", *_response(exchange, exchange.response)]
    if exchange.failure is not None:
        lines += ["", f"no answer: {exchange.failure.kind.value} {exchange.failure.detail}".rstrip()]
    # A line break inside a value must not look like a line of ours.
    return "\n".join(printable(line).replace("\n", "\\x0a") for line in lines) + "\n"


def _facts(e: Exchange) -> Iterator[str]:
    yield f"{e.id}  #{e.seq}  {e.role.value} {e.protocol} {e.service}  session {e.session or '-'}"
    late = f", sent {e.lateness_us / 1000:.3f} ms late" if e.lateness_us else ""
    yield f"started {instant(e.started_us)}, took {e.latency_us / 1000:.3f} ms{late}"
    for link in e.links:
        yield f"caused by {link.parent} ({link.how.value}, {link.confidence:.2f})"
    if e.origin is not None:
        yield f"replay of {e.origin}"
    if e.truncated:
        yield "truncated: a body was cut and left out"
    for part in e.withheld:
        yield f"withheld: {part.part}, {part.size} bytes, digest {part.digest or '-'}: {part.why}"


def _request(exchange: Exchange) -> Iterator[str]:
    request = exchange.request
    yield asked(exchange) if request.operation else f"{request.method} {request.target} HTTP/{request.version}"
    if request.arguments:
        yield from indented(request.arguments[:MAX_TEXT]).split("\n")
    yield from _head_and_body(request.headers, request.body)


def _response(exchange: Exchange, response: Response) -> Iterator[str]:
    if exchange.request.operation:
        yield answered(exchange)
    else:
        yield f"HTTP/{response.version} {response.status} {response.reason}".rstrip()
    yield from _head_and_body(response.headers, response.body)


def _head_and_body(headers: Headers, body: bytes) -> Iterator[str]:
    for name, value in headers:
        yield f"{name}: {value}"
    if not body:
        return
    yield ""
    text = text_body(headers, body)
    if text is None:
        coding = headers.get("content-encoding")
        yield f"({len(body)} bytes{f', {coding}' if coding else ', binary'})"
        yield from hexadecimal(body[:MAX_HEX])
        if len(body) > MAX_HEX:
            yield f"(+{len(body) - MAX_HEX} bytes)"
        return
    yield from (indented(text[:MAX_TEXT]) if looks_like_json(headers, text) else text[:MAX_TEXT]).split("\n")
    if len(text) > MAX_TEXT:
        yield f"(+{len(text) - MAX_TEXT} characters)"


def looks_like_json(headers: Headers, text: str) -> bool:
    """Whether a body is JSON, by its type or, where it has none, by its first character."""
    kind = headers.get("content-type")
    return "json" in kind.lower() if kind else text.lstrip()[:1] in ("{", "[")


def indented(text: str) -> str:
    """JSON over several lines, every token as it stands in `text`: numbers keep their digits, keys their duplicates.
    Broken JSON is indented as far as it goes."""
    lines = [""]
    depth = 0
    pieces = _PIECE.findall(text)
    for at, piece in enumerate(pieces):
        following = pieces[at + 1] if at + 1 < len(pieces) else ""
        if piece in "]}":
            depth = max(depth - 1, 0)
            if at and pieces[at - 1] not in "[{":
                lines.append(_indent(depth))
        lines[-1] += piece
        if piece in "[{":
            depth += 1
            if following not in "]}":
                lines.append(_indent(depth))
        elif piece == ",":
            lines.append(_indent(depth))
        elif piece == ":":
            lines[-1] += " "
    return "\n".join(lines)


def _indent(depth: int) -> str:
    return "  " * min(depth, MAX_INDENT)


def hexadecimal(data: bytes) -> Iterator[str]:
    """Sixteen bytes a line: offset, hexadecimal, ASCII."""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{at:08x}  {row.hex(' '):<47}  {shown}"
