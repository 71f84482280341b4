import pytest

from seamline.capture.sanitize import vocabulary
from seamline.capture.sanitize.tokens import split_key


def test_no_phrase_is_both_sensitive_and_harmless() -> None:
    assert set(vocabulary.PHRASES) & vocabulary.HARMLESS_PHRASES == set()


@pytest.mark.parametrize(
    "name", ["PERSON_WORDS", "ADDRESS_WORDS", "LABEL_WORDS", "MESSAGE_WORDS", "QUALIFIERS", "VALUE_WORDS"]
)
def test_word_lists_hold_single_lower_case_words(name: str) -> None:
    for word in getattr(vocabulary, name):
        assert "".join(split_key(word)) == word


def test_phrases_can_be_met_by_a_split_key() -> None:
    for phrase in (*vocabulary.PHRASES, *vocabulary.HARMLESS_PHRASES):
        assert "".join(split_key(phrase)) == phrase


def test_words_are_a_set() -> None:
    assert vocabulary.words("a b  b") == {"a", "b"}
