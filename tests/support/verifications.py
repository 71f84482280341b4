"""A verification of a project in a folder, as `seamline verify` runs it."""

import asyncio
import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from seamline.capture.sanitize.rules import Rules
from seamline.cli.config import load_config
from seamline.cli.verification import Verification, VerifyPlan
from seamline.diffing.report.model import Report, Severity


def a_plan(config_path: Path, **changes: object) -> VerifyPlan:
    config = load_config(config_path)
    plan = VerifyPlan(
        config=config,
        captures=config.verify.capture,
        budget_s=config.verify.budget_s,
        repeats=config.verify.repeats,
        fail_on=Severity.WARNING,
        only=None,
        allow_writes=False,
        allowed=(),
        rules=Rules(),
        key=b"k" * 32,
        seed=1,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]  # changes differ in type


def verify(plan: VerifyPlan) -> tuple[Report, list[str], Path]:
    """The report, the lines said meanwhile, the run folder."""
    said = io.StringIO()
    verification = Verification(plan, Console(file=said, width=200))

    async def main() -> Report:
        async with asyncio.timeout(120):
            return await verification.run()

    return asyncio.run(main()), said.getvalue().splitlines(), verification.folder
