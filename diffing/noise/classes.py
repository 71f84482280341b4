"""The name of a noise, and what is still asserted beside it: for people who review what was learnt (`noise.toml`)."""

from .profile import MAX_CHOICES
from .residual import MEMBERS, TOLERANCE, VALUES, Learnt

RARE = 0.05
"""Noise at so few requests has no class of its own but that."""
_PRESENCE = frozenset({"field_removed", "field_added", "missing", "extra", "row_missing", "row_extra", "extra_write"})


def noise_class(grade: str, differs: int, trials: int, learnt: Learnt | None, *, is_time: bool) -> tuple[str, str]:
    """The class of facts 1.2, and a clause on what a candidate must still hold to."""
    learnt = learnt or Learnt()
    if grade == "order_changed":
        return _order(learnt)
    if grade in _PRESENCE:
        return "presence", "how often it is there"
    if grade in MEMBERS:
        return "value.stochastic", _members(learnt)
    if is_time:
        return "time.now", "format, zone, unit, precision; the distance from its request"
    if grade.endswith("/tokens"):
        return "id.generated", "presence, shape; one name for one thing"
    if differs <= RARE * trials:
        return "rare.stochastic", "confirmed at the same request in every round, or oftener than by itself"
    return _values(learnt) if grade in VALUES else ("noise", "every other kind of change")


def _order(learnt: Learnt) -> tuple[str, str]:
    if learnt.order is not None and learnt.order.has_pairs:
        return "order.concurrent", "the same members; those that always came first still do"
    return "order.unordered", "the same members"


def _members(learnt: Learnt) -> str:
    kept = ["what each member is"]
    if learnt.lists.seen and not learnt.lists.uneven:
        kept.append("how many there are")
    elif learnt.lists.lengths:
        low, high = learnt.lists.lengths
        kept.append(f"about {low} to {high} of them")
    if learnt.lists.known.is_closed():
        kept.append(f"each one of {len(learnt.lists.known)} known ones")
    return "; ".join(kept)


def _values(learnt: Learnt) -> tuple[str, str]:
    profile, spread = learnt.profile, learnt.spread
    if profile.choices.is_closed(MAX_CHOICES):
        return "value.stochastic", f"one of {len(profile.choices)} known values, about as often"
    if spread.bound is not None:
        return "float.ulp", f"within {TOLERANCE} times {spread.most:.2g} of the baseline's"
    if spread.seen:
        kept = "type, sign, order of magnitude" if spread.is_measured else "type"
        return ("duration.measure" if spread.is_measured else "env.identity"), kept
    if profile.wordings.is_closed(MAX_CHOICES):
        return "text.template", f"one of {len(profile.wordings)} wordings"
    if len(profile.wordings) == 1:
        return "text.template", "the wording around what is drawn anew"
    return "token.opaque", "presence, type, beginning, length, alphabet"
