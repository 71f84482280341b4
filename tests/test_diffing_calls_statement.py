"""What a SQL text lost against another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.calls.statement import changed, likeness, loss, parts_of

# before, after, what is lost and the trait
LOSSES: list[tuple[str, str, tuple[str, str] | None]] = [
    ("SELECT a FROM x WHERE tenant_id = $1 AND id = $2", "SELECT a FROM x WHERE id = $1", ("condition on tenant_id→missing", "security")),
    ("SELECT a FROM x WHERE id = $1 AND deleted_at IS NULL", "SELECT a FROM x WHERE id = $1", ("condition on deleted_at→missing", "security")),
    ("SELECT a FROM x WHERE id = $1", "SELECT a FROM x", ("condition on id→missing", "security")),
    ("DELETE FROM x WHERE id = $1", "DELETE FROM x", ("condition on id→missing", "security")),
    ("SELECT a FROM x JOIN y ON x.id = y.owner", "SELECT a FROM x JOIN y ON x.id = y.id", ("condition on owner→missing", "security")),
    ("SELECT a FROM x WHERE order_id = $1", "SELECT a FROM x WHERE id = $1", ("condition on order_id→missing", "")),
    ("SELECT a FROM x WHERE tenant_id = $1", "SELECT a FROM x WHERE id = $1", ("condition on tenant_id→missing", "security")),
    ("SELECT a FROM x WHERE id = $1 FOR UPDATE", "SELECT a FROM x WHERE id = $1", ("row lock→missing", "lock")),
    ("SELECT a FROM x FOR NO KEY UPDATE SKIP LOCKED", "SELECT a FROM x", ("row lock→missing", "lock")),
    ("SELECT a FROM x LOCK IN SHARE MODE", "SELECT a FROM x", ("row lock→missing", "lock")),
    ("SELECT a FROM x ORDER BY a", "SELECT a FROM x", ("ORDER BY→missing", "clause")),
    ("SELECT a FROM x ORDER BY a LIMIT $1", "SELECT a FROM x", ("LIMIT, ORDER BY→missing", "clause")),
    ("INSERT INTO x (a) VALUES ($1) ON CONFLICT (a) DO NOTHING", "INSERT INTO x (a) VALUES ($1)", ("ON CONFLICT→missing", "clause")),
    ("SELECT DISTINCT a FROM x", "SELECT a FROM x", ("DISTINCT→missing", "")),
    ("INSERT INTO x (a, discount) VALUES ($1, $2)", "INSERT INTO x (a) VALUES ($1)", ("discount→missing", "")),
    # The same in other words loses nothing.
    ("SELECT a FROM x WHERE id IN ($1, $2)", "SELECT a FROM x WHERE id = ANY($1)", None),
    ("SELECT a FROM x AS t WHERE t.id = $1", "SELECT a FROM x WHERE id = $1", ("t→missing", "")),
    ('SELECT "a" FROM "x" WHERE "x"."id" = $1', "SELECT a FROM x WHERE id = $1", None),
    ("SELECT `a` FROM `x` WHERE `x`.`id` = $1", "SELECT a FROM x WHERE id = $1", None),
    ("SELECT a FROM x WHERE a = $1 AND b = $2", "SELECT a FROM x WHERE b = $1 AND a = $2", None),
    ("SELECT a FROM x WHERE a = $1", "SELECT a FROM x WHERE a = $1 AND b = $2", None),
    ("SELECT a FROM x WHERE id = $1", "SELECT a FROM (SELECT a FROM x WHERE id = $1) AS s", None),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), LOSSES)
def test_what_is_lost(before: str, after: str, expected: tuple[str, str] | None) -> None:
    assert loss(before, after) == expected


def test_conditions_are_what_decides_which_rows() -> None:
    parts = parts_of(
        "SELECT o.id, max(i.qty) FROM orders o JOIN items i ON i.order_id = o.id WHERE o.tenant = $1 AND lower(o.name) = $2"
        " GROUP BY o.id HAVING count(i.sku) > $3 ORDER BY o.created_at LIMIT $4"
    )
    assert parts.conditions == {"order_id", "id", "tenant", "name", "sku"}
    assert parts.clauses == {"GROUP BY", "HAVING", "LIMIT", "ORDER BY"}
    assert parts_of("INSERT INTO x (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2").conditions == frozenset()


def test_likeness_is_the_share_of_names() -> None:
    assert likeness("SELECT a FROM x", "SELECT a FROM x") == 1.0
    assert likeness("SELECT a FROM x", "SELECT b FROM y") == 0.0
    assert likeness("", "") == 1.0


def test_a_changed_statement_shows_both_texts() -> None:
    one = changed("db", "SELECT a FROM x", "SELECT b FROM x WHERE c = $1")
    assert (one.kind, one.before, one.after) == (
        "fingerprint_changed",
        "SELECT a FROM x",
        "SELECT b FROM x WHERE c = $1",
    )
    assert (one.service, one.operation, one.transition) == ("db", "SELECT a FROM x", "another statement")


@given(st.text(alphabet="SELECT FROWH\"`().$1ab;'\n", max_size=300), st.text(max_size=100))
def test_any_text_has_parts(before: str, after: str) -> None:
    loss(before, after)
    assert loss(before, before) is None
    assert 0.0 <= likeness(before, after) <= 1.0


def test_a_hostile_text_is_read_in_one_pass() -> None:
    parts_of("(" * 100_000 + '"' * 100_001 + "a." * 50_000)
