"""What is learnt of a baseline is found again for the same one, and for no other."""

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.cli.noise_memory import FILE, NoiseMemory
from seamline.diffing.noise.stored import StoredNoise, StoredPlace, read_noise
from seamline.replay.environments.spec import ServiceSpec

LEARNT = StoredNoise(
    "", {"GET /": 40}, (StoredPlace("GET /", ("response", "$.tags", "", ""), "order_changed", 20, 40, "order.unordered"),)
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit."""
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def service(project: Path) -> ServiceSpec:
    return ServiceSpec("shop", project, command="python -m shop", env={"MODE": "secret-1"}, git="HEAD")


def memory(project: Path, spec: ServiceSpec, capture: str = "cap") -> NoiseMemory:
    return asyncio.run(NoiseMemory.of(project, spec, capture))


def run_folder(project: Path) -> Path:
    folder = project / "run"
    folder.mkdir(exist_ok=True)
    return folder


def test_the_same_baseline_finds_what_was_learnt(project: Path) -> None:
    first = memory(project, service(project))
    assert first.known is None
    first.keep(LEARNT, run_folder(project))
    found = memory(project, service(project)).known
    assert found is not None
    assert (dict(found.trials), found.places) == (dict(LEARNT.trials), LEARNT.places)
    written = (project / "run" / FILE).read_text(encoding="utf-8")
    assert "secret-1" not in written
    assert read_noise(written).key == found.key


def test_another_baseline_finds_nothing(project: Path) -> None:
    one = service(project)
    memory(project, one).keep(LEARNT, run_folder(project))
    assert memory(project, replace(one, command="python -m other")).known is None
    assert memory(project, replace(one, env={"OTHER": "1"})).known is None
    assert memory(project, one, "another capture").known is None
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *author, "commit", "-q", "--allow-empty", "-m", "two"], cwd=project, check=True)
    assert memory(project, one).known is None


def test_a_working_tree_is_never_sure_to_be_the_same(tmp_path: Path) -> None:
    spec = ServiceSpec("shop", tmp_path, command="python -m shop")
    memory(tmp_path, spec).keep(LEARNT, run_folder(tmp_path))
    assert memory(tmp_path, spec).known is None
    assert read_noise((tmp_path / "run" / FILE).read_text(encoding="utf-8")).key == ""
    assert not (tmp_path / ".seamline").exists()


@pytest.mark.parametrize("content", [b"= =", b"\xff\xfe", b"#" * 5_000_000], ids=["no TOML", "no text", "too large"])
def test_a_broken_file_is_one_line(project: Path, content: bytes) -> None:
    memory(project, service(project)).keep(LEARNT, run_folder(project))
    (file,) = (project / ".seamline" / "noise").iterdir()
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        memory(project, service(project))
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message


def test_another_s_file_under_our_name_is_not_taken(project: Path) -> None:
    memory(project, service(project)).keep(LEARNT, run_folder(project))
    (file,) = (project / ".seamline" / "noise").iterdir()
    file.write_text(file.read_text(encoding="utf-8").replace('key = "', 'key = "x'), encoding="utf-8")
    assert memory(project, service(project)).known is None
