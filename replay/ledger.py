"""What a replay has fired that changes something, on disk before the bytes go out: nothing is fired twice unseen.

Rules of this file:
- an intent is in the file before a byte of its request is on the wire, the end of it only once an answer came;
- what was intended and has no end is in doubt: it is listed, and never fired again by itself;
- no value stands here: ids of exchanges only.

A line is a JSON array: `["i", ID]` intended, `["d", ID]` answered, `["n", ID]` never sent; the first line says which
capture was replayed at what. Lines are handed to the system one by one, so they outlive the process, if not the power.
"""

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

from ..capture.errors import CouldNotCheck, UsageError
from ..capture.model import FailureKind
from .plan import MessageStep, Plan, Step
from .safety import is_write
from .transport.base import Outcome

SENT_BEFORE = "sent by an earlier replay"
IN_DOUBT = "in doubt: an earlier replay may have sent it"
UNWRITABLE = "the ledger could not be written"
_VERSION = 1
_LARGEST = 256 << 20
_INTENT, _DONE, _NEVER = "i", "d", "n"


def path_of(run: Path) -> Path:
    """Where the ledger of a run stands: beside it."""
    return run.with_name(f"{run.name}.ledger")


def is_ledgered(step: Step) -> bool:
    """Whether sending the step twice would be seen at its target."""
    return type(step) is MessageStep or is_write(step.request)


class Ledger:
    """Open one with `open`. `sent` and `doubtful` are the ids that an earlier replay has fired, or may have."""

    def __init__(self, path: Path, file: int, sent: frozenset[str], doubtful: frozenset[str]) -> None:
        self.path = path
        self.sent = sent
        self.doubtful = doubtful
        self._file = file
        self._open: set[str] = set()
        self._is_broken = False

    @classmethod
    def open(cls, path: Path, capture: str, target: str, *, resume: bool) -> "Ledger":
        """A new ledger for a replay of `capture` (its id) at `target`, or the one that an earlier replay left there.
        UsageError where one was left and nobody wants to `resume` it, or it is another replay's."""
        head = json.dumps({"ledger": _VERSION, "capture": capture, "target": target})
        try:
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return cls._left(path, head, resume=resume)
        except OSError as error:
            raise UsageError(
                f"{path}: cannot write the ledger: {error.strerror}", "name another run with -o"
            ) from error
        if not _write(file, f"{head}\n"):
            os.close(file)
            path.unlink(missing_ok=True)
            raise CouldNotCheck(f"{path}: {UNWRITABLE}", "without it nothing that changes something is fired")
        return cls(path, file, frozenset(), frozenset())

    @classmethod
    def _left(cls, path: Path, head: str, *, resume: bool) -> "Ledger":
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(os.dup(file), "rb") as reading:
                raw = reading.read(_LARGEST)
        except OSError as error:
            raise UsageError(f"{path}: cannot read the ledger: {error.strerror}", "name another run with -o") from error
        if len(raw) >= _LARGEST:
            os.close(file)
            raise UsageError(f"{path}: too large for a ledger", "name another run with -o")
        first, _, rest = raw.decode("utf-8", "replace").partition("\n")
        sent, doubtful = _states(rest)
        refused = None
        if not resume:
            refused = (
                f"{path}: an earlier replay did not end: {len(sent)} writes were sent, {len(doubtful)} may have been",
                "--resume leaves these out; without the file all are fired again",
            )
        elif first != head:
            refused = (f"{path}: is of another replay", "resume it with its own capture and target")
        if refused is not None:
            os.close(file)
            raise UsageError(*refused)
        if not raw.endswith(b"\n"):
            # A line that was cut is an intent that was never carried out; it must not swallow the next one.
            _write(file, "\n")
        return cls(path, file, sent, doubtful)

    def intend(self, step: Step) -> bool:
        """Remember that the step is about to go out; whether it may: False where that cannot be written."""
        if not is_ledgered(step):
            return True
        self._is_broken = self._is_broken or not _write(self._file, _line(_INTENT, step.origin))
        self._open.add(step.origin)
        return not self._is_broken

    def ended(self, step: Step, outcome: Outcome) -> None:
        """Remember what became of it. A failure after the first byte leaves it in doubt."""
        if step.origin not in self._open:
            return
        failure = outcome.failure
        if failure is None:
            _write(self._file, _line(_DONE, step.origin))
        elif failure.kind is FailureKind.CONNECT:
            _write(self._file, _line(_NEVER, step.origin))

    def close(self, *, whole: bool) -> None:
        """The replay is over; where it is `whole`, or nothing was fired, there is nothing left to remember."""
        os.close(self._file)
        if whole or not (self._open or self.sent or self.doubtful):
            self.path.unlink(missing_ok=True)


def without(plan: Plan, ledger: Ledger) -> Plan:
    """What of `plan` an earlier replay has not fired; the rest is counted as skipped."""
    steps = tuple(step for step in plan.steps if not (step.origin in ledger.sent or step.origin in ledger.doubtful))
    skipped = Counter(plan.skipped)
    skipped[SENT_BEFORE] += sum(step.origin in ledger.sent for step in plan.steps)
    skipped[IN_DOUBT] += sum(step.origin in ledger.doubtful for step in plan.steps)
    return replace(plan, steps=steps, skipped=dict(+skipped))


def _states(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """What was sent and what is in doubt. Lines that say nothing are passed over: the last one may have been cut."""
    sent: set[str] = set()
    doubtful: set[str] = set()
    for line in text.splitlines():
        match _read(line):
            case [str(what), str(origin)]:
                (sent.add if what == _DONE else sent.discard)(origin)
                (doubtful.add if what == _INTENT else doubtful.discard)(origin)
    return frozenset(sent), frozenset(doubtful)


def _read(line: str) -> object:
    try:
        found: object = json.loads(line)
    except ValueError:
        return None
    return found


def _line(what: str, origin: str) -> str:
    return json.dumps([what, origin]) + "\n"


def _write(file: int, text: str) -> bool:
    raw = text.encode()
    try:
        return os.write(file, raw) == len(raw)
    except OSError:
        # A full disk, a folder that went away: the caller does not fire what cannot be remembered.
        return False
