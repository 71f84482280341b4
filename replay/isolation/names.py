"""Names of what Seamline makes in servers that others use too. PURE.

A name tells its run, and a run's name the second in which it began: what a killed run left behind is found by it.
"""

import re

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SECONDS = 7
"""Base-36 digits of a second since the epoch: enough for two thousand years."""
_MOST_OF_SIDE = 20
_NAME = re.compile(r"seamline_(?P<run>(?P<began>[0-9a-z]{7})[0-9a-f]{8})_[a-z0-9]{1,20}_[0-9]{1,9}", re.ASCII)


def run_name(began_s: int, chance: bytes) -> str:
    """The name of a run that began at `began_s` (seconds since the epoch); four bytes of `chance` keep runs apart."""
    digits = ""
    while began_s > 0:
        began_s, digit = divmod(began_s, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(_SECONDS, "0")[-_SECONDS:] + chance[:4].hex().rjust(8, "0")


def own_name(run: str, side: str, number: int, joint: str = "_") -> str:
    """What the `number`th thing of a run is called, made for `side`: a lower-case identifier of at most 55 bytes."""
    plain = re.sub(r"[^a-z0-9]", "", side.lower())[:_MOST_OF_SIDE] or "side"
    return joint.join(("seamline", run, plain, str(number)))


def run_of(name: str) -> tuple[str, int] | None:
    """The run that `name` belongs to and the second in which it began; None where the name is not one of ours."""
    match = _NAME.fullmatch(name)
    return None if match is None else (match["run"], int(match["began"], 36))


def is_leftover(name: str, now_s: int, living: frozenset[str]) -> bool:
    """Whether `name` was made by a run that no longer lives. `living` are the runs that have shown themselves; a
    young run may be about to."""
    found = run_of(name)
    return found is not None and found[0] not in living and now_s - found[1] > _YOUNG_S


_YOUNG_S = 120
