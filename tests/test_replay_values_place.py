"""A place says where a value stands."""

import pytest

from seamline.replay.values.place import Place


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place("body", "$.id"), "body $.id"),
        (Place("query", "cursor#0", ("base64", "json:$.next")), "query cursor#0 → base64 → json:$.next"),
    ],
)
def test_a_place_in_words(place: Place, said: str) -> None:
    assert str(place) == said


def test_places_are_values() -> None:
    assert {Place("path", "1"): 1}[Place("path", "1", ())] == 1
