"""The commands that the README and the guides show exist, with every option that they are shown with."""

import re
import shlex
from pathlib import Path

import click
import pytest

from seamline.cli.main import root

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def shown() -> list[tuple[str, str]]:
    """Every `seamline …` line of a fenced block, with its page; continued lines joined, comments and pipes cut."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```[^\n]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(seamline [a-z].*)", line.strip())
                if command:
                    found.append((page.name, re.split(r"\s#\s|\s[|&]|\s2?>", command.group(1))[0]))
    return found


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` lead to, and what is left of them."""
    found: click.Command = root
    while isinstance(found, click.Group) and words:
        context = click.Context(found)
        name, words = words[0], words[1:]
        below = found.get_command(context, name)
        assert below is not None, f"no such command: {name}"
        found = below
    return found, words


def test_the_guides_show_commands() -> None:
    assert len(shown()) > 15


@pytest.mark.parametrize(("page", "line"), shown())
def test_a_shown_command_exists_with_its_options(page: str, line: str) -> None:
    command, rest = command_of(shlex.split(line)[1:])
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help", "-h"}
    used = {word.split("=", 1)[0] for word in rest if re.match(r"--?[a-z]", word)}
    assert used - known == set(), page
