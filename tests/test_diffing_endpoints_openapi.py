"""Documented paths: found in a recorded answer, bounded, and matched most literally first."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Response
from seamline.diffing.endpoints.openapi import MAX_PATHS, Documented, document_paths
from support.captures import an_exchange


def answered(document: object, status: int = 200) -> list[str]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return document_paths(an_exchange(response=Response(status, Headers(), body)))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"openapi": "3.0.1", "paths": {"/a/{id}": {}}}, ["/a/{id}"]),
        ({"openapi": "3.0.1", "servers": [{"url": "https://x/v1/"}], "paths": {"/a": {}}}, ["/v1/a"]),
        ({"openapi": "3.0.1", "servers": [{"url": "/{tenant}/v1"}], "paths": {"/a": {}}}, ["/a"]),
        ({"swagger": "2.0", "basePath": "/api", "paths": {"/a": {}, "x-y": {}}}, ["/api/a"]),
        ({"openapi": "3.0.1", "paths": []}, []),
        ({"openapi": "3.0.1", "servers": [7], "paths": {"/a": {}}}, ["/a"]),
        ({"openapi": "3.0.1", "servers": [{"url": "http://[x/"}], "paths": {"/a": {}}}, ["/a"]),
        ({"paths": {"/a": {}}}, []),
        (b'{"openapi": "3.0.1", broken........', []),
    ],
)
def test_documents(document: object, expected: list[str]) -> None:
    assert answered(document) == expected


def test_an_error_is_no_document() -> None:
    assert answered({"openapi": "3.0.1", "paths": {"/a": {}}}, 404) == []


def test_the_most_literal_path_wins() -> None:
    documented = Documented(["/a/{x}", "/a/all", "/{y}/{x}", "/files/{name}.json"])
    assert documented.template(("a", "all")) == ("a", "all")
    assert documented.template(("a", "17")) == ("a", "{x}")
    assert documented.template(("b", "17")) == ("{y}", "{x}")
    assert documented.template(("files", "x.json")) == ("files", "{name}.json")
    assert documented.template(("a", "b", "c")) == ()
    assert Documented([]).template(("a",)) == ()


def test_paths_are_bounded() -> None:
    paths = {f"/p{number}": {} for number in range(MAX_PATHS + 10)}
    assert len(answered({"openapi": "3.0.1", "paths": paths})) == MAX_PATHS


@given(st.lists(st.text("a/{}", max_size=8).map(lambda text: f"/{text}")), st.lists(st.text("a{}", max_size=3)))
def test_any_path_may_be_documented(paths: list[str], segments: list[str]) -> None:
    found = Documented(paths).template(tuple(segments))
    assert len(found) in {0, len(segments)}
