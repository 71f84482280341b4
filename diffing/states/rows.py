"""Two tables' rows laid side by side: which row answers to which, and what differs in them.

Rows with a primary key pair by it. A key that was drawn anew on each side pairs by what the sides are known to have
named alike, then by the row's other columns. Without a primary key rows are a multiset.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..canonical import canonical_key
from ..compare.arrays import content
from ..compare.json import Walk
from ..compare.scalars import Clocks
from ..difference import Difference, bounded, child
from ..report.model import Json, Surface
from ..shapes import is_generated, shape

Row = dict[str, Json]
NamedCell = tuple[str, Json, Json]
"""A column of a key, and what stands there on both sides."""
MAX_COMPARED = 200
"""Most rows of each side without a partner that are held against each other one by one."""
MIN_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Renamed:
    """Values that stand for each other: the order that is 17 on one side is 19 on the other."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, value: Json) -> Json:
        """The other side's name for a value, where it has one of its own; numbers stay numbers."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        other = self.names.get(str(value))
        if other is None:
            return value
        return int(other) if isinstance(value, int) and other.lstrip("-").isdecimal() and len(other) < 19 else other

    def same(self, before: Json, after: Json) -> bool:
        """Whether two values stand for each other."""
        return before != after and self.of(before) == after

    def row(self, row: Row) -> Row:
        """A row in the other side's names."""
        return {name: self.of(value) for name, value in row.items()} if self.names else row


@dataclass(frozen=True, slots=True)
class Table:
    """`key` names the columns of the primary key, in order; `whole` is False where rows were left out;
    `read_us` is when it was read."""

    name: str
    key: tuple[str, ...]
    rows: Sequence[Row]
    whole: bool = True
    read_us: int = 0

    def name_of(self, row: Row) -> str:
        """What a row is called in a report and from round to round: its key, or the shape of a key that is new in
        each run."""
        parts = [row.get(column) for column in self.key]
        return ",".join(_part(part) for part in parts) if parts else "*"


def _part(value: Json) -> str:
    if isinstance(value, str) and is_generated(shape(value)):
        return f"{{{shape(value)}}}"
    return str(value)[:80]


def compare_rows(
    before: Table, after: Table, renamed: Renamed, named: list[NamedCell] | None = None
) -> list[tuple[Row | None, Difference]]:
    """What differs, each with the row it is about: `row_changed` by column, `row_missing`, `row_extra`,
    `multiset_changed`. `named` takes the keys that rows have on either side, where they are others."""
    if not before.key or before.key != after.key:
        return _multiset(before, after, renamed)
    pairs, lost, new = _paired(before, after, renamed)
    if named is not None:
        named.extend(_named(pairs, before.key))
    found: list[tuple[Row | None, Difference]] = []
    for old, now in pairs:
        found.extend((old, one) for one in _row(before, after, old, now, renamed))
    if before.whole and after.whole:
        found.extend((row, _whole_row(before, "row_missing", row, None, "present→missing")) for row in lost)
        copies = Counter(_rest(row, after.key, Renamed()) for row in after.rows) if new and not lost else Counter()
        found.extend((row, _extra(after, row, copies[_rest(row, after.key, Renamed())])) for row in new)
    return found


def _named(pairs: Sequence[tuple[Row, Row]], key: Sequence[str]) -> Iterable[NamedCell]:
    """The columns of keys that differ between two rows of which no other could be meant: nothing but the key is the
    same at two rows of either table."""
    drawn = [(old, now) for old, now in pairs if any(old.get(column) != now.get(column) for column in key)]
    contents = [Counter(_rest(row, key, Renamed()) for row in side) for side in zip(*drawn, strict=True)]
    for old, now in drawn:
        alone = all(held[_rest(row, key, Renamed())] == 1 for held, row in zip(contents, (old, now), strict=True))
        for column in key if alone else ():
            if old.get(column) != now.get(column):
                yield column, old.get(column), now.get(column)


