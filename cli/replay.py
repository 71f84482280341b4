"""`seamline replay`: a capture fired at a target → a run."""

import math
from dataclasses import replace
from pathlib import Path

import click

from ..capture.addresses import parse_taps
from ..capture.errors import UsageError
from ..capture.keys import load_key
from ..capture.where import compile_where
from ..replay.environments.spec import check_service
from ..replay.faults.spec import parse_faults
from ..replay.pace import parse_pace
from ..replay.safety import parse_target
from ..replay.shard import WHOLE, parse_shard
from ..replay.standins import downstream_of, with_faults
from .config import Config, load_config
from .loop import run_loop
from .options import color_option, config_option, message_console, output_option, quiet_option, seed_option
from .replaying import ReplayPlan, run_replay
from .rules import read_rules

# At a pace the recording decides how many sessions are under way, without one this does.
_PACED, _UNPACED = 1024, 64


@click.command(name="replay")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("--target", metavar="URL", help="Where to fire: http://HOST:PORT.")
@click.option("--pace", default="recorded", show_default=True, metavar="PACE", help="recorded, 2x, max or 500/s.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=None,
    help=f"Most requests under way at once.  [default: {_PACED}; {_UNPACED} at max]",
)
@click.option(
    "--timeout", type=click.FloatRange(0.001, 86_400), default=30.0, show_default=True, help="Seconds for an answer."
)
@click.option(
    "--tap",
    "taps",
    multiple=True,
    metavar="NAME=PROTOCOL:LISTEN=UPSTREAM|stub",
    help="A downstream's tap or stub; repeatable.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME=FAULT", help="Goes wrong at a downstream; repeatable.")
@click.option("--allow-writes", is_flag=True, help="Fire requests with side effects too.")
@click.option(
    "--allow-target", "allowed", multiple=True, metavar="HOST", help="A host that may be fired at; repeatable."
)
@click.option("--shard", default=None, metavar="I/N", help="Only this part of the sessions.")
@click.option("--resume", is_flag=True, help="Go on where a replay to the same -o ended before its time.")
@click.option("--where", "where", default=None, metavar="EXPR", help="Only exchanges that match.")
@config_option
@output_option
@quiet_option
@color_option
@seed_option
def command(
    *,
    capture: Path,
    target: str | None,
    pace: str,
    concurrency: int | None,
    timeout: float,
    taps: tuple[str, ...],
    faults: tuple[str, ...],
    allow_writes: bool,
    allowed: tuple[str, ...],
    shard: str | None,
    where: str | None,
    resume: bool,
    config_path: Path | None,
    output: Path | None,
    quiet: bool,
    no_color: bool,
    seed: int,
) -> int:
    """Fire the inbound requests of CAPTURE at a target and write what came of them as a run.

    Order is kept within a session; sessions run side by side. Only a loopback address is fired at unless
    --allow-target names another, and requests with side effects only with --allow-writes or at a service that
    --config starts. Leaves with 3 where nothing was answered or the target went away.

    \b
    seamline replay shop.seam --target http://127.0.0.1:9000 -o run.seam
    seamline replay shop.seam --config seamline.toml --pace max -o run.seam
    """
    config = load_config(config_path) if config_path is not None else None
    if target is None and config is None:
        raise UsageError("one target is needed", "--target URL, or --config seamline.toml to start the service")
    if target is None and config is not None:
        check_service(config.service, f"{config.path}: [service]")
    starts = target is None and config is not None and config.service.is_started
    if math.isnan(timeout):
        raise UsageError("--timeout nan is not a time", "write seconds, for example --timeout 30")
    timing = parse_pace(pace)
    tapped = parse_taps(taps)
    own = config if target is None else None
    told = [*map(downstream_of, tapped), *(own.downstreams if own is not None else ())]
    downstreams = with_faults(told, parse_faults(faults))
    if own is not None:
        own = replace(own, downstreams=downstreams[len(tapped) :])
    plan = ReplayPlan(
        capture=capture,
        output=_output(output, capture),
        target=parse_target(target) if target is not None else None,
        config=own,
        pace=timing,
        concurrency=concurrency or (_PACED if timing.timed else _UNPACED),
        timeout_s=timeout,
        taps=tuple(zip(tapped, downstreams, strict=False)),
        allow_writes=allow_writes or starts,
        allow_messages=allow_writes,
        resume=resume,
        allowed=allowed,
        shard=parse_shard(shard) if shard is not None else WHOLE,
        where=compile_where(where) if where is not None else None,
        key=load_key(_project(config)),
        rules=read_rules(config.rules if config is not None else None),
        seed=seed,
    )
    return run_loop(run_replay(plan, message_console(quiet=quiet, no_color=no_color)))


def _output(output: Path | None, capture: Path) -> Path:
    if output is None or str(output) == "-":
        raise UsageError("no run to write", "-o RUN.seam")
    if output.is_dir():
        raise UsageError(f"{output}: is a directory", "-o names the run's file")
    if not output.parent.is_dir():
        raise UsageError(f"{output.parent}: no such directory", "create it, or name another place with -o")
    if output.exists() and capture.exists() and output.samefile(capture):
        raise UsageError(f"{output}: a run must not replace its capture", "name another file with -o")
    return output


def _project(config: Config | None) -> Path:
    return config.folder if config is not None else Path.cwd()
