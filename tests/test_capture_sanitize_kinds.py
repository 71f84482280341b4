from seamline.capture.sanitize.kinds import Kind


def test_kinds_are_named_as_rules_write_them() -> None:
    assert {kind.value for kind in Kind} >= {"secret", "password", "drop", "email", "pan", "name"}
    assert all(kind.value == kind.name.lower() for kind in Kind)
