"""One request with all that it caused, as a tree of lines."""

from rich.text import Text
from rich.tree import Tree

from ..capture.headline import answered, asked, failed
from ..capture.model import Exchange
from ..capture.text import printable
from ..capture.tree import Branch

MAX_LINE = 160
SURE = 0.9


def rich_tree(branch: Branch) -> Tree:
    """The tree for a console; nothing in it steers a terminal. A connection's housekeeping is left out and counted."""
    tree = Tree(_line(branch.exchange))
    _grow(tree, branch)
    hidden = sum(_is_setup(exchange) for _, exchange in branch.walk())
    if hidden:
        tree.add(Text(f"… and {hidden} of the connections' housekeeping", style="not bold dim"))
    return tree


def _grow(tree: Tree, branch: Branch) -> None:
    for child in branch.children:
        if not _is_setup(child.exchange):
            _grow(tree.add(_line(child.exchange)), child)


def _is_setup(e: Exchange) -> bool:
    return e.request.headers.get("setup") == "yes"


def _line(e: Exchange) -> Text:
    text = Text(printable(f"{e.service} ", 60), style="bold")
    text.append(_bounded(asked(e)), style="not bold")
    text.append(f"  {_bounded(answered(e))}", style="not bold red" if failed(e) else "not bold green")
    text.append(f"  {e.latency_us / 1000:.1f} ms", style="not bold dim")
    if e.links and e.links[0].confidence < SURE:
        text.append(f"  uncertain ({e.links[0].how.value}, {e.links[0].confidence:.2f})", style="not bold yellow")
    text.append(f"  #{e.seq}", style="not bold dim")
    return text


def _bounded(text: str) -> str:
    # A line break inside a value must not look like a branch of ours.
    return printable(text, MAX_LINE).replace("\n", "\\x0a")
