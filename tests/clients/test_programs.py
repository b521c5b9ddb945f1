"""Clients of others, each walked through every feature by a program in its own language."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.instance import ROOT
from tests.clients.oracle import oracle
from tests.gateway.scripted import scripted_provider
from tests.gateway.site import Site
from tests.people import make_key

pytestmark = pytest.mark.clients
HERE, INSTALLED = Path(__file__).parent, ROOT / ".clients"
PROGRAMS = {
    "openai-python-1": ["openai-1", "openai_python.py"],
    "openai-python-3": ["openai-3", "openai_python.py"],
    "langchain": ["langchain", "langchain_client.py"],
    "litellm": ["litellm", "litellm_client.py"],
    "openai-node-7": ["node", "openai_node.mjs", "openai"],
    "openai-node-6": ["node", "openai_node.mjs", "openai-6"],
    "ai-sdk-compatible": ["node", "ai_sdk.mjs", "compatible"],
    "ai-sdk-openai": ["node", "ai_sdk.mjs", "openai"],
}


@pytest.fixture
def surroundings(site: Site) -> Iterator[dict[str, str]]:
    """What a program needs to know, as environment variables."""
    with scripted_provider() as provider:
        provider.reply = oracle
        limited = make_key(requests_per_minute=1)
        yield {
            **os.environ,
            "BASE_URL": f"{site.url}/v1",
            "API_KEY": make_key().plaintext,
            "READER_KEY": make_key(scopes=["models:read"]).plaintext,
            "LIMITED_KEY": limited.plaintext,
            "MODEL": provider.serves(context_window=4000),
            "EMBEDDING_MODEL": provider.serves(kind="embedding"),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "NODE_PATH": str(INSTALLED / "node" / "node_modules"),
        }


def command(place: str, program: str, *rest: str) -> list[str]:
    if place == "node":
        copy = INSTALLED / "node" / program  # modules are found from where the program lies
        shutil.copyfile(HERE / "programs" / program, copy)
        return ["node", str(copy), *rest]
    return [str(INSTALLED / place / "bin" / "python"), str(HERE / "programs" / program), *rest]


@pytest.mark.parametrize("client", PROGRAMS)
def test_every_feature_works(
    client: str,
    surroundings: dict[str, str],
    record_property: Callable[[str, object], None],
) -> None:
    place, *words = PROGRAMS[client]
    if not (INSTALLED / place).exists():
        pytest.skip(f"{place} is not installed; run ./test clients")

    done = subprocess.run(
        command(place, *words), env=surroundings, capture_output=True, text=True, timeout=180
    )

    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"feature"')]
    record_property("features", len(said))
    assert said, done.stderr
    assert [line for line in said if not line["ok"]] == []
    assert done.returncode == 0, done.stderr
