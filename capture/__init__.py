"""What traffic is, and how it becomes a file."""

from .errors import CouldNotCheck, DamagedCapture, NewerCapture, SeamlineError, UsageError
from .headers import Headers
from .model import (
    Exchange,
    Failure,
    FailureKind,
    Link,
    LinkKind,
    Losses,
    Manifest,
    Request,
    Response,
    Role,
    Withheld,
)

__all__ = [
    "CouldNotCheck",
    "DamagedCapture",
    "Exchange",
    "Failure",
    "FailureKind",
    "Headers",
    "Link",
    "LinkKind",
    "Losses",
    "Manifest",
    "NewerCapture",
    "Request",
    "Response",
    "Role",
    "SeamlineError",
    "UsageError",
    "Withheld",
]
