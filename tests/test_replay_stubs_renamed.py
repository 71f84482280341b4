"""Live ids that stand for recorded ones."""

import pytest

from seamline.replay.stubs.asked import Leaf
from seamline.replay.stubs.renamed import Renaming, generated

A, B, C = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abc")


def text(value: str, path: str = "$.x") -> Leaf:
    return Leaf(path, "s", value)


def number(value: float, path: str) -> Leaf:
    return Leaf(path, "n", value)


@pytest.mark.parametrize(
    ("leaf", "kind"),
    [
        (text(A), "id"),
        (text("2026-11-24T11:53:18.123456Z"), "time"),
        (text("2026-11-24"), "time"),
        (text("9f86d081884c7d659a2feaa0c55ad015aabbccdd"), "token"),
        (text("tok_4eC39HqLyjWDarjtT1zdp7dc"), "token"),
        (number(1793527200123, "$.created_at"), "time"),
        (number(1793527200, "$.ts"), "time"),
        (number(1793527200, "$.price"), ""),
        (text("blue"), ""),
        (text("a-word-that-is-rather-long"), ""),
        (text("x" * 1000), ""),
        (Leaf("$.x", "b", True), ""),
    ],
)
def test_what_looks_as_if_made_anew(leaf: Leaf, kind: str) -> None:
    assert generated(leaf) == kind


def test_an_id_stands_for_one_other_only() -> None:
    renaming = Renaming()
    assert renaming.agrees(text(A), text(B), fresh=True)
    renaming.learn([text(A)], [text(B)])
    assert renaming.agrees(text(A), text(B), fresh=False)
    assert not renaming.agrees(text(A), text(C), fresh=True), "it stands for B"
    assert not renaming.agrees(text(C), text(B), fresh=True), "B stands for A"


def test_without_evidence_only_what_is_fresh_agrees() -> None:
    renaming = Renaming()
    assert not renaming.agrees(text(A), text(B), fresh=False)
    assert renaming.agrees(text(A), text(A), fresh=False)
    assert not renaming.agrees(text("blue"), text("red"), fresh=True)
    assert not renaming.agrees(text(A), text("2026-11-24"), fresh=True)
    assert not renaming.agrees(text("1"), number(1, "$.x"), fresh=True)


def test_times_stand_for_any_time() -> None:
    renaming = Renaming()
    renaming.learn([text("2026-11-24")], [text("2026-11-25")])
    assert len(renaming) == 0
    assert renaming.agrees(text("2026-11-24"), text("2026-11-26"), fresh=True)


def test_a_number_is_an_id_by_its_name() -> None:
    renaming = Renaming()
    renaming.learn([number(3, "$.order_id"), number(1, "$.count")], [number(5, "$.order_id"), number(2, "$.count")])
    assert len(renaming) == 1
    assert renaming.agrees(number(3, "$.ref"), number(5, "$.ref"), fresh=False)
    assert renaming.agrees(number(5, "$.count"), number(5, "$.count"), fresh=False), "equal is equal"


def test_an_answer_names_the_live_ids_in_one_pass() -> None:
    renaming = Renaming()
    renaming.learn([text(A, "$.a"), text(B, "$.b")], [text(B, "$.a"), text(C, "$.b")])
    body = f'{{"self":"/orders/{A}","other":"{B}","n":1}}'.encode()
    assert renaming.replayed(body) == f'{{"self":"/orders/{B}","other":"{C}","n":1}}'.encode()


def test_it_is_bounded() -> None:
    renaming = Renaming(most=2)
    for count in range(9):
        renaming.learn([text(f"{count:032x}")], [text(f"{count + 100:032x}")])
    assert len(renaming) == 2


def test_a_value_made_anew_within_a_text_is_renamed_too() -> None:
    recorded, live = "basicauth:" + "3a" * 32, "basicauth:" + "7f" * 32
    renaming = Renaming()
    there, here = Leaf("$.user_id", "s", recorded), Leaf("$.user_id", "s", live)
    assert renaming.agrees(there, here, fresh=True)
    assert not renaming.agrees(there, Leaf("$.user_id", "s", "account:" + "7f" * 32), fresh=True)
    assert not renaming.agrees(there, Leaf("$.user_id", "s", live + ":x"), fresh=True)
    renaming.learn([there], [here])
    assert renaming.replayed(f'{{"write":["{recorded}"]}}'.encode()) == f'{{"write":["{live}"]}}'.encode()
    assert renaming.agrees(there, here, fresh=False)
    assert not renaming.agrees(there, Leaf("$.user_id", "s", "basicauth:" + "99" * 32), fresh=True)


def test_an_answer_is_in_the_services_own_words() -> None:
    """Matched by pseudonyms, a value is told back as the service itself spelt it: it compares what it reads with what it
    asked for."""
    recorded, live, own = ("basicauth:" + two * 32 for two in ("3a", "7f", "c4"))
    there, here, spelt = (Leaf("$.user_id", "s", text) for text in (recorded, live, own))
    renaming = Renaming()
    renaming.learn([there], [here])
    renaming.hear([there], [here], [spelt])
    assert renaming.replayed(f'["{recorded}"]'.encode()) == f'["{own}"]'.encode()
    assert renaming.agrees(there, here, fresh=False), "calls still match in the capture's words"


def test_a_pseudonym_that_was_recorded_is_told_back_as_the_value_it_stands_for() -> None:
    there, spelt = Leaf("$.key", "s", "tok_9QxT31MvbYc7RkzP"), Leaf("$.key", "s", "tok_live_2f8e6a0d4b9c")
    renaming = Renaming()
    renaming.hear([there], [there], [spelt])
    assert renaming.replayed(b'{"key":"tok_9QxT31MvbYc7RkzP"}') == b'{"key":"tok_live_2f8e6a0d4b9c"}'


def test_nothing_is_heard_of_values_that_do_not_stand_for_one_another() -> None:
    there, here, spelt = (Leaf("$.note", "s", text * 20) for text in "abc")
    renaming = Renaming()
    renaming.hear([there], [here], [spelt])
    renaming.hear([there], [Leaf("$.other", "s", "x")], [spelt])
    assert len(renaming) == 0
