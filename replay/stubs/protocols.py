"""Which server speaks which protocol, by the names of their modules: nothing is imported to know it."""

from ...capture.errors import UsageError

SERVERS = {
    "http": ("http", "HttpStub"),
    "grpc": ("grpc", "GrpcStub"),
    "postgres": ("postgres", "PostgresStub"),
    "mysql": ("mysql", "MysqlStub"),
    "redis": ("redis", "RedisStub"),
}
"""Protocol to module of this folder and class in it."""

REAL, STUB, STUB_OR_REAL = "real", "stub", "stub-or-real"
MODES = (REAL, STUB, STUB_OR_REAL)
"""Pass calls on; answer them from the capture; answer, and pass on what the capture has no answer to."""

RECORDED, NONE = "recorded", "none"
LATENCIES = (NONE, RECORDED)
"""How long a stub takes: no time, or as long as the recorded answer took."""


def check_stub(protocol: str, where: str, mode: str = STUB) -> None:
    """UsageError where there is no stub for `protocol`, or none that works in `mode`."""
    if protocol not in SERVERS:
        raise UsageError(f"{where}: there is no stub for {protocol}", f"stubs speak {', '.join(SERVERS)}")
    if mode == STUB_OR_REAL and protocol != "http":
        raise UsageError(f'{where}: mode "{STUB_OR_REAL}" is for http only', 'mode = "stub", or "real"')
