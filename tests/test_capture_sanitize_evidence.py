import pytest

from seamline.capture.sanitize.evidence import kind_of_hint, kinds_of
from seamline.capture.sanitize.kinds import Kind
from seamline.capture.sanitize.tokens import Hint, KeyClassifier


@pytest.mark.parametrize(
    ("hint", "person", "place", "kind"),
    [
        (Hint.NAME, True, False, Kind.NAME),
        (Hint.NAME, False, True, None),
        (Hint.CITY, False, True, Kind.CITY),
        (Hint.CITY, True, False, None),
        (Hint.POSTCODE, False, True, Kind.POSTCODE),
        (Hint.VALUE, True, True, None),
        (None, True, True, None),
    ],
)
def test_a_hint_needs_company(hint: Hint | None, person: bool, place: bool, kind: Kind | None) -> None:
    assert kind_of_hint(hint, person=person, place=place) is kind


def test_keys_of_one_record_tell_on_each_other() -> None:
    of = KeyClassifier().of
    assert kinds_of(map(of, ["name", "price"])) == [None, None]
    assert kinds_of(map(of, ["name", "email", "city"])) == [Kind.NAME, Kind.EMAIL, None]
    assert kinds_of(map(of, ["street", "city", "zip"])) == [Kind.STREET, Kind.CITY, Kind.POSTCODE]
