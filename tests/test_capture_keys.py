import os
import stat
from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.capture.keys import KEY_BYTES, VARIABLE, load_key


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_first_use_makes_a_key_that_only_the_owner_reads(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    file = tmp_path / ".seamline" / "key"
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["key"]
    assert load_key(tmp_path) == key


def test_two_projects_have_two_keys(tmp_path: Path) -> None:
    assert load_key(tmp_path / "a") != load_key(tmp_path / "b")


def test_the_variable_wins_and_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sixteen letters!")
    key = load_key(tmp_path)
    assert len(key) == KEY_BYTES
    assert load_key(tmp_path / "elsewhere") == key
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "short", "x" * 15])
def test_a_short_variable_is_the_users_mistake_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(UsageError, match=VARIABLE) as error:
        load_key(tmp_path)
    assert len(text) < 5 or text not in str(error.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_key_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    load_key(tmp_path)
    file = tmp_path / ".seamline" / "key"
    file.chmod(mode)
    with pytest.raises(UsageError, match=f"chmod 600 {file}"):
        load_key(tmp_path)


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, b"\xff" * 64, b"ab" * 33])
def test_a_damaged_key_is_named_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    load_key(tmp_path)
    file = tmp_path / ".seamline" / "key"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="hex digits"):
        load_key(tmp_path)
    assert file.read_bytes() == content


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("ab" * 32)
    other.chmod(0o600)
    (tmp_path / ".seamline").mkdir(mode=0o700)
    (tmp_path / ".seamline" / "key").symlink_to(other)
    with pytest.raises(UsageError, match="cannot read"):
        load_key(tmp_path)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / ".seamline").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=VARIABLE):
        load_key(tmp_path)


def test_the_first_of_two_makers_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look and our write another process has put its key in place."""
    link = os.link

    def late(source: Path, target: Path) -> None:
        file = Path(target)
        file.write_text("cd" * 32)
        file.chmod(0o600)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert load_key(tmp_path) == bytes.fromhex("cd" * 32)
