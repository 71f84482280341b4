"""What a template says: its table, its fingerprint, its values' names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.sql.shape import shape_of


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("SELECT * FROM t WHERE email = $1 AND t.age >= $2", "email age"),
        ("SELECT * FROM t WHERE lower(email) = lower($1)", "email"),
        ("SELECT * FROM t WHERE id IN ($1, $2, $3)", "id id#2 id#3"),
        ("SELECT * FROM t WHERE id IN ($1::int, $2::int)", "id id#2"),
        ("SELECT * FROM t WHERE id NOT IN ($1) AND n NOT LIKE $2", "id n"),
        ("SELECT * FROM t WHERE id = ANY($1) AND $2 = ANY(tags)", "id tags"),
        ("SELECT * FROM t WHERE d BETWEEN $1 AND $2 AND e = $3", "d d#2 e"),
        ("SELECT * FROM t WHERE d NOT BETWEEN $1 AND $2", "d d#2"),
        ("SELECT * FROM t WHERE $1 = t.name AND $2::text <> note", "name note"),
        ("SELECT * FROM t LIMIT $1 OFFSET $2", "limit offset"),
        ("SELECT * FROM t LIMIT $1, $2", "offset limit"),
        ("SELECT * FROM t WHERE x = CAST($1 AS int) AND y=($2)", "x y"),
        ('SELECT * FROM t WHERE "User Name" ILIKE $1', "User Name"),
        ("SELECT * FROM t WHERE a::text = $1", "a"),
        ("SELECT $1, $2::int", "$1 $2"),
        ("SELECT now() - interval $1, coalesce(a, $2)", "$1 $2"),
        ("UPDATE t SET a = $1, b = b + $2 WHERE id=$3", "a b id"),
        ("INSERT INTO t (a, b) VALUES ($1, lower($2)), ($3, $4)", "a b a#2 b#2"),
        ("INSERT INTO s.t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET n = $2 WHERE t.m > $3", "a n m"),
        (
            "INSERT INTO t (a,b) SELECT p0::int, p1::text FROM (VALUES ($1::int, $2::text, $3)) AS s(p0, p1, n)",
            "a b $3",
        ),
        (
            "INSERT INTO t VALUES ($1, f($2)), ($3, $4)",
            "unnamed_secret_1 unnamed_secret_2 unnamed_secret_1#2 unnamed_secret_2#2",
        ),
        ("CALL register($1, $2)", "unnamed_secret_1 unnamed_secret_2"),
        ("SELECT register(email => $1, password => $2)", "email password"),
        ("SET timezone TO $1", "timezone"),
        ("ALTER USER bob PASSWORD $1", "password"),
        ("CREATE USER x IDENTIFIED BY $1", "password"),
        ("SELECT a FROM t WHERE x = $1 AND ($2 OR y = $3)", "x $2 y"),
    ],
)
def test_names(template: str, names: str) -> None:
    assert " ".join(shape_of(template).names) == names or shape_of(template).names == (names,)


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("SELECT 1", ""),
        ("SELECT * FROM users u JOIN b ON b.id = u.id", "users"),
        ('DELETE FROM ONLY "Shop"."Users"', "Shop.Users"),
        ("INSERT INTO `a b` VALUES ($1)", "a b"),
        ("UPDATE only t SET a=$1", "t"),
        ("SELECT * FROM t FOR UPDATE SKIP LOCKED", "t"),
        ("SELECT EXTRACT(EPOCH FROM ts) FROM real", "real"),
        ("SELECT * FROM generate_series($1,$2)", ""),
        ("SELECT * FROM (SELECT * FROM inner_t) x", "inner_t"),
        ("WITH a AS (SELECT * FROM b) SELECT * FROM a", "b"),
        ("CREATE TABLE IF NOT EXISTS t (id int)", "t"),
        ("TRUNCATE TABLE t", "t"),
        ("COPY t (a) FROM STDIN", "t"),
    ],
)
def test_targets(template: str, target: str) -> None:
    assert shape_of(template).target == target


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("SELECT a FROM t WHERE b=$1", "select  A from T where B = $1".replace("  ", " "), True),
        ("SELECT a FROM t WHERE b IN ($1)", "SELECT a FROM t WHERE b IN ($1, $2, $3)", True),
        ("SELECT a FROM t WHERE b IN ($1::int)", "SELECT a FROM t WHERE b IN ($1::int, $2::int)", True),
        ("INSERT INTO t (a) VALUES ($1)", "INSERT INTO t (a) VALUES ($1), ($2)", True),
        ('SELECT "a" FROM t', "SELECT a FROM t", True),
        ('SELECT "A" FROM t', "SELECT a FROM t", False),
        ("SELECT a, b FROM t", "SELECT b, a FROM t", False),
        ("SELECT a FROM t LIMIT $1", "SELECT a FROM t", False),
        ("SAVEPOINT _pg_1", 'SAVEPOINT "_pg_2"', True),
        ("ROLLBACK TO SAVEPOINT a", "ROLLBACK TO SAVEPOINT b", True),
        ("ROLLBACK TO a", "ROLLBACK", False),
        ("DECLARE a CURSOR FOR SELECT b", "DECLARE c CURSOR FOR SELECT b", True),
        ("DECLARE a CURSOR FOR SELECT b", "DECLARE a CURSOR FOR SELECT c", False),
        ("FETCH $1 FROM a", "FETCH $1 FROM b", True),
    ],
)
def test_fingerprints(one: str, other: str, alike: bool) -> None:
    assert (shape_of(one).fingerprint == shape_of(other).fingerprint) is alike


def test_only_what_sets_a_password_is_secret() -> None:
    assert shape_of("ALTER USER bob PASSWORD $1").secret == {0}
    assert shape_of("SELECT * FROM u WHERE password = $1").secret == frozenset()
    assert len(shape_of("SELECT 1").fingerprint) == 16


@given(st.text(st.sampled_from("abSELECT from where in values(),=$12 limit\"'::."), max_size=80))
def test_any_template_has_as_many_names_as_values(template: str) -> None:
    shape = shape_of(template)
    assert len(set(shape.names)) == len(shape.names)
