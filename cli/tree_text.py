"""One request with all that it caused, as a tree of lines."""

from rich.text import Text
from rich.tree import Tree

from ..capture.model import Exchange
from ..capture.text import printable
from ..capture.tree import Branch

MAX_LINE = 160
SURE = 0.9


def rich_tree(branch: Branch) -> Tree:
    """The tree for a console; nothing in it steers a terminal."""
    tree = Tree(_line(branch.exchange))
    _grow(tree, branch)
    return tree


def _grow(tree: Tree, branch: Branch) -> None:
    for child in branch.children:
        _grow(tree.add(_line(child.exchange)), child)


def _line(e: Exchange) -> Text:
    text = Text(printable(f"{e.service} ", 60), style="bold")
    text.append(printable(asked(e), MAX_LINE).replace("\n", " "), style="not bold")
    text.append(f"  {answered(e)}", style="not bold red" if failed(e) else "not bold green")
    text.append(f"  {e.latency_us / 1000:.1f} ms", style="not bold dim")
    if e.links and e.links[0].confidence < SURE:
        text.append(f"  uncertain ({e.links[0].how.value}, {e.links[0].confidence:.2f})", style="not bold yellow")
    text.append(f"  #{e.seq}", style="not bold dim")
    return text


def asked(e: Exchange) -> str:
    """What an exchange asks, on a line: a request line, a SQL text, a command with its key, a subject."""
    request = e.request
    if not request.operation:
        return f"{request.method} {request.target}"
    if e.protocol in ("postgres", "mysql", "grpc"):
        return request.operation
    return f"{request.operation} {request.target}".rstrip()


def answered(e: Exchange) -> str:
    """How it was answered, in a word."""
    if e.failure is not None:
        return e.failure.kind.value
    if e.response is None:
        return "-"
    if e.protocol == "grpc":
        return f"grpc {e.response.headers.get('grpc-status') or '-'}"
    if not e.request.operation:
        return str(e.response.status)
    return f"{'error' if e.response.status else 'ok'} {printable(e.response.reason, 40)}".rstrip()


def failed(e: Exchange) -> bool:
    """Whether there is no answer, or one that says so."""
    if e.response is None:
        return True
    if e.protocol == "grpc":
        return (e.response.headers.get("grpc-status") or "0") != "0"
    return e.response.status >= 500 if not e.request.operation else e.response.status != 0
