"""`seamline record`: live traffic → a capture."""

from pathlib import Path

import click

from ..capture.addresses import TapText, parse_address, parse_taps
from ..capture.engines.door import ENGINES, check_engine, check_proxy, choose_engine
from ..capture.errors import UsageError
from ..capture.keys import load_key
from ..capture.wire.http1 import BODY_CAP
from ..replay.environments.spec import check_service
from .config import Config, load_config
from .loop import run_loop
from .options import message_console, output_option, quiet_option
from .recording import RecordPlan, run_recording
from .rules import read_rules
from .tables import duration_s

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MOST_BODY = 16 << 20
_WIRE_HINT = "a tap or a proxy records on a listener: give --listen and --upstream"


@click.command(name="record")
@click.option("--listen", metavar="HOST:PORT", help="Where clients connect instead of to the service.")
@click.option(
    "--upstream", metavar="URL", help="The service: http://HOST:PORT, https://HOST. Leave out for a forward proxy."
)
@click.option(
    "--tap", "taps", metavar="NAME=PROTOCOL:LISTEN=UPSTREAM", multiple=True, help="A downstream's tap; repeatable."
)
@click.option("--engine", type=click.Choice(ENGINES), default="auto", show_default=True, help="How traffic is seen.")
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="seamline.toml; starts [service].command."
)
@click.option("--service", metavar="NAME", help="What the recorded service is called.")
@click.option("--duration", metavar="TIME", help="Stop after so long: 30s, 5m, 1h.")
@click.option("--max-exchanges", type=click.IntRange(min=1), help="Stop after so many exchanges.")
@click.option("--rules", type=click.Path(path_type=Path), help="Sanitizing rules beyond the built-in ones (TOML).")
@click.option(
    "--sample", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Share of the sessions to record."
)
@click.option("--max-body", metavar="SIZE", default=None, help="Larger bodies are left out: 512k, 8m.  [default: 8m]")
@click.option("--interface", hidden=True, help="Not in this version.")
@click.option("--read", "read", hidden=True, help="Not in this version.")
@click.option("--port", "port", hidden=True, help="Not in this version.")
@output_option
@quiet_option
def command(
    *,
    listen: str | None,
    upstream: str | None,
    taps: tuple[str, ...],
    engine: str,
    config_path: Path | None,
    service: str | None,
    duration: str | None,
    max_exchanges: int | None,
    rules: Path | None,
    sample: float,
    max_body: str | None,
    interface: str | None,
    read: str | None,
    port: str | None,
    output: Path | None,
    quiet: bool,
) -> int:
    """Pass traffic on to a service and record it, sanitized, into a capture.

    Clients talk to --listen, the tap passes every byte on to --upstream. Ctrl-C (or SIGTERM) finishes the capture
    and says what it lacks. Leaves with 3 if the sanitizer process failed.

    \b
    seamline record --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9000 -o shop.seam
    seamline record --config seamline.toml
    """
    for option, value in (("--interface", interface), ("--read", read), ("--port", port)):
        if value is not None:
            raise UsageError(f"{option} belongs to --engine wire, which is not in this version", _WIRE_HINT)
    config = load_config(config_path) if config_path is not None else None
    plan = RecordPlan(
        listen=_listen(listen, config),
        upstream=_upstream(upstream, config),
        engine=engine,
        taps=_taps(taps),
        config=config if _starts_service(config, upstream) else None,
        service=service or (config.service.name if config is not None else "service"),
        output=_output(output, config),
        duration_s=_duration(duration),
        most=max_exchanges,
        rules=read_rules(rules or (config.rules if config is not None else None)),
        key=load_key(config.folder if config is not None else Path.cwd()),
        state=(config.folder if config is not None else Path.cwd()) / ".seamline",
        sample=sample,
        body_cap=_size(max_body),
    )
    _check(plan)
    return run_loop(run_recording(plan, message_console(quiet=quiet)))


def _listen(text: str | None, config: Config | None) -> tuple[str, int] | None:
    if text is not None:
        return parse_address(text, "--listen")
    return config.record.listen if config is not None else None


def _upstream(text: str | None, config: Config | None) -> str | None:
    if text is not None:
        if text.startswith("https://"):
            return text
        return text if "://" in text else f"http://{text}"
    return config.service.url if config is not None else None


def _starts_service(config: Config | None, upstream: str | None) -> bool:
    if config is None or upstream is not None or config.service.url is not None:
        return False
    check_service(config.service, f"{config.path}: [service]")
    return True


def _taps(texts: tuple[str, ...]) -> tuple[TapText, ...]:
    taps = parse_taps(texts)
    for tap in taps:
        if tap.upstream is None:
            raise UsageError(f"--tap {tap.name}: a stub records nothing", "name the real upstream")
    return taps


def _output(output: Path | None, config: Config | None) -> Path:
    path = output or (config.record.output if config is not None else None)
    if path is None:
        raise UsageError("no capture to write", "-o CAPTURE, or [record] output in the configuration")
    if str(path) == "-":
        raise UsageError("-o -: a capture is a file", "-o shop.seam")
    if path.is_dir():
        raise UsageError(f"{path}: is a directory", "-o names the capture's file")
    if not path.parent.is_dir():
        if output is not None:
            raise UsageError(f"{path.parent}: no such directory", "create it, or name another place with -o")
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _duration(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = duration_s(text if text[-1:].isalpha() else f"{text}s")
    if seconds is None:
        raise UsageError(f'--duration: "{text}" is not a time', "write 30s, 5m or 1h")
    return seconds


def _size(text: str | None) -> int:
    if text is None:
        return BODY_CAP
    plain = text.strip().lower().removesuffix("ib").removesuffix("b")
    number, unit = (plain[:-1], plain[-1:]) if plain[-1:].isalpha() else (plain, "")
    if not (number.isascii() and number.isdigit() and unit in _UNITS):
        raise UsageError(f'--max-body: "{text}" is not a size', "write 512k or 8m")
    size = int(number) * _UNITS[unit]
    if size > _MOST_BODY:
        raise UsageError(f"--max-body: {text} is over the limit of a capture's record", "16m is the most")
    return size


def _check(plan: RecordPlan) -> None:
    if plan.config is not None and plan.engine == "proxy":
        raise UsageError("--engine proxy does not start a service", "give --upstream and start it yourself")
    if plan.config is not None and plan.sample < 1:
        raise UsageError("--sample needs a service that runs already", "a service started here gets little traffic")
    check_engine(plan.engine)
    if plan.listen is None:
        if plan.upstream is not None or plan.config is not None:
            raise UsageError("nowhere to listen", "--listen HOST:PORT, or [record] listen in the configuration")
        if not plan.taps:
            raise UsageError("nothing to record", "--listen HOST:PORT --upstream URL, or --config seamline.toml")
        return
    if plan.config is None and choose_engine(plan.engine, plan.upstream) == "proxy":
        check_proxy()
