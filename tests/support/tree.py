"""The project's own source, read as text: what the architecture tests look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("capture", "replay", "diffing", "cli")


@dataclass(frozen=True)
class Import:
    """One import: by which file, of which module (dotted, ours without the leading `seamline.`), at which line."""

    file: Path
    module: str
    line: int
    at_top: bool

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def modules(*folders: str) -> list[Path]:
    """Every module below `folders`, relative to the root."""
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> Iterator[Import]:
    """What `path` (relative to the root) imports, relative imports resolved."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    top_level = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, alias.name, node.lineno, id(node) in top_level)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield Import(path, node.module or "", node.lineno, id(node) in top_level)
        elif isinstance(node, ast.ImportFrom):
            base = path.parent.parts[: len(path.parent.parts) - node.level + 1]
            stem = ".".join((*base, *(node.module or "").split("."))).rstrip(".")
            names = [stem] if node.module else [f"{stem}.{alias.name}" for alias in node.names]
            for name in names:
                yield Import(path, name, node.lineno, id(node) in top_level)
