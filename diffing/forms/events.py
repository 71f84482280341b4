"""Bodies that are a row of events: JSON lines, JSON text sequences (RFC 7464), server-sent events (WHATWG HTML, 9.2).

An event's data is read as JSON where it is some. Comments and keep-alives of a stream are no events.
"""

from collections.abc import Callable

from ..report.model import Json

LINES_TYPES = frozenset(
    {
        "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
        "application/jsonlines", "application/json-lines", "application/x-json-stream", "application/stream+json",
        "application/json-seq",
    }
)  # fmt: skip
STREAM_TYPE = "text/event-stream"
MAX_EVENTS = 100_000

Read = Callable[[str], tuple[Json, str]]
"""A JSON text in; its value, and why it is none."""


def parse_lines(text: str, read: Read) -> tuple[list[Json], str]:
    """One value a line that is not blank; and why they are none (which line)."""
    values: list[Json] = []
    for number, line in enumerate(text.replace("\x1e", "\n").split("\n"), 1):
        if not line.strip():
            continue
        if len(values) >= MAX_EVENTS:
            return [], f"more than {MAX_EVENTS} lines"
        value, why = read(line)
        if why:
            return [], f"line {number}: {why}"
        values.append(value)
    return values, ""


def looks_like_lines(text: str) -> bool:
    """Whether a text that is no JSON document may be one a line: at least two lines, each an object or a list."""
    lines = [line.strip() for line in text.split("\n", MAX_EVENTS) if line.strip()]
    return len(lines) >= 2 and all(line[0] + line[-1] in ("{}", "[]") for line in lines)


def parse_stream(text: str, read: Read) -> tuple[list[Json], str]:
    """The events of a stream as {"event", "id", "data"}, each where it was sent; and why they are none. An event that
    breaks off counts as well: a recording ends somewhere."""
    events: list[Json] = []
    block: dict[str, list[str]] = {}
    for line in [*text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line:
            name, _, value = line.partition(":")
            if name in {"event", "id", "data"}:
                block.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if block:
            if len(events) >= MAX_EVENTS:
                return [], f"more than {MAX_EVENTS} events"
            events.append(_event(block, read))
            block = {}
    return events, ""


def _event(block: dict[str, list[str]], read: Read) -> Json:
    event: dict[str, Json] = {name: values[-1] for name, values in block.items() if name != "data"}
    if "data" in block:
        data = "\n".join(block["data"])
        value, why = read(data)
        event["data"] = data if why else value
    return event
