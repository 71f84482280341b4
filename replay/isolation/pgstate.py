"""The queries that read a PostgreSQL database's final state, and its sequences. PURE: `sql` is psycopg's module of that
name, handed in.

Rows come in the order of the primary key; without one, in the order of their text, which is the same on both sides
where the rows are. `hashtextextended` (PostgreSQL 11) over a row's text, summed, needs no order.
"""

from collections.abc import Sequence
from typing import Any

TABLES = """
SELECT c.oid, n.nspname, c.relname, coalesce((
    SELECT array_agg(a.attname::text ORDER BY k.place)
    FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attnum = k.number
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid
), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
)
AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY n.nspname, c.relname LIMIT 1000
"""
"""Tables that hold rows and may be read, a partitioned one once, each with the columns of its primary key. Those of
extensions are no state of the service's."""

COLUMNS = """
SELECT a.attname::text, t.typname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

SEQUENCES = """
SELECT c.oid::text, n.nspname, c.relname, s.seqincrement, s.seqmin,
    least(s.seqmax, (
        SELECT min(CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 END)
        FROM pg_attribute a
        WHERE EXISTS (
            SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
        ) OR EXISTS (
            SELECT 1 FROM pg_attrdef f JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
            WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
        )
    ))
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT s.seqcycle AND c.relpersistence <> 't' AND has_schema_privilege(n.oid, 'USAGE')
AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'UPDATE') AND has_sequence_privilege(c.oid, 'SELECT') END
AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
)
ORDER BY n.nspname, c.relname LIMIT 2000
"""
"""Sequences that may be read and set: oid, schema, name, step, least value, and the most that both the sequence and the
columns that it fills can hold. One that begins again at its end has a meaning that nobody may move."""

SET_SEQUENCES = "SELECT setval(oid::oid::regclass, last) FROM unnest(%s::text[], %s::bigint[]) AS each(oid, last)"


def last_values(sql: Any, sequences: Sequence[tuple[str, str, str, int]]) -> Any:
    """The oid of each sequence and the value it gave last; where it gave none, the one before its first."""
    return sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, CASE WHEN is_called THEN last_value ELSE last_value - {} END FROM {}").format(
            sql.Literal(oid), sql.Literal(step), _place(sql, schema, name)
        )
        for oid, schema, name, step in sequences
    )


def rows_of(sql: Any, schema: str, table: str, columns: Sequence[str], key: Sequence[str]) -> Any:
    """All rows of a table, in order."""
    names = sql.SQL(", ").join([sql.SQL("seamline_row.") + sql.Identifier(column) for column in columns])
    return sql.SQL("SELECT {} FROM {} AS seamline_row ORDER BY {}").format(
        names, _place(sql, schema, table), _order(sql, key)
    )


def hash_of_rest(sql: Any, schema: str, table: str, key: Sequence[str], kept: int) -> Any:
    """How many rows come after the first `kept`, and a hash of them."""
    return sql.SQL(
        "SELECT count(*), coalesce(sum(digest), 0) FROM ("
        "SELECT hashtextextended(seamline_row::text, 0)::numeric AS digest "
        "FROM {} AS seamline_row ORDER BY {} OFFSET {}) AS rest"
    ).format(_place(sql, schema, table), _order(sql, key), sql.Literal(kept))


def _place(sql: Any, schema: str, table: str) -> Any:
    return sql.Identifier(schema, table)


def _order(sql: Any, key: Sequence[str]) -> Any:
    if not key:
        return sql.SQL("seamline_row::text")
    return sql.SQL(", ").join([sql.SQL("seamline_row.") + sql.Identifier(column) for column in key])
