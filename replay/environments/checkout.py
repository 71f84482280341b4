"""A clean checkout of one revision in a private folder, by `git worktree`, removed afterwards.

The caller's working tree, index and branch are never touched. Several checkouts of one repository may live at once.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

from ...capture.errors import CouldNotCheck, UsageError
from ...capture.text import printable

# A hook or a CI step may run us with these set for another repository or index; git's own list of them is longer,
# so everything of git's that redirects it goes.
_KEPT_VARIABLES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_SSH_COMMAND", "GIT_TRACE")

_LOCK_POLL_S = 0.01


class Checkout:
    """A checkout of `revision` of the repository around `folder`; `what` names it in errors ("[baseline] git")."""

    def __init__(self, folder: Path, revision: str, *, what: str) -> None:
        self._folder = folder
        self._revision = revision
        self._what = what
        self._root: Path | None = None
        self._private: Path | None = None

    async def up(self) -> Path:
        """Check it out; the folder that holds the repository's root."""
        self._root = await self._find_root()
        commit = await self._find_commit(self._root)
        self._private = Path(tempfile.mkdtemp(prefix="seamline-"))
        tree = self._private / "tree"
        try:
            # No hook of the repository's runs: a checkout for a measurement starts nothing.
            await self._worktree("add", "--detach", "--quiet", str(tree), commit)
        except BaseException:
            await self.down()
            raise
        return tree

    async def commit(self) -> str:
        """The id of the commit that the revision names now, without checking it out."""
        return await self._find_commit(await self._find_root())

    async def down(self) -> None:
        """Remove it and what was written into it; safe to call more than once. An interrupt does not stop it: a side
        that fails is told to stop once more when another one has failed."""
        await _to_its_end(self._remove())

    async def _remove(self) -> None:
        private, self._private = self._private, None
        if private is None or self._root is None:
            return
        with contextlib.suppress(CouldNotCheck):
            # Fails where `add` never came to its end; the folder goes either way, and `prune` forgets the entry.
            await self._worktree("remove", "--force", "--force", str(private / "tree"))
        await asyncio.to_thread(shutil.rmtree, private, True)

    def inside(self, path: Path, tree: Path) -> Path:
        """Where `path` of the caller's working tree lies in the checkout `tree`."""
        assert self._root is not None
        try:
            return tree / path.resolve().relative_to(self._root)
        except ValueError as error:
            raise UsageError(
                f"{self._what}: {path} is outside the repository {self._root}", "a checkout does not hold it"
            ) from error

    async def _find_root(self) -> Path:
        code, out, err = await _run_git(_nearest(self._folder), "rev-parse", "--show-toplevel")
        if code == 0 and out.strip():
            return _resolved(out.strip())
        if "not a git repository" in err:
            raise UsageError(f'{self._what} = "{self._revision}": {self._folder} is not in a git repository')
        raise CouldNotCheck(f"{self._what}: git: {_last_line(err)}")

    async def _find_commit(self, root: Path) -> str:
        wanted = f"{self._revision}^{{commit}}"
        code, out, _ = await _run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        if code == 0 and out.strip():
            return out.strip()
        raise UsageError(
            f'{self._what} = "{printable(self._revision, 80)}": no such revision in {root}',
            "a shallow clone lacks it until `git fetch` brings it",
        )

    async def _worktree(self, verb: str, *args: str) -> None:
        assert self._root is not None
        async with _alone_in(await self._common_folder(self._root)):
            code, _, err = await _run_git(self._root, "-c", "core.hooksPath=/dev/null", "worktree", verb, *args)
        if code != 0:
            raise CouldNotCheck(f"{self._what}: git worktree {verb}: {_last_line(err)}")

    async def _common_folder(self, root: Path) -> Path:
        code, out, err = await _run_git(root, "rev-parse", "--git-common-dir")
        if code != 0:
            raise CouldNotCheck(f"{self._what}: git rev-parse: {_last_line(err)}")
        return root / out.strip()


@contextlib.asynccontextmanager
async def _alone_in(folder: Path) -> AsyncIterator[None]:
    """Hold the lock of a repository's git folder, against every checkout of every Seamline.

    git reads all worktrees' entries when it adds or removes one, and fails on an entry that another git is still
    writing. The folder itself is locked, so nothing is left behind in it.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        while not _locked(lock):  # noqa: ASYNC110  (another process may hold it, which no event of ours tells)
            await asyncio.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _run_git(folder: Path, *args: str) -> tuple[int, str, str]:
    """Exit code, output and errors of one git, which comes to its end whatever becomes of its caller: a checkout that
    is removed while git, or a child of its, goes on writing would come back."""
    return await _to_its_end(_git(folder, *args))


async def _to_its_end[T](work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to. A caller that is cancelled is so once `work` has ended."""
    running = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return running.result()


async def _git(folder: Path, *args: str) -> tuple[int, str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT_VARIABLES}
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *args,
            cwd=folder,
            env={**env, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise CouldNotCheck(f"{error.filename or 'git'}: not found", "checking out a revision needs git") from error
    out, err = await process.communicate()
    return process.returncode or 0, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "replace")


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there: the revision may hold what the working tree lacks."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), folder)


def _resolved(path: str) -> Path:
    return Path(path).resolve()


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return printable(lines[-1], 300) if lines else "failed without a word"
