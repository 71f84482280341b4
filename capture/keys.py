"""Where the project's pseudonym key comes from: SEAMLINE_KEY, else a file that only its owner can read.

The key is never stored beside a capture, never an option of a command, never in a message.
"""

import hashlib
import os
import secrets
import stat
from pathlib import Path

from .errors import UsageError

KEY_BYTES = 32
MIN_VARIABLE_LENGTH = 16
VARIABLE = "SEAMLINE_KEY"
_FOLDER = ".seamline"
_FILE = "key"


def load_key(project_dir: Path) -> bytes:
    """The 32-byte key of the project at `project_dir`.

    SEAMLINE_KEY (any text of 16 characters or more) wins. Otherwise `.seamline/key` (64 hex digits) is read, and
    made on first use: mode 0600 in a folder of mode 0700. Raises UsageError on a key that is short, damaged, or
    readable by others.
    """
    text = os.environ.get(VARIABLE)
    if text is not None:
        return _key_of_variable(text)
    path = project_dir / _FOLDER / _FILE
    try:
        return _read_key(path)
    except FileNotFoundError:
        return _create_key(path)


def _key_of_variable(text: str) -> bytes:
    if len(text) < MIN_VARIABLE_LENGTH:
        raise UsageError(
            f"{VARIABLE} has {len(text)} characters, at least {MIN_VARIABLE_LENGTH} are needed",
            "for example the output of `openssl rand -hex 32`",
        )
    return hashlib.blake2b(
        text.encode("utf-8", "surrogateescape"), digest_size=KEY_BYTES, person=b"seamline-key"
    ).digest()


def _read_key(path: Path) -> bytes:
    try:
        # O_NOFOLLOW: a link put there by another user must not choose the key.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"{path}: cannot read the key: {error.strerror}", f"or set {VARIABLE}") from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise UsageError(f"{path}: others can read the key (mode {mode:04o})", f"chmod 600 {path}")
        return _parse_key(path, file.read(4 * KEY_BYTES))


def _parse_key(path: Path, raw: bytes) -> bytes:
    try:
        key = bytes.fromhex(raw.decode("ascii").strip())
    except ValueError as error:
        raise _damaged(path) from error
    if len(key) != KEY_BYTES:
        raise _damaged(path)
    return key


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f"{path}: not a key of {2 * KEY_BYTES} hex digits",
        "restore it, or delete it to start afresh: pseudonyms of older captures will then not match new ones",
    )


def _create_key(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A complete file appears at once under its name, so that a second process that starts now reads a whole key.
        draft = path.with_name(f"{_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(key.hex() + "\n")
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        return _read_key(path)  # another process was first: its key is the project's
    except OSError as error:
        raise UsageError(f"{path}: cannot write the key: {error.strerror}", f"or set {VARIABLE}") from error
    return key
