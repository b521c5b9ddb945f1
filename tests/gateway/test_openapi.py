"""The description of the interface says what the code does."""

import json
from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest

from dashboard.instance import ROOT
from gateway.asgi import BELOW, ROUTES
from gateway.completions import CompletionRequest
from gateway.embeddings import EmbeddingRequest
from gateway.openapi import DOCUMENT, PATHS
from gateway.requests import ChatRequest

COMMITTED = Path(ROOT) / "docs" / "openapi.json"
BOUNDS = {"ge": "minimum", "le": "maximum", "min_length": "minItems"}
REQUESTS = [ChatRequest, CompletionRequest, EmbeddingRequest]


def test_everybody_may_read_it(client: httpx.Client) -> None:
    answer = client.get("/v1/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == DOCUMENT


def test_the_committed_copy_is_the_same() -> None:
    written = json.dumps(DOCUMENT, indent=1) + "\n"

    assert COMMITTED.read_text() == written, "write it with: manage.py write_openapi"


def test_every_address_is_described_and_no_other() -> None:
    served = {(path.removeprefix("/v1"), method) for path, (method, _) in ROUTES.items()}
    served |= {(path.removeprefix("/v1"), method) for path, (method, _) in BELOW.items()}

    described = {
        (path.partition("{")[0], method.upper()) for path in PATHS for method in PATHS[path]
    }

    assert described == served - {("/openapi.json", "GET")}


@pytest.mark.parametrize("request_type", REQUESTS, ids=lambda kind: kind.__name__)
def test_the_fields_of_a_request_and_their_bounds_are_those_that_are_checked(
    request_type: Any,
) -> None:
    schema = DOCUMENT["components"]["schemas"][request_type.__name__]
    fields = msgspec.structs.fields(request_type)

    assert set(schema["properties"]) == {field.name for field in fields}
    assert set(schema["required"]) == {field.name for field in fields if field.required}
    for field in fields:
        given = schema["properties"][field.name]
        for meta in metas(field.type):
            for name, keyword in BOUNDS.items():
                if (bound := getattr(meta, name)) is not None:
                    assert given[keyword] == bound, field.name


def metas(annotation: Any) -> list[msgspec.Meta]:
    """Every constraint that an annotation holds."""
    found = list(getattr(annotation, "__metadata__", ()))
    return found + [meta for argument in get_args(annotation) for meta in metas(argument)]
