"""The values of an environment that a tool brings up."""

from dataclasses import fields

from seamline.replay.environments.provided import KINDS, VERBS, Deadlines


def test_each_verb_has_a_deadline_of_its_own() -> None:
    assert tuple(field.name for field in fields(Deadlines)) == VERBS
    assert KINDS == ("compose", "kubernetes", "command")
