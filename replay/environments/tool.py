"""Commands of one tool for one environment: the same folder, the same variables, the same words before each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .run import check_ended, run_command


class Tool:
    """`words` come before the arguments of every call; `what` names the side in errors, `env` is added."""

    def __init__(self, words: Sequence[str], what: str, *, cwd: Path, env: Mapping[str, str]) -> None:
        self.words = tuple(words)
        self.what = what
        self.cwd = cwd
        self.env = dict(env)

    async def run(self, verb: str, *arguments: str, within_s: float) -> str:
        """Run it; what it wrote to standard output. CouldNotCheck, quoting its standard error, where it fails."""
        what = f"{self.what}: {verb}"
        ended = await run_command(
            [*self.words, *arguments], what, cwd=self.cwd, env=self.env, within_s=within_s, separate=True
        )
        check_ended(ended, what, within_s)
        return ended.output.decode("utf-8", "replace")
