"""Paths into JSON: written and parsed, followed in documents, found in their text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.values import json_path
from seamline.replay.values.json_path import BadPath, Element, leaf_at, parsed, replaced, written

LEAVES = st.text(max_size=12) | st.integers(-(10**9), 10**9) | st.booleans() | st.none() | st.floats(allow_nan=False)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.a.b_c", ("a", "b_c")),
        ('$["a.b"][3].c', ("a.b", Element(3), "c")),
        ('$[0|.sku="M\\"G"|.a.b="7"].id', (Element(0, ((("sku",), 'M"G'), (("a", "b"), "7"))), "id")),
        ('$[2|="x"]', (Element(2, (((), "x"),)),)),
    ],
)
def test_paths_as_text(path: str, steps: tuple[json_path.Step, ...]) -> None:
    assert parsed(path) == steps
    assert written(steps) == path


@pytest.mark.parametrize("path", ["", "a", "$.", "$[", "$[a]", '$["a]', "$..a", "$.a b", "$" + ".a" * 100, '$["\\q"]'])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(BadPath):
        parsed(path)


def test_an_element_is_known_by_more_than_its_place() -> None:
    steps = parsed('$.items[0|.sku="MUG"|.id="17"].id')
    recorded = {"items": [{"id": 17, "sku": "MUG"}, {"id": 18, "sku": "TEA"}]}
    moved = {"items": [{"id": 88, "sku": "TEA"}, {"id": 87, "sku": "MUG"}]}
    renamed = {"items": [{"id": 16, "sku": "CUP"}, {"id": 17, "sku": "Mug"}]}
    doubled = {"items": [{"id": 5, "sku": "MUG"}, {"id": 6, "sku": "MUG"}]}
    assert leaf_at(recorded, steps) == "17"
    assert leaf_at(moved, steps) == "87", "by its sku"
    assert leaf_at(renamed, steps) == "17", "by its id, as no sku fits"
    assert leaf_at(doubled, steps) == "5", "by its place, as two skus fit"
    assert leaf_at({"items": []}, steps) is None
    assert leaf_at({"items": "none"}, steps) is None


def test_only_texts_and_whole_numbers_are_values() -> None:
    assert [leaf_at([each], parsed("$[0]")) for each in ("a", 7, True, None, 1.5, [], {})] == [
        "a", "7", None, None, None, None, None
    ]  # fmt: skip


def test_nothing_but_the_leaf_is_touched() -> None:
    text = '{ "a" : 1.0e2,\n\t"b":[ {"id": 7 ,"t":"\\u00e9\\/"}, {"id":8} ], "a":"x" }'
    assert replaced(text, {parsed("$.b[1].id"): "99"}) == text.replace('"id":8', '"id":99')
    assert replaced(text, {parsed("$.b[0].id"): "9f"}) == text.replace('"id": 7', '"id": "9f"')
    assert replaced(text, {parsed("$.a"): "é"}) == text.replace('"x"', '"\\u00e9"'), (
        "the last of two, escaped as it was"
    )
    assert replaced(text, {parsed("$.c"): "1"}) == text


def test_a_number_stays_a_number_where_it_can() -> None:
    assert replaced('{"a":7}', {("a",): "007"}) == '{"a":"007"}'
    assert replaced('{"a":"7"}', {("a",): "8"}) == '{"a":"8"}'
    assert replaced('"7"', {(): "8"}) == '"8"'


@given(DOCUMENTS, st.text(max_size=8))
def test_every_leaf_can_be_found_and_replaced(document: object, value: str) -> None:
    text = json.dumps(document)
    for steps, _ in _leaves(document):
        assert leaf_at(document, steps) is not None
        made = json.loads(replaced(text, {steps: value}))
        assert leaf_at(made, steps) == value
        others = [(each, leaf) for each, leaf in _leaves(document) if each != steps]
        assert all(leaf_at(made, each) == leaf for each, leaf in others)


def _leaves(document: object, above: tuple[json_path.Step, ...] = ()) -> list[tuple[tuple[json_path.Step, ...], str]]:
    if isinstance(document, dict):
        return [one for key, inner in document.items() for one in _leaves(inner, (*above, key))]
    if isinstance(document, list):
        return [one for at, inner in enumerate(document) for one in _leaves(inner, (*above, Element(at)))]
    text = json_path.text_of(document)
    return [] if text is None else [(above, text)]


@given(st.lists(st.text(max_size=8) | st.builds(Element, st.integers(0, 99)), max_size=8))
def test_any_path_can_be_written(steps: list[json_path.Step]) -> None:
    assert parsed(written(steps)) == tuple(steps)
