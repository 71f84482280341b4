"""The sanitizing rules that an option or the configuration names."""

from pathlib import Path

from ..capture.errors import UsageError
from ..capture.sanitize.rules import Rules, parse_rules


def read_rules(path: Path | None) -> Rules:
    """The rules in `path`, the built-in ones where it is None; UsageError, with the path, where it holds none."""
    if path is None:
        return Rules()
    try:
        return parse_rules(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text at byte {error.start}", "save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "--rules, or [sanitize] rules, names a TOML file") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from error