def _paired(before: Table, after: Table, renamed: Renamed) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Rows that answer to each other, and those of either side that have no partner. What is the same pairs first: a
    name that was wrongly learnt must not part it."""
    free = {_key(row, after.key): row for row in after.rows}
    held = {_key(row, before.key) for row in before.rows}
    pairs, left = _by_key(before, free, renamed, same=True)
    fresh = [row for row in left if _key(row, before.key) not in free]
    found, _, _ = _by_content(fresh, [row for key, row in free.items() if key not in held], before.key, Renamed())
    taken = {id(row) for both in found for row in both}
    free = {key: row for key, row in free.items() if id(row) not in taken}
    rest = Table(before.name, before.key, [row for row in left if id(row) not in taken])
    named, left = _by_key(rest, free, renamed, same=False)
    by_content, left, right = _by_content(left, list(free.values()), before.key, renamed)
    closest, left, right = _closest(left, right, renamed)
    return [*pairs, *found, *named, *by_content, *closest], left, right


def _by_key(
    before: Table, free: dict[bytes, Row], renamed: Renamed, *, same: bool
) -> tuple[list[tuple[Row, Row]], list[Row]]:
    """Rows that go by one key, their own or the other side's name for it, and the rest; taken from `free`. `same`: only
    where the other columns are the same too."""
    pairs: list[tuple[Row, Row]] = []
    left: list[Row] = []
    for row in before.rows:
        keys = dict.fromkeys((_key(renamed.row(row), before.key), _key(row, before.key)))
        candidates = [key for key in keys if key in free]
        if same:
            candidates = [key for key in candidates if _is_same(row, free[key], before.key, renamed)]
        if candidates:
            pairs.append((row, free.pop(max(candidates, key=lambda key: _alike(row, free[key], renamed)))))
        else:
            left.append(row)
    return pairs, left


def _is_same(before: Row, after: Row, key: Sequence[str], renamed: Renamed) -> bool:
    if before == after:
        return True
    wanted = _rest(after, key, Renamed())
    return wanted in (_rest(before, key, Renamed()), _rest(before, key, renamed))


def _key(row: Row, columns: Iterable[str]) -> bytes:
    return canonical_key([row.get(column) for column in columns])


def _rest(row: Row, key: Sequence[str], renamed: Renamed) -> bytes:
    return content({name: value for name, value in renamed.row(row).items() if name not in key})


def _by_content(
    left: list[Row], right: list[Row], key: Sequence[str], renamed: Renamed
) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Rows whose other columns are the same; fresh ids and times count as equal."""
    free: dict[bytes, list[Row]] = defaultdict(list)
    for row in reversed(right):
        free[_rest(row, key, Renamed())].append(row)
    pairs: list[tuple[Row, Row]] = []
    alone: list[Row] = []
    for row in left:
        same = free.get(_rest(row, key, renamed))
        if same:
            pairs.append((row, same.pop()))
        else:
            alone.append(row)
    taken = {id(row) for _, row in pairs}
    return pairs, alone, [row for row in right if id(row) not in taken]


def _closest(left: list[Row], right: list[Row], renamed: Renamed) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Rows that share most of their columns, fresh ids and times counting as equal; the best partner, first come, first
    served."""
    pairs: list[tuple[Row, Row]] = []
    alone: list[Row] = left[MAX_COMPARED:]
    free = [(row, _cells(row)) for row in right[:MAX_COMPARED]]
    for row in left[:MAX_COMPARED]:
        wanted = _cells(renamed.row(row))
        best = max(free, key=lambda one: _share(wanted, one[1]), default=None)
        if best is not None and _share(wanted, best[1]) >= MIN_ALIKE:
            pairs.append((row, best[0]))
            free = [one for one in free if one is not best]
        else:
            alone.append(row)
    return pairs, alone, [*(row for row, _ in free), *right[MAX_COMPARED:]]


def _cells(row: Row) -> set[tuple[str, bytes]]:
    return {(name, content(value)) for name, value in row.items()}


def _share(before: set[tuple[str, bytes]], after: set[tuple[str, bytes]]) -> float:
    return len(before & after) / max(len(before), len(after), 1)


def _alike(before: Row, after: Row, renamed: Renamed) -> int:
    """How many columns hold the same."""
    return sum(name in after and renamed.of(value) == after[name] for name, value in before.items())


def _row(table: Table, other: Table, before: Row, after: Row, renamed: Renamed) -> list[Difference]:
    if before == after and canonical_key(before) == canonical_key(after):
        return []
    found: list[Difference] = []
    walk = Walk(Clocks(table.read_us, other.read_us), surface=Surface.STATE)
    for one in walk.run(before, after, child("$", table.name)):
        column = (one.path or "").rpartition(".")[2]
        # The key of a row that has a partner under another key is new on each side.
        is_name = column in table.key and one.kind == "value_changed"
        if not is_name and not renamed.same(one.before, one.after):
            found.append(
                Difference(
                    Surface.STATE, "row_changed", one.path, one.before, one.after, one.transition, one.trait,
                    shift_us=one.shift_us, inner=one.kind,
                )
            )  # fmt: skip
    return found


def _whole_row(table: Table, kind: str, before: Row | None, after: Row | None, transition: str) -> Difference:
    path = child("$", table.name)
    return Difference(Surface.STATE, kind, path, _shown(before), _shown(after), transition)


def _shown(row: Row | None) -> Json:
    return bounded(row) if row is not None else None


def _extra(table: Table, row: Row, copies: int) -> Difference:
    """A row too many: `multiset_changed` where the table holds the same row under another key already."""
    if copies > 1 and len(row) > len(table.key):
        return _whole_row(table, "multiset_changed", None, row, f"{copies - 1}→{copies} equal rows")
    return _whole_row(table, "row_extra", None, row, "missing→present")


def _multiset(before: Table, after: Table, renamed: Renamed) -> list[tuple[Row | None, Difference]]:
    held = Counter(content(row) for row in before.rows)
    holds = Counter(content(row) for row in after.rows)
    gone, come = held - holds, holds - held
    if gone and renamed.names:
        gone = Counter(content(renamed.row(row)) for row in before.rows if content(row) in gone)
        gone, come = gone - come, come - gone
    if not gone and not come:
        return []
    if not (before.whole and after.whole):
        return []
    moved = f"{len(before.rows)}→{len(after.rows)} rows" if len(before.rows) != len(after.rows) else "other rows"
    lost: list[Json] = [row for row in before.rows if gone.keys() & {content(row), content(renamed.row(row))}]
    new: list[Json] = [row for row in after.rows if content(row) in come]
    path = child("$", before.name)
    return [(None, Difference(Surface.STATE, "multiset_changed", path, bounded(lost[:5]), bounded(new[:5]), moved))]
