"""Commands and values as RESP bytes: the way back from what `reader` makes."""

from collections.abc import Iterable

from .values import BigNumber, Fault, Map, NullArray, Push, Set, Simple, Value, Verbatim

RESP2, RESP3 = 2, 3


def encode_command(args: Iterable[str | bytes]) -> bytes:
    """A client's command: its name and arguments."""
    parts = [arg.encode() if isinstance(arg, str) else arg for arg in args]
    return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


def encode(value: Value, protocol: int) -> bytes:
    """A server's reply in RESP2 or RESP3. What RESP2 has no type for is said as Redis says it there: a map as names
    and values in turn, a set or push as an array, a double or big number as a string, a boolean as 1 or 0."""
    parts: list[bytes] = []
    _write(value, parts, protocol >= RESP3)
    return b"".join(parts)


def _write(value: Value, parts: list[bytes], new: bool) -> None:
    if isinstance(value, list):
        _write_all(value, parts, new)
    elif isinstance(value, bytes):
        parts.append(_string(value, new))
    elif value is None:
        parts.append(b"_\r\n" if new else b"$-1\r\n")
    elif isinstance(value, NullArray):
        parts.append(b"_\r\n" if new else b"*-1\r\n")
    elif isinstance(value, bool):
        parts.append((b"#t\r\n" if value else b"#f\r\n") if new else b":%d\r\n" % value)
    elif isinstance(value, int):
        parts.append(b":%d\r\n" % value)
    elif isinstance(value, float):
        text = number_text(value)
        parts.append(b",%b\r\n" % text if new else _bulk(text))
    else:
        parts.append(b"_\r\n" if new else b"$-1\r\n")  # a Cut: what it was is not known any more


def _write_all(value: list[Value], parts: list[bytes], new: bool) -> None:
    sign, count = b"*", len(value)
    if new and isinstance(value, Map):
        sign, count = b"%", len(value) // 2
    elif new and isinstance(value, Set):
        sign = b"~"
    elif new and isinstance(value, Push):
        sign = b">"
    parts.append(b"%b%d\r\n" % (sign, count))
    for each in value:
        _write(each, parts, new)


def _string(value: bytes, new: bool) -> bytes:
    if isinstance(value, Simple):
        return b"+%b\r\n" % _line(value)
    if isinstance(value, Fault):
        return b"-%b\r\n" % _line(value)
    if isinstance(value, Verbatim):
        return b"=%d\r\n%b\r\n" % (len(value), value) if new else _bulk(value[4:])
    if isinstance(value, BigNumber):
        return b"(%b\r\n" % _line(value) if new else _bulk(value)
    return _bulk(value)


def number_text(value: float) -> bytes:
    """A double as Redis writes it: no ".0", and inf and nan by name."""
    return repr(value).removesuffix(".0").encode()


def _bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def _line(value: bytes) -> bytes:
    return bytes(value).replace(b"\r", b" ").replace(b"\n", b" ")
