"""Which protocols have a stub, without importing one."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from seamline.capture.errors import UsageError
from seamline.replay.stubs.protocols import SERVERS, STUB_OR_REAL, check_stub


@pytest.mark.parametrize("protocol", SERVERS)
def test_every_server_named_is_there(protocol: str) -> None:
    module, _ = SERVERS[protocol]
    assert find_spec(f"seamline.replay.stubs.{module}") is not None
    check_stub(protocol, "here")


def test_a_protocol_without_a_stub_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"here: there is no stub for kafka.*http, grpc"):
        check_stub("kafka", "here")
    with pytest.raises(UsageError, match="for http only"):
        check_stub("postgres", "here", STUB_OR_REAL)
    check_stub("http", "here", STUB_OR_REAL)


def test_knowing_the_names_imports_no_server() -> None:
    code = "import sys, seamline.replay.stubs.protocols; assert 'seamline.replay.stubs.http' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
