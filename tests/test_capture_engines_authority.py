"""The proxy's authority: who can read it, and that it is whole or not there."""

import datetime
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from seamline.capture.engines import authority
from seamline.capture.engines.authority import CERTIFICATE_FILE, KEY_FILE, ensure_authority, private_umask
from seamline.capture.errors import UsageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        certificate = ensure_authority(tmp_path / "project" / ".seamline" / "ca")
    finally:
        os.umask(before)
    folder = certificate.parent
    assert certificate == folder / CERTIFICATE_FILE
    assert (mode(folder.parent), mode(folder)) == (0o700, 0o700)
    assert {path.name: mode(path) for path in folder.iterdir()} == {KEY_FILE: 0o600, CERTIFICATE_FILE: 0o600}
    assert [path.name for path in folder.parent.iterdir()] == ["ca"]


def test_no_other_user_could_ever_open_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at from inside: when the first key byte is written, the folder and the file are already closed."""
    seen: list[tuple[int, int]] = []
    real = os.fdopen

    def looking(descriptor: int, *args: object) -> object:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append((mode(path.parent), mode(path)))
        assert path.stat().st_size == 0
        return real(descriptor, *args)  # type: ignore[call-overload]

    monkeypatch.setattr(authority.os, "fdopen", looking)
    before = os.umask(0)
    try:
        ensure_authority(tmp_path / "ca")
    finally:
        os.umask(before)
    assert seen == [(0o700, 0o600)] * 2


def test_it_is_made_once(tmp_path: Path) -> None:
    first = ensure_authority(tmp_path / "ca").read_bytes()
    assert ensure_authority(tmp_path / "ca").read_bytes() == first


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir(mode=0o755)
    ensure_authority(tmp_path / "ca")
    assert mode(tmp_path / "ca") == 0o700


def test_processes_that_start_at_once_share_one(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from seamline.capture.engines.authority import ensure_authority;"
        "print(ensure_authority(Path(sys.argv[1])).read_text())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-c", code, str(tmp_path / "ca")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(4)]
    told = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(told) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]


def test_it_signs_servers_for_a_year_and_nothing_else(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(ensure_authority(tmp_path / "ca").read_bytes())
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    purpose = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert list(purpose) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert life <= datetime.timedelta(days=366)
    assert "PRIVATE" not in (tmp_path / "ca" / CERTIFICATE_FILE).read_text()


@pytest.mark.parametrize("loose", ["folder", "key"])
def test_what_others_could_have_read_is_refused(tmp_path: Path, loose: str) -> None:
    folder = tmp_path / "ca"
    ensure_authority(folder)
    (folder if loose == "folder" else folder / KEY_FILE).chmod(0o755)
    with pytest.raises(UsageError, match="others could read") as caught:
        ensure_authority(folder)
    assert str(folder) in caught.value.hint


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    ensure_authority(tmp_path / "elsewhere")
    (tmp_path / "ca").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="not a plain folder"):
        ensure_authority(tmp_path / "ca")


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "mine").write_text("x")
    with pytest.raises(UsageError, match="cannot keep"):
        ensure_authority(tmp_path / "ca")
    assert [path.name for path in tmp_path.rglob("*")] == ["ca", "mine"]


def test_the_umask_comes_back() -> None:
    before = os.umask(0o022)
    try:
        with pytest.raises(KeyError), private_umask():
            assert os.umask(0o077) == 0o077
            raise KeyError
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
