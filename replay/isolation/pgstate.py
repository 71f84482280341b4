"""The queries that read a PostgreSQL database's final state. PURE: `sql` is psycopg's module of that name, handed in.

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
