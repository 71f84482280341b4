"""S3 as a downstream: boto3 in the service, moto as the store behind a tap; each answer is XML or an object's bytes."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from seamline.capture.model import Exchange
from seamline.capture.store.reader import open_capture
from seamline.diffing.report.model import Report, Severity, Verdict
from support.projects import write_requests
from support.services import write_server
from support.verifications import a_plan, verify

moto = pytest.importorskip("moto.server", reason="moto is not installed")
boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
pytestmark = pytest.mark.slow

ACCESS, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OPTIONS = f'aws_access_key_id="{ACCESS}", aws_secret_access_key="{SECRET}", region_name="eu-west-1"'
# Writes, reads and lists what belongs to one customer; MODE is the change.
ANSWER = f"""
import boto3
mode = os.environ.get("MODE", "")
store = boto3.client("s3", endpoint_url=os.environ["S3_URL"], {OPTIONS})

def answer(handler):
    name = handler.path.rpartition("/")[2]
    prefix = "" if mode == "prefix" else f"{{name}}/"
    more = {{}} if mode == "plain" else {{"ServerSideEncryption": "AES256"}}
    store.put_object(Bucket="files", Key=f"{{name}}/a.txt", Body=b"hello " + name.encode(), ContentType="text/plain", **more)
    if mode == "twice":
        store.head_object(Bucket="files", Key=f"{{name}}/a.txt")
    read = store.get_object(Bucket="files", Key=f"{{name}}/a.txt")["Body"].read().decode()
    held = store.list_objects_v2(Bucket="files", Prefix=prefix).get("Contents", [])
    return 200, json.dumps({{"read": read, "held": [each["Key"] for each in held if each["Key"].startswith(name)]}})
"""
CONFIG = """
[service]
name = "files"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz" }}
[[downstream]]
name = "s3"
protocol = "http"
address = "127.0.0.1:{port}"
env = {{ S3_URL = "http://{{tap}}" }}
[verify]
capture = ["files.seam"]
budget = "100s"
repeats = 2
"""


@pytest.fixture(scope="module")
def store() -> Iterator[int]:
    """A store with one empty bucket; its port."""
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
        region_name="eu-west-1",
    )  # fmt: skip
    client.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    socket.create_connection((host, port), 5).close()
    yield port
    server.stop()


def verified(folder: Path, store: int, mode: str) -> tuple[Report, list[Exchange]]:
    command = write_server(folder, ANSWER)
    write_requests(folder / "files.seam", [f"/files/{name}" for name in ("ada", "bob", "cyd", "dan", "eve", "fay")])
    config = folder / "seamline.toml"
    sides = f'[candidate]\nenv = {{ MODE = "{mode}" }}\n'
    config.write_text(CONFIG.format(command=command, port=store) + sides, encoding="utf-8")
    report, _, runs = verify(a_plan(config))
    with open_capture(runs / "baseline-1.seam") as capture:
        return report, list(capture)


def test_what_a_service_asks_of_its_store_is_recorded_and_clean(tmp_path: Path, store: int) -> None:
    report, exchanges = verified(tmp_path, store, "")
    calls = [each for each in exchanges if each.service == "s3"]
    assert [each.request.method for each in calls[:3]] == ["PUT", "GET", "GET"]
    assert all(each.links[0].confidence >= 0.9 for each in calls)
    told = repr(exchanges)
    assert ACCESS not in told
    assert SECRET not in told
    assert any(b"hello ada" in each.response.body for each in calls if each.response is not None)
    assert (report.verdict, [each for each in report.findings if each.severity > Severity.INFO]) == (Verdict.SAME, [])


@pytest.mark.parametrize(
    ("mode", "surface", "kind", "about"),
    [
        ("prefix", "http", "request_changed", "query.prefix"),
        ("twice", "http", "extra", "HEAD"),
    ],
)
def test_a_changed_request_to_the_store_is_found(
    tmp_path: Path, store: int, mode: str, surface: str, kind: str, about: str
) -> None:
    report, _ = verified(tmp_path, store, mode)
    found = [each for each in report.findings if each.severity > Severity.INFO]
    assert report.verdict is Verdict.DIVERGED
    assert {(each.surface.value, each.kind, each.service) for each in found} == {(surface, kind, "s3")}
    assert all(about in f"{each.path} {each.operation}" for each in found)
