"""Differences and clusters for the tests of triage."""

from seamline.diffing.causes.cluster import Cluster
from seamline.diffing.comparison import Observation
from seamline.diffing.difference import Difference
from seamline.diffing.noise.model import Evidence
from seamline.diffing.report.model import Surface


def a_difference(kind: str = "value_changed", path: str | None = "$.total", **changes: object) -> Difference:
    """A changed response value, with `changes` of its fields."""
    fields: dict[str, object] = {
        "surface": Surface.RESPONSE, "kind": kind, "path": path, "before": 1, "after": 2, "transition": "number",
    }  # fmt: skip
    return Difference(**{**fields, **changes})  # type: ignore[arg-type]  # the table above is typed loosely


def a_cluster(one: Difference, *keys: str, endpoint: str = "GET /orders/{id}", of: int = 10) -> Cluster:
    """A cluster that shows `one` at the requests `keys`."""
    wanted = keys or ("t-1",)
    observations = {key: Observation(key, endpoint, one) for key in wanted}
    return Cluster(endpoint, one, Evidence(frozenset(), 0, 10), observations, dict.fromkeys(wanted, 1), of=of)
