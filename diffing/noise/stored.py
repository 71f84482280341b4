"""The learnt noise as text, `noise.toml`: reviewed like code, reused for the same baseline only.

Rules: no recorded value is in it, only places and counts. What it says is evidence beside this run's own: it never
takes away an assertion that this run's baselines show to hold. A file is untrusted: bounded, and refused in one line.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...capture.errors import UsageError

FORMAT = 1
MAX_BYTES = 4_000_000
MAX_ENTRIES = 20_000
MAX_TEXT = 4_000
MAX_COUNT = 10_000_000
PLACE = ("surface", "path", "service", "operation")
HEAD = """\
# What the baseline shows against itself, learnt by `seamline verify` (docs/verdict.md, "Noise").
# Evidence for the next verification of the same baseline and capture (`key`); no recorded value is in it.
# Strike out an entry to have its place asserted in full again, as long as the baseline itself agrees.
"""


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """`differs` of the endpoint's comparisons of a baseline with itself showed `kind` at `place`."""

    endpoint: str
    place: tuple[str, str, str, str]
    kind: str
    differs: int
    trials: int
    noise_class: str = ""
    still: str = ""


@dataclass(frozen=True, slots=True)
class StoredNoise:
    """What was learnt of one baseline (`key`): comparisons by endpoint, and what differed in them."""

    key: str = ""
    trials: Mapping[str, int] = field(default_factory=dict)
    places: tuple[StoredPlace, ...] = ()


def noise_key(parts: Iterable[str]) -> str:
    """The key of a baseline: what it runs (revision, command, environment) and which capture it was sent."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:32]


def noise_text(stored: StoredNoise) -> str:
    """`stored` as TOML, sorted, so that two files of one baseline differ where what was learnt differs."""
    lines = [HEAD, f"format = {FORMAT}", f"key = {_quoted(stored.key)}"]
    for endpoint, trials in sorted(stored.trials.items()):
        lines += ["", "[[endpoint]]", f"name = {_quoted(endpoint)}", f"comparisons = {trials}"]
    for one in sorted(stored.places, key=lambda place: (place.endpoint, place.place, place.kind)):
        lines += ["", "[[noise]]", f"endpoint = {_quoted(one.endpoint)}"]
        lines += [f"{name} = {_quoted(text)}" for name, text in zip(PLACE, one.place, strict=True) if text]
        lines += [f"kind = {_quoted(one.kind)}", f"class = {_quoted(one.noise_class)}"]
        lines += [f"differs = {one.differs}", f"of = {one.trials}", f"still = {_quoted(one.still)}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    clean = text[:MAX_TEXT].encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_noise(text: str, name: str = "noise.toml") -> StoredNoise:
    """The noise in `text`; UsageError, one line that names the file `name` and the entry, where it is none."""
    if len(text) > MAX_BYTES:
        raise UsageError(f"{name}: larger than {MAX_BYTES} characters")
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise UsageError(f"{name}: no TOML: {str(error)[:200] or type(error).__name__}") from error
    if data.get("format") != FORMAT:
        raise UsageError(f"{name}: format {str(data.get('format'))[:40]}, this Seamline reads {FORMAT}")
    endpoints = _tables(data, "endpoint", name)
    places = _tables(data, "noise", name)
    trials = {
        _text(one, "name", f"{name}: endpoint {number}"): _count(one, "comparisons", f"{name}: endpoint {number}")
        for number, one in enumerate(endpoints, 1)
    }
    return StoredNoise(
        _text(data, "key", name),
        trials,
        tuple(_place(one, f"{name}: noise {number}") for number, one in enumerate(places, 1)),
    )


def _tables(data: Mapping[str, Any], key: str, name: str) -> Sequence[Mapping[str, Any]]:
    found = data.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{name}: {key} is no list of tables", f"write [[{key}]]")
    if len(found) > MAX_ENTRIES:
        raise UsageError(f"{name}: more than {MAX_ENTRIES} entries of {key}")
    return found


def _place(one: Mapping[str, Any], where: str) -> StoredPlace:
    differs, trials = _count(one, "differs", where), _count(one, "of", where)
    if differs > trials:
        raise UsageError(f"{where}: differs is larger than of")
    surface, path, service, operation = (_text(one, part, where, optional=True) for part in PLACE)
    return StoredPlace(
        _text(one, "endpoint", where),
        (surface, path, service, operation),
        _text(one, "kind", where),
        differs,
        trials,
        _text(one, "class", where, optional=True),
        _text(one, "still", where, optional=True),
    )


def _text(one: Mapping[str, Any], key: str, where: str, *, optional: bool = False) -> str:
    value = one.get(key, "" if optional else None)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise UsageError(f"{where}: {key} is no text of at most {MAX_TEXT} characters")
    return value


def _count(one: Mapping[str, Any], key: str, where: str) -> int:
    value = one.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        raise UsageError(f"{where}: {key} is no count")
    return value
