"""What became of a request's transactions: one that commits on one side and rolls back on the other is a change,
whatever its statements; writes that are no longer one transaction may be half done."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...capture.model import Exchange
from ..difference import Difference
from ..endpoints.templates import Templates
from ..protocols import SQL
from ..report.model import Surface
from .key import counts, is_end, key_of, verdict_of


@dataclass(frozen=True, slots=True)
class Transaction:
    """`writes` are the statements that change something, by their text; `end` the COMMIT or ROLLBACK, if there was
    one."""

    service: str
    writes: tuple[str, ...]
    verdict: str
    end: Exchange | None


def transactions(calls: Sequence[Exchange], templates: Templates) -> list[Transaction]:
    """The transactions of one request that wrote, in the order of their start."""
    held: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for call in calls:
        name = call.request.headers.get("transaction")
        if call.protocol in SQL and name:
            held[call.service, name].append(call)
    found = [_transaction(service, members, templates) for (service, _), members in held.items()]
    return [one for one in found if one.writes]


def _transaction(service: str, members: list[Exchange], templates: Templates) -> Transaction:
    keys = [key_of(call, templates) for call in members if counts(call)]
    ends = [call for call in members if is_end(call)]
    verdict = verdict_of(ends[-1]) if ends else ""
    return Transaction(
        service, tuple(key.operation for key in keys if key.is_write), verdict, ends[-1] if ends else None
    )


def alike(before: Sequence[Transaction], after: Sequence[Transaction]) -> list[tuple[Transaction, Transaction | None]]:
    """Each of the baseline's transactions with the candidate's that makes the same writes."""
    waiting: dict[tuple[str, tuple[str, ...]], list[Transaction]] = defaultdict(list)
    for one in reversed(after):
        waiting[one.service, one.writes].append(one)
    found: list[tuple[Transaction, Transaction | None]] = []
    for old in before:
        same = waiting.get((old.service, old.writes))
        found.append((old, same.pop() if same else None))
    return found


def compare_transactions(
    before: Sequence[Transaction], after: Sequence[Transaction], writes: Counter[str]
) -> list[Difference]:
    """`sql.transaction_changed` where the same writes were kept on one side and taken back on the other, or where the
    candidate makes them (`writes` are all of its own) without a transaction around them."""
    found: list[Difference] = []
    for old, new in alike(before, after):
        if new and old.verdict and new.verdict and old.verdict != new.verdict:
            found.append(_changed(old, new))
        elif not new and old.verdict == "COMMIT" and len(old.writes) > 1 and _is_split(old, after, writes):
            split = "one transaction→several"
            found.append(replace(_changed(old, old), after=None, transition=split, trait="split"))
    return found


def ends(before: Sequence[Transaction], after: Sequence[Transaction]) -> list[tuple[Transaction, Exchange, Exchange]]:
    """The COMMIT or ROLLBACK of each transaction that ended alike on both sides."""
    return [
        (old, old.end, new.end)
        for old, new in alike(before, after)
        if new is not None and old.end is not None and new.end is not None and old.verdict == new.verdict
    ]


def _is_split(old: Transaction, after: Sequence[Transaction], writes: Counter[str]) -> bool:
    """Whether the candidate makes all of these writes, and no transaction of its holds them all."""
    wanted = Counter(old.writes)
    return wanted <= writes and not any(wanted <= Counter(one.writes) for one in after)


def _changed(old: Transaction, new: Transaction) -> Difference:
    moved = f"{old.verdict}→{new.verdict}"
    return Difference(
        Surface.SQL, "transaction_changed", None, old.verdict, new.verdict, moved, "", old.service, old.writes[0]
    )
