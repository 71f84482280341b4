"""`noise.toml`: read back as written, reviewable, and refused in one line where it is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.errors import UsageError
from seamline.diffing.noise.stored import (
    MAX_BYTES,
    MAX_COUNT,
    MAX_ENTRIES,
    StoredNoise,
    StoredPlace,
    noise_key,
    noise_text,
    read_noise,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
counts = st.integers(0, MAX_COUNT)
places = st.builds(
    lambda endpoint, place, kind, two, named, still: StoredPlace(endpoint, place, kind, *sorted(two), named, still),
    words,
    st.tuples(words, words, words, words),
    words,
    st.tuples(counts, counts),
    words,
    words,
)


@given(words, st.dictionaries(words, counts, max_size=5), st.lists(places, max_size=5))
def test_what_is_written_is_read(key: str, trials: dict[str, int], held: list[StoredPlace]) -> None:
    stored = StoredNoise(key, trials, tuple(sorted(held, key=lambda one: (one.endpoint, one.place, one.kind))))
    assert read_noise(noise_text(stored)) == stored


def test_it_reads_like_a_review() -> None:
    place = StoredPlace(
        "GET /orders/{id}",
        ("response", "$.tags", "", ""),
        "order_changed",
        58,
        60,
        "order.unordered",
        "the same members",
    )
    text = noise_text(StoredNoise("k", {"GET /orders/{id}": 60}, (place,)))
    assert "[[noise]]" in text
    assert 'endpoint = "GET /orders/{id}"\nsurface = "response"\npath = "$.tags"\nkind = "order_changed"' in text
    assert 'class = "order.unordered"\ndiffers = 58\nof = 60\nstill = "the same members"' in text


HEAD = 'format = 1\nkey = "k"\n'
NOISE = '[[noise]]\nendpoint = "e"\nkind = "k"\n'
BROKEN: list[tuple[str, str, str]] = [
    ("no TOML", "= = =", "no TOML"),
    ("another format", 'format = 2\nkey = "k"', "format 2"),
    ("no key", "format = 1", "key is no text"),
    ("no list", HEAD + "noise = 5", "noise is no list"),
    ("a list of others", HEAD + "noise = [1]", "noise is no list"),
    ("no endpoint", HEAD + '[[noise]]\nkind = "k"', "noise 1: "),
    ("negative", HEAD + NOISE + "differs = -1\nof = 2", "differs is no count"),
    ("more than all", HEAD + NOISE + "differs = 3\nof = 2", "larger than of"),
    ("a truth", HEAD + NOISE + "differs = true\nof = 2", "differs is no count"),
    ("too many", HEAD + NOISE + f"differs = 1\nof = {MAX_COUNT + 1}", "of is no count"),
    ("a long text", HEAD + f'[[endpoint]]\nname = "{"x" * 5000}"\ncomparisons = 1', "name is no text"),
    ("too large", "#" * (MAX_BYTES + 1), "larger than"),
    ("too deep", HEAD + "x = " + "[" * 100_000, "no TOML"),
    ("too many entries", HEAD + '[[endpoint]]\n' * (MAX_ENTRIES + 1), "more than"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_file_that_is_none_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_noise(text, "my.toml")
    assert caught.value.message.startswith("my.toml: ")
    assert why in caught.value.message
    assert "\n" not in caught.value.message


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_noise(text)
    except UsageError:
        return


def test_the_key_is_of_all_parts_in_their_order() -> None:
    keys = {noise_key(parts) for parts in (["a", "b"], ["b", "a"], ["ab"], ["ab", ""], [])}
    assert len(keys) == 5
    assert noise_key(["a", "b"]) == noise_key(iter(["a", "b"]))
