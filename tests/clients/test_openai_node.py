"""The official Node client, if it is installed (``npm install``), notices nothing either."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboard.instance import ROOT
from tests.gateway.site import Site
from tests.people import make_key

PROGRAM = Path(__file__).parent / "openai_node.mjs"


def test_chat_stream_models_and_errors_of_the_node_client(site: Site) -> None:
    if not shutil.which("node") or not (ROOT / "node_modules" / "openai").exists():
        pytest.skip("node or its package openai is not installed")
    site.see_catalog()
    keys = [make_key(), make_key(scopes=["models:read"]), make_key(requests_per_minute=1)]

    done = subprocess.run(
        ["node", str(PROGRAM), f"{site.url}/api/v1", *[key.plaintext for key in keys]],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["chat"] == said["streamed"] == "Hello, world!"
    assert "keyplex/echo" in said["models"]
    assert said["wrongKey"] == "AuthenticationError"
    assert said["missingScope"] == "PermissionDeniedError"
    assert said["overTheLimit"] == "RateLimitError"
