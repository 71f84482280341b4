"""What can go wrong, by who has to act.

    SeamlineError           one sentence and a hint; carries the process's exit code
    ├── UsageError          the user's options, config or files            exit 2
    ├── DamagedCapture      a capture that cannot be read past an offset   exit 2
    ├── NewerCapture        a capture of a later version than this one     exit 2
    └── CouldNotCheck       the environment: did not start, died, too noisy exit 3

A failure on the wire is none of these: it is data (`model.Failure`).
"""

from pathlib import Path


class SeamlineError(Exception):
    """A sentence that says what and where, and a hint that says how to mend it."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(SeamlineError):
    """The user's options, configuration or files are wrong."""


class DamagedCapture(SeamlineError):
    """A capture breaks off or fails its checksum at `offset` bytes."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(
            f"{path}: damaged at byte {offset}: {reason}",
            f"`seamline capture repair {path} -o OUT` keeps what is whole",
        )
        self.path = path
        self.offset = offset
        self.reason = reason


class NewerCapture(SeamlineError):
    """A capture written by a later version of the format."""

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(
            f"{path}: format version {version}, this Seamline reads up to {known}",
            "update Seamline",
        )


class CouldNotCheck(SeamlineError):
    """The environment did not let us check. Never a pass."""

    exit_code = 3
