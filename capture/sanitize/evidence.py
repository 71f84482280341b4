"""What company makes of a hint: a `name` beside an e-mail address is a person's, a `city` beside a street is a home."""

from collections.abc import Iterable

from .kinds import Kind
from .tokens import Hint, KeyClass

PERSON_EVIDENCE = frozenset({Kind.EMAIL, Kind.BIRTH, Kind.SSN, Kind.PASSWORD, Kind.PAN, Kind.PHONE})
PLACE_EVIDENCE = frozenset({Kind.STREET, Kind.NAME, Kind.BIRTH})


def kind_of_hint(hint: Hint | None, *, person: bool, place: bool) -> Kind | None:
    """The kind of a value whose key is only a hint, in that company."""
    if hint is Hint.NAME:
        return Kind.NAME if person else None
    if not place:
        return None
    return {Hint.CITY: Kind.CITY, Hint.POSTCODE: Kind.POSTCODE}.get(hint) if hint is not None else None


def kinds_of(classes: Iterable[KeyClass]) -> list[Kind | None]:
    """The kind of each of the keys that stand side by side in one flat record."""
    keys = tuple(classes)
    kinds = {key.kind for key in keys}
    person, place = not kinds.isdisjoint(PERSON_EVIDENCE), not kinds.isdisjoint(PLACE_EVIDENCE)
    return [key.kind or kind_of_hint(key.hint, person=person, place=place) for key in keys]
