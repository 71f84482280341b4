"""The house rules, held: who may import whom, what is pure, where a large library may be named."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from support.tree import PACKAGES, ROOT, Import, imports_of, modules

MAY_IMPORT = {
    "capture": {"capture"},
    "replay": {"replay", "capture"},
    "diffing": {"diffing", "capture"},
    "cli": {"cli", "capture", "replay", "diffing", "samples"},
    "samples": {"samples"},
}

# A large library has one room: a file, or a folder.
ONE_PLACE = {
    "click": ("cli/",),
    "mitmproxy": ("capture/engines/proxy.py",),
    "deepdiff": ("diffing/explain.py",),
    "msgpack": ("capture/store/",),
    "jinja2": ("diffing/report/html.py",),
    "aiohttp": ("samples/shop/",),
    "scapy": (),
    "psycopg": ("replay/isolation/postgres.py", "samples/shop/"),
    "pymysql": ("replay/isolation/mysql.py",),
    "aiokafka": ("replay/transport/bus/kafka.py",),
    "bson": ("capture/wire/mongodb/",),
    "h2": ("replay/stubs/grpc.py",),
    "hpack": ("capture/wire/header_blocks.py",),
    "opentelemetry": ("capture/engines/otlp.py",),
    "pamqp": ("capture/wire/amqp/", "replay/transport/bus/amqp.py"),
    "zstandard": ("capture/store/", "capture/codings.py"),
    "brotli": ("capture/codings.py",),
}

# Folders and files that compute and never touch the world.
PURE = (
    "capture/model.py",
    "capture/errors.py",
    "capture/headers.py",
    "capture/linking/",
    "capture/links.py",
    "capture/text.py",
    "capture/tree.py",
    "capture/codings.py",
    "capture/where.py",
    "capture/describe.py",
    "capture/grpc_body.py",
    "capture/headline.py",
    "capture/protobuf.py",
    "capture/wire/",
    "capture/sanitize/",
    "replay/addressed.py",
    "replay/delivery.py",
    "replay/effects.py",
    "replay/messages.py",
    "replay/places.py",
    "replay/plan.py",
    "replay/pace.py",
    "replay/safety.py",
    "replay/shard.py",
    "replay/tracing.py",
    "replay/environments/spec.py",
    "replay/environments/provided.py",
    "replay/environments/attempts.py",
    "replay/environments/marks.py",
    "replay/environments/netlink.py",
    "replay/environments/extract.py",
    "replay/isolation/access.py",
    "replay/isolation/asked.py",
    "replay/isolation/mystate.py",
    "replay/isolation/names.py",
    "replay/isolation/pgstate.py",
    "replay/isolation/tables.py",
    "replay/faults/spec.py",
    "replay/stubs/asked.py",
    "replay/stubs/index.py",
    "replay/stubs/match.py",
    "replay/stubs/misses.py",
    "replay/stubs/origins.py",
    "replay/stubs/protocols.py",
    "replay/stubs/renamed.py",
    "replay/stubs/tally.py",
    "replay/values/bodies.py",
    "replay/values/decodings.py",
    "replay/values/expanding.py",
    "replay/values/json_path.py",
    "replay/values/link.py",
    "replay/values/links.py",
    "replay/values/markup.py",
    "replay/values/names.py",
    "replay/values/place.py",
    "replay/values/read.py",
    "replay/values/resolver.py",
    "replay/values/sinks.py",
    "replay/values/sources.py",
    "replay/values/subject.py",
    "replay/values/telling.py",
    "replay/values/urls.py",
    "replay/values/walk.py",
    "diffing/",
)
WORLD = {
    "asyncio", "multiprocessing", "os", "random", "secrets", "select", "shutil", "signal", "socket", "subprocess",
    "tempfile", "threading", "time", "uvloop",
}  # fmt: skip


def starts(path: Path, prefixes: tuple[str, ...]) -> bool:
    return any(str(path) == prefix or (prefix.endswith("/") and str(path).startswith(prefix)) for prefix in prefixes)


def every_import(*folders: str) -> list[Import]:
    return [item for path in modules(*folders) for item in imports_of(path)]


def test_folders_import_what_the_table_allows() -> None:
    strays = [
        str(item)
        for item in every_import(*MAY_IMPORT)
        if item.top in MAY_IMPORT and item.top not in MAY_IMPORT[item.file.parts[0]]
    ]
    assert strays == []


def test_our_own_folders_are_imported_relatively() -> None:
    absolute = []
    for path in modules(*MAY_IMPORT):
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            words = line.split()
            if words[:1] in (["import"], ["from"]) and words[1].split(".")[0] in {*MAY_IMPORT, "seamline"}:
                absolute.append(f"{path}:{number} {line.strip()}")
    assert absolute == [], "a bare name is a second copy of every class"


@pytest.mark.parametrize("library", sorted(ONE_PLACE))
def test_a_large_library_is_imported_in_one_place(library: str) -> None:
    strays = [
        str(item)
        for item in every_import(*MAY_IMPORT)
        if item.top == library and not starts(item.file, ONE_PLACE[library])
    ]
    assert strays == []


def test_pure_modules_do_not_touch_the_world() -> None:
    touching = [str(item) for item in every_import(*PACKAGES) if starts(item.file, PURE) and item.top in WORLD]
    assert touching == []


def test_pure_modules_exist() -> None:
    assert [name for name in PURE if not (ROOT / name).exists()] == []


def test_each_module_has_its_test() -> None:
    present = {path.name for path in (ROOT / "tests").glob("test_*.py")}
    missing = [
        f"{path} wants tests/test_{'_'.join(path.with_suffix('').parts)}.py"
        for path in modules(*PACKAGES)
        if path.name not in {"__init__.py", "__main__.py"}
        and f"test_{'_'.join(path.with_suffix('').parts)}.py" not in present
    ]
    assert missing == []


def test_each_test_has_its_module() -> None:
    """A test named after a folder of ours is named after a module that exists."""
    known = {f"test_{'_'.join(path.with_suffix('').parts)}.py" for path in modules(*PACKAGES)}
    strays = [
        path.name
        for path in (ROOT / "tests").glob("test_*.py")
        if path.name.split("_")[1] in PACKAGES and path.name not in known
    ]
    assert strays == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_exports_what_it_says_and_nothing_else(package: str) -> None:
    module = importlib.import_module(f"seamline.{package}")
    submodules = {path.stem for path in (ROOT / package).glob("*.py")} | {
        path.name for path in (ROOT / package).iterdir() if path.is_dir()
    }
    public = sorted(name for name in vars(module) if not name.startswith("_") and name not in submodules)
    assert sorted(module.__all__) == public


def test_help_loads_no_large_library() -> None:
    """`seamline --help` stays fast: what it loads is counted in modules, not in seconds."""
    heavy = ("mitmproxy", "scapy", "deepdiff", "msgpack", "jinja2", "aiohttp", "zstandard", "asyncio", "orjson")
    code = (
        "import sys; from seamline.cli.main import run; run(['--help']); "
        f"print('LOADED', [name for name in {heavy!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "LOADED []"
