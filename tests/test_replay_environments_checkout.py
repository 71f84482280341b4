"""Clean checkouts of real repositories."""

import asyncio
import subprocess
from pathlib import Path

import pytest
import uvloop

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.replay.environments.checkout import Checkout

WHAT = "[baseline] git"


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of app/version.txt, the first tagged v1; the working tree is dirty."""
    root = tmp_path / "repo"
    (root / "app").mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    for version in ("one", "two"):
        (root / "app/version.txt").write_text(version)
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", version)
        git(root, "tag", f"v-{version}")
    (root / "app/version.txt").write_text("dirty")
    return root


def refused(checkout: Checkout, kind: type[Exception] = UsageError) -> str:
    with pytest.raises(kind) as caught:
        asyncio.run(checkout.up())
    return str(caught.value)


def test_a_revision_is_checked_out_clean_and_removed(repository: Path) -> None:
    async def main() -> None:
        checkout = Checkout(repository / "app", "v-one", what=WHAT)
        tree = await checkout.up()
        assert checkout.inside(repository / "app", tree) == tree / "app"
        assert (tree / "app/version.txt").read_text() == "one"
        (tree / "left-behind.txt").write_text("x")
        await checkout.down()
        assert not tree.parent.exists()
        await checkout.down()

    asyncio.run(main())
    assert (repository / "app/version.txt").read_text() == "dirty"
    assert git(repository, "worktree", "list").count("\n") == 1
    assert git(repository, "branch", "--show-current").strip() == "main"


def test_several_checkouts_live_at_once(repository: Path) -> None:
    async def main() -> None:
        checkouts = [Checkout(repository, f"v-{version}", what=WHAT) for version in ("one", "two") * 4]
        trees = await asyncio.gather(*(checkout.up() for checkout in checkouts))
        assert [(tree / "app/version.txt").read_text() for tree in trees] == ["one", "two"] * 4
        assert len(set(trees)) == 8
        await asyncio.gather(*(checkout.down() for checkout in checkouts))
        assert not any(tree.exists() for tree in trees)

    asyncio.run(main())
    assert git(repository, "worktree", "list").count("\n") == 1


def test_the_checked_out_branch_itself_can_be_had(repository: Path) -> None:
    async def main() -> None:
        checkout = Checkout(repository, "main", what=WHAT)
        tree = await checkout.up()
        assert (tree / "app/version.txt").read_text() == "two"
        await checkout.down()

    asyncio.run(main())


def test_a_folder_that_only_the_revision_has_can_be_run_in(repository: Path) -> None:
    git(repository, "rm", "--quiet", "-r", "--force", "app")

    async def main() -> None:
        checkout = Checkout(repository / "app", "v-one", what=WHAT)
        tree = await checkout.up()
        assert (checkout.inside(repository / "app", tree) / "version.txt").read_text() == "one"
        await checkout.down()

    asyncio.run(main())


def test_no_hook_of_the_repository_runs(repository: Path) -> None:
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\nexit 1\n")
    hook.chmod(0o755)

    async def main() -> None:
        checkout = Checkout(repository, "main", what=WHAT)
        tree = await checkout.up()
        assert not (tree / "hooked").exists()
        await checkout.down()

    asyncio.run(main())


def test_a_hooks_variables_do_not_lead_to_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    async def main() -> None:
        checkout = Checkout(repository, "v-two", what=WHAT)
        assert ((await checkout.up()) / "app/version.txt").read_text() == "two"
        await checkout.down()

    asyncio.run(main())


@pytest.mark.parametrize("revision", ["nope", "--help", "-x", "main:app", "HEAD~9", "a\x1bb", "main^{tree}"])
def test_an_unknown_revision_is_named(repository: Path, revision: str) -> None:
    message = refused(Checkout(repository, revision, what=WHAT))
    assert message.startswith('[baseline] git = "')
    assert "no such revision" in message
    assert "\x1b" not in message


def test_a_folder_outside_any_repository_is_said_so(tmp_path: Path) -> None:
    assert "is not in a git repository" in refused(Checkout(tmp_path, "main", what=WHAT))


def test_without_git_nothing_can_be_checked_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git" in refused(Checkout(repository, "main", what=WHAT), CouldNotCheck)


def test_a_folder_outside_the_repository_has_no_place_in_the_checkout(repository: Path, tmp_path: Path) -> None:
    async def main() -> None:
        checkout = Checkout(repository, "main", what=WHAT)
        tree = await checkout.up()
        try:
            with pytest.raises(UsageError, match="is outside the repository"):
                checkout.inside(tmp_path, tree)
        finally:
            await checkout.down()

    asyncio.run(main())


def test_a_checkout_that_fails_leaves_no_folder(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    commit = git(repository, "rev-parse", "v-one^{tree}").strip()
    (repository / ".git/objects" / commit[:2] / commit[2:]).unlink()
    message = refused(Checkout(repository, "v-one", what=WHAT), CouldNotCheck)
    assert "git worktree" in message
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_removal_that_is_interrupted_comes_to_its_end(repository: Path, tmp_path: Path) -> None:
    """However often: `down` is called once by the side that failed, and never again."""

    async def main() -> Path:
        checkout = Checkout(repository, "v-two", what=WHAT)
        tree = await checkout.up()
        down = asyncio.create_task(checkout.down())
        for _ in range(3):
            await asyncio.sleep(0)
            down.cancel()
        with pytest.raises(asyncio.CancelledError):
            await down
        return tree

    assert not asyncio.run(main()).parent.exists()
    assert git(repository, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize("turns", [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
def test_one_that_is_interrupted_leaves_nothing_behind(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """Whenever it is interrupted, and however often: while git starts, writes, or takes away again."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(private))

    async def main() -> None:
        checkout = Checkout(repository, "v-two", what=WHAT)
        up = asyncio.create_task(checkout.up())
        while not up.done() and not list(private.iterdir()):
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        up.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        # A side that is brought down because another one failed is told so once more by Ctrl-C.
        up.cancel()
        await asyncio.wait([up])
        await checkout.down()

    # The loop that commands run on.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    assert git(repository, "worktree", "list").count("\n") == 1
    assert not list(private.iterdir())
