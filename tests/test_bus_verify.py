"""`seamline verify` of a service that lives on messages, with a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seamline.capture.model import FailureKind, Role
from seamline.capture.store.reader import open_capture
from seamline.diffing.report.model import Verdict
from support.consumers import write_mailer
from support.nats_server import nats_server
from support.verifications import a_plan, verify

pytest.importorskip("nats")


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, int]]:
    with nats_server() as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["core", "stream", "blind"])
def test_a_consumer_against_itself_is_the_same(tmp_path: Path, broker: tuple[str, int], kind: str) -> None:
    config = write_mailer(tmp_path, broker, kind=kind)
    report, said, folder = verify(a_plan(config))
    assert (report.verdict, report.findings) == (Verdict.SAME, ()), said
    with open_capture(folder / "baseline-1.seam") as run:
        exchanges = list(run)
    consumed = [each for each in exchanges if each.role is Role.INBOUND]
    assert len(consumed) == 6
    assert all(each.origin and each.request.target == "{prefix}.orders.new" for each in consumed)
    told = [each for each in exchanges if each.request.target == "{prefix}.mail.send"]
    assert {each.parent for each in told} == {each.id for each in consumed}
