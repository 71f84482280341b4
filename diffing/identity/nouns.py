"""What an id is the id of, by the names around it: "order" for `$.order_id`, for `$.id` of POST /orders, for the column
`id` of the table `orders`, for `/orders/17` in a Location.

Two counters that started together give the same numbers to different things. Names tell them apart.
"""

import re
from functools import lru_cache

_STEPS = re.compile(r"[^.\[\]'*$]+")
_IDS = re.compile(r"(?:^|[._-])(?:id|uuid|guid|key|ref|reference|number|no|nr|num|token|code|pk)s?$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"(?<=[a-z])(?:I[dD]s?|Uuid|UUID|Ref|Reference|Number|No|Key|Code|Token)$")
_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM|TABLE)\s+[\"`]?(?:\w+\.)?[\"`]?(\w+)", re.IGNORECASE)
_AGAIN = re.compile(r"#\d+$")
_ENVELOPES = frozenset({"body", "data", "node", "object", "payload", "resource", "response", "result"})
_LISTS = frozenset(
    {
        "collection", "content", "docs", "documents", "edges", "elements", "entries", "hits", "items", "list",
        "members", "nodes", "objects", "page", "records", "resources", "results", "rows", "values",
    }
)  # fmt: skip
UNKNOWN = ""


def names_an_id(path: str) -> bool:
    """Whether a path's last name says that an id stands there."""
    steps = _STEPS.findall(path)
    last = _AGAIN.sub("", steps[-1]) if steps else ""
    return bool(_IDS.search(last) or _CAMEL_ID.search(last))


@lru_cache(maxsize=8192)
def noun_of(endpoint: str, place: tuple[str, str, str, str], part: str = "") -> str:
    """The singular of what an id at a place is the id of, in lower case, or "" where no name says it."""
    surface, path, _, operation = place
    if part:
        return _singular(part) if part != "…" else UNKNOWN
    if path.startswith(("path.", "key.", "$.path.")):
        return _before_placeholder(operation or endpoint)
    steps = [_AGAIN.sub("", step) for step in _STEPS.findall(path)]
    if not steps:
        return UNKNOWN
    owner = _stem(steps[-1])
    if owner:
        return _singular(owner)
    around = [step for step in steps[:-1] if not _wraps(step.lower(), surface, endpoint)]
    if around:
        return _singular(around[-1])
    return _owner_of(surface, endpoint, operation)


def _wraps(name: str, surface: str, endpoint: str) -> bool:
    """Whether a name says only that something is held: `data`; `items` where a collection is listed (of one order they
    are its lines)."""
    if surface not in {"response", "request"}:
        return False
    return name in _ENVELOPES or (name in _LISTS and endpoint.startswith("GET ") and "{" not in endpoint)


def _stem(name: str) -> str:
    """ "order" of "order_id" and "orderId", "" of "id"; a name that names no id stands for itself."""
    return _CAMEL_ID.sub("", _IDS.sub("", name)).strip("._-")


def _owner_of(surface: str, endpoint: str, operation: str) -> str:
    if surface == "sql":
        found = _TABLE.search(operation)
        return _singular(found[1]) if found else UNKNOWN
    if surface == "state":
        return _singular(endpoint.rpartition(".")[2])
    if surface in {"response", "header", "request"}:
        return _of_path(endpoint)
    return _of_path(operation) if surface == "http" else UNKNOWN


def _of_path(endpoint: str) -> str:
    """What `GET /orders/{id}` and `POST /orders` are about; where names go on below an id it is not known."""
    segments = [one for one in endpoint.partition(" ")[2].split("/") if one]
    words = [one for one in segments if not one.startswith("{")]
    if any(one.startswith("{") for one in segments):
        return _before_placeholder(endpoint)
    return _singular(words[-1]) if words else UNKNOWN


def _before_placeholder(operation: str) -> str:
    """The name before the only placeholder of a path or key template; with several it is not known which is meant."""
    parts = re.split(r"[/:]", operation.partition(" ")[2])
    places = [index for index, part in enumerate(parts) if part.startswith("{")]
    if len(places) != 1 or places[0] == 0:
        return UNKNOWN
    return _singular(parts[places[0] - 1])


def _singular(name: str) -> str:
    lowered = name.lower().replace("-", "_")
    if lowered.endswith("ies") and len(lowered) > 4:
        return f"{lowered[:-3]}y"
    if re.search(r"(?:[sxz]|[cs]h)es$", lowered):
        return lowered[:-2]
    return lowered[:-1] if lowered.endswith("s") and not lowered.endswith("ss") else lowered
