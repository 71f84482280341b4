"""What verifications learnt of a baseline's noise, kept for the next one: `.seamline/noise/<key>.toml`.

The key names the baseline (its commit, command and variables' names) and the capture. Without a commit nobody knows
whether the code is still the same: then the noise is written beside the runs, and reused by nobody.
"""

from dataclasses import replace
from pathlib import Path

from ..capture.errors import UsageError
from ..diffing.noise.stored import MAX_BYTES, StoredNoise, noise_key, noise_text, read_noise
from ..replay.environments.checkout import Checkout
from ..replay.environments.spec import ServiceSpec

FILE = "noise.toml"


class NoiseMemory:
    """The noise of one baseline and capture: `known` from before (None where there is none), `keep` for later."""

    def __init__(self, project: Path, key: str) -> None:
        self._file = project / ".seamline" / "noise" / f"{key}.toml" if key else None
        self._key = key
        self.known = self._read()

    @classmethod
    async def of(cls, project: Path, baseline: ServiceSpec, capture_id: str) -> "NoiseMemory":
        """The memory of the service `baseline` sent the capture `capture_id`, in the project's folder."""
        if baseline.git is None:
            return cls(project, "")
        commit = await Checkout(baseline.cwd, baseline.git, what="[baseline] git").commit()
        # Values of variables may be secrets: their names tell baselines apart well enough.
        parts = [baseline.name, baseline.command or "", _below(project, baseline.cwd), *sorted(baseline.env)]
        return cls(project, noise_key([commit, capture_id, *parts]))

    def _read(self) -> StoredNoise | None:
        if self._file is None or not self._file.is_file():
            return None
        try:
            with self._file.open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
            text = raw.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{self._file}: {error}", "remove it: it will be learnt again") from error
        stored = read_noise(text, str(self._file))
        return stored if stored.key == self._key else None

    def keep(self, learnt: StoredNoise, folder: Path) -> None:
        """Write what was learnt to the run's `folder`, and where the baseline has a key, for the next verification."""
        text = noise_text(replace(learnt, key=self._key))
        (folder / FILE).write_text(text, encoding="utf-8")
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._file)


def _below(project: Path, folder: Path) -> str:
    """`folder` as seen from the project, since where that lies is a machine's own."""
    try:
        return folder.resolve().relative_to(project.resolve()).as_posix()
    except ValueError:
        return folder.name
