"""How many connections this process may have open: the system's limit on open files, raised where it allows."""

import resource

_OTHERS = 64
"""Files that are no connection of the replay: the interpreter's, the event loop's, the recorder's, a progress bar's."""


def room_for(connections: int, files_each: int = 1) -> int:
    """How many of `connections` can be open at once, at least 1, after the soft limit was raised as far as needed.

    A connection that fails for want of a file of ours would look like a target that refuses it.
    """
    needed = connections * files_each + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, (soft - _OTHERS) // files_each))
