"""The step into a namespace that a service's command takes before it becomes the service.

Run by its path, in an interpreter without site packages, so it imports the standard library only. The service must not
see that it was there: same process, same environment, no descriptor left.
"""

import os
import sys
from pathlib import Path

_KINDS = (os.CLONE_NEWNET, os.CLONE_NEWUSER) if hasattr(os, "CLONE_NEWNET") else ()


def main(spaces: list[int], argv: list[str]) -> int:
    """Enter the network namespace (and the user namespace around it) and become `argv`; what to exit with where that
    fails, as a shell does it."""
    try:
        # The user namespace comes first: it gives the right to enter the other.
        for space, kind in reversed(list(zip(spaces, _KINDS, strict=False))):
            os.setns(space, kind)
            os.close(space)
        os.execvpe(argv[0], argv, given())  # noqa: S606  (no shell: that is meant)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror or error}\n")
        return 127


def given() -> dict[bytes, bytes]:
    """The variables that this process was started with: the interpreter itself sets LC_CTYPE where it is told no
    locale (PEP 538), which a service would not have seen."""
    pairs = (item.partition(b"=") for item in Path("/proc/self/environ").read_bytes().split(b"\0") if item)
    return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1].split(",")], sys.argv[2:]))
