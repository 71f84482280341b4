"""Where results are kept: a folder a run, so that what was interrupted goes on and what was judged can be judged again.

<root>/<noise|quiet>/seed-<n>/<load>.seam      the capture of a seed
<root>/<noise|quiet>/seed-<n>/<case>.json      the report; what a verification left behind lies in <case>/
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cases import Case


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one way to run, with the noise on or off."""

    root: Path
    noise: bool

    def folder(self, seed: int) -> Path:
        """Where everything of a seed lies; made where it is missing."""
        folder = self.root / ("noise" if self.noise else "quiet") / f"seed-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def capture(self, seed: int, load: str) -> Path:
        """The recording that a seed's cases with this load share."""
        return self.folder(seed) / f"{load}.seam"

    def compared(self, seed: int, load: str) -> Path:
        """How many places its answers have, as a number in a file."""
        return self.folder(seed) / f"{load}.places"

    def work(self, case: Case, seed: int) -> Path:
        """Where a verification of `case` works: its configuration, its run folder, its messages."""
        return self.folder(seed) / case.id

    def path(self, case: Case, seed: int) -> Path:
        """The report of `case`."""
        return self.folder(seed) / f"{case.id}.json"

    def report(self, case: Case, seed: int) -> dict[str, Any] | None:
        """What was reported; None where there is nothing, or nothing whole."""
        try:
            return dict(json.loads(self.path(case, seed).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None

    def places(self, seed: int, load: str) -> int:
        """How many places the answers of that capture have; 0 where nobody has counted."""
        try:
            return int(self.compared(seed, load).read_text())
        except (OSError, ValueError):
            return 0

    def forget(self, case: Case, seed: int) -> None:
        """Make room for another verification of `case`."""
        self.path(case, seed).unlink(missing_ok=True)
        shutil.rmtree(self.work(case, seed), ignore_errors=True)

    def tidy(self, case: Case, seed: int) -> None:
        """Drop the runs behind a report that said what it should: nobody will ask them anything."""
        shutil.rmtree(self.work(case, seed) / ".seamline", ignore_errors=True)
