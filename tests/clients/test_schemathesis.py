"""Requests that nobody would think of, made from our own description of the interface."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.clients.places import needs, place_of
from tests.gateway.site import Site
from tests.people import make_key

pytestmark = pytest.mark.clients
CASES = 10_000
MODELS = ["keyplex/echo", "keyplex/embedding", "nobody/knows-it"]
CHECKS = [
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "unsupported_method"),
]


@pytest.fixture
def description(site: Site, tmp_path: Path) -> Path:
    """What the site says of itself, with names of models that exist, and of one that does not."""
    document = httpx.get(f"{site.url}/v1/openapi.json").json()
    for schema in document["components"]["schemas"].values():
        if "model" in schema.get("required", []):
            schema["properties"]["model"] = {"type": "string", "enum": MODELS}
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    return path


@needs("schemathesis")
def test_ten_thousand_requests_get_an_answer_that_is_described(
    site: Site, description: Path, record_property: Callable[[str, object], None]
) -> None:
    site.see_catalog()
    done = subprocess.run(
        [
            *(place_of("schemathesis") / "bin" / "schemathesis", "run", description),
            *("--url", f"{site.url}/v1"),
            *("--header", f"Authorization: Bearer {make_key().plaintext}"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(CASES // 8)),
            *("--checks", ",".join(CHECKS), "--continue-on-failure", "--workers", "2"),
            *("--suppress-health-check", "all"),
        ],
        cwd=description.parent,
        capture_output=True,
        text=True,
        timeout=3000,
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    generated = re.search(r"([\d,]+) generated, \1 passed", done.stdout)
    assert generated, done.stdout[-2000:]
    cases = int(generated[1].replace(",", ""))
    record_property("cases", cases)
    assert cases >= CASES
