"""`seamline replay`: a capture fired at a target → a run."""

from pathlib import Path

import click

from ..capture.addresses import TapText, parse_tap
from ..capture.errors import UsageError
from ..capture.keys import load_key
from ..capture.where import compile_where
from ..replay.environments.spec import check_service
from ..replay.pace import parse_pace
from ..replay.safety import parse_target
from ..replay.shard import WHOLE, parse_shard
from .config import Config, load_config
from .loop import run_loop
from .options import color_option, config_option, message_console, output_option, quiet_option, seed_option
from .replaying import ReplayPlan, run_replay


@click.command(name="replay")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("--target", metavar="URL", help="Where to fire: http://HOST:PORT.")
@click.option("--pace", default="recorded", show_default=True, metavar="PACE", help="recorded, 2x, max or 500/s.")
@click.option("--concurrency", type=click.IntRange(1, 10_000), default=None, help="Sessions at once. [default: 64]")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True, help="Seconds.")
@click.option(
    "--tap", "taps", multiple=True, metavar="NAME=http:LISTEN=UPSTREAM", help="A downstream's tap; repeatable."
)
@click.option("--allow-writes", is_flag=True, help="Fire requests with side effects too.")
@click.option(
    "--allow-target", "allowed", multiple=True, metavar="HOST", help="A host that may be fired at; repeatable."
)
@click.option("--shard", default=None, metavar="I/N", help="Only this part of the sessions.")
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
    allow_writes: bool,
    allowed: tuple[str, ...],
    shard: str | None,
    where: str | None,
    config_path: Path | None,
    output: Path | None,
    quiet: bool,
    no_color: bool,
    seed: int,
) -> int:
    """Fire the inbound requests of CAPTURE at a target and write what came of them as a run.

    Order is kept within a session; sessions run side by side. Only a loopback address is fired at unless
    --allow-target names another, and requests with side effects only with --allow-writes or at a service that
    --config starts. Exit code 3 where nothing was answered or the target went away.
    """
    config = load_config(config_path) if config_path is not None else None
    if (target is None) == (config is None):
        raise UsageError("one target is needed", "--target URL, or --config seamline.toml to start the service")
    if config is not None:
        check_service(config.service, f"{config.path}: [service]")
    if output is None or str(output) == "-":
        raise UsageError("no run to write", "-o RUN.seam")
    started_by_us = config is not None and config.service.command is not None
    plan = ReplayPlan(
        capture=capture,
        output=output,
        target=parse_target(target) if target is not None else None,
        config=config,
        pace=parse_pace(pace),
        concurrency=concurrency or 64,
        timeout_s=timeout,
        taps=tuple(_tap(text) for text in taps),
        allow_writes=allow_writes or started_by_us,
        allowed=allowed,
        shard=parse_shard(shard) if shard is not None else WHOLE,
        where=compile_where(where) if where is not None else None,
        key=load_key(_project(config)),
        seed=seed,
    )
    return run_loop(run_replay(plan, message_console(quiet=quiet, no_color=no_color)))


def _project(config: Config | None) -> Path:
    return config.path.parent if config is not None else Path()


def _tap(text: str) -> TapText:
    tap = parse_tap(text)
    if tap.upstream is None:
        raise UsageError(f"--tap {tap.name}: stubs are not in this version", "name the real upstream")
    if tap.protocol != "http":
        raise UsageError(f"--tap {tap.name}: protocol {tap.protocol} is not in this version", "http is")
    return tap
