"""One door to the engines."""

import asyncio
import sys
from pathlib import Path

import pytest

from seamline.capture.engines.door import EngineSpec, check_engine, check_proxy, choose_engine, open_engine
from seamline.capture.engines.tap import Tap
from seamline.capture.errors import UsageError
from seamline.capture.links import LinkIndex
from support.taps import MemorySink


@pytest.mark.parametrize(
    ("kind", "upstream", "chosen"),
    [
        ("auto", "http://a:1", "tap"),
        ("auto", "a:1", "tap"),
        ("auto", "https://a", "proxy"),
        ("auto", None, "proxy"),
        ("tap", "http://a:1", "tap"),
        ("proxy", "http://a:1", "proxy"),
    ],
)
def test_auto_takes_the_tap_where_it_can(kind: str, upstream: str | None, chosen: str) -> None:
    assert choose_engine(kind, upstream) == chosen


@pytest.mark.parametrize("upstream", ["https://a", None])
def test_a_tap_does_cleartext_only(upstream: str | None) -> None:
    with pytest.raises(UsageError, match="cleartext"):
        choose_engine("tap", upstream)


@pytest.mark.parametrize("kind", ["wire", "mirror", "magic"])
def test_what_is_not_there_says_what_is(kind: str) -> None:
    with pytest.raises(UsageError, match=kind) as caught:
        check_engine(kind)
    assert caught.value.hint


def test_a_tap_is_opened(tmp_path: Path) -> None:
    async def scene() -> None:
        spec = EngineSpec(("127.0.0.1", 0), "http://127.0.0.1:1", "svc", tmp_path)
        engine = open_engine("auto", spec, MemorySink(), LinkIndex())
        assert isinstance(engine, Tap)
        assert engine.spec.upstream == ("127.0.0.1", 1)
        _, port = await engine.start()
        assert port > 0
        await engine.stop()

    asyncio.run(scene())


def test_a_missing_proxy_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitmproxy", None)
    with pytest.raises(UsageError) as caught:
        check_proxy()
    assert caught.value.hint == "pip install 'seamline[proxy]'"
