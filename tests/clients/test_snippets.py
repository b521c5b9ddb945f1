"""The seeds' own snippets run as they stand, with base URL and key replaced and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.site import Site
from tests.people import make_key

SNIPPETS = Path(__file__).parent / "snippets"
RUN = {".py": [sys.executable], ".mjs": ["node"], ".sh": ["sh"]}
NEEDS = {".mjs": "node", ".sh": "curl"}


def run(name: str, site: Site, tmp_path: Path) -> str:
    """What the snippet prints against ``site``."""
    snippet, plaintext = SNIPPETS / name, make_key().plaintext
    needs = NEEDS.get(snippet.suffix)
    if needs and not shutil.which(needs):
        pytest.skip(f"{needs} is not installed")
    text = snippet.read_text()
    for before, after in [
        ("https://keyplex.ai", site.url),
        ("https://keymeai.com", site.url),
        ("kpx_your_api_key_here", plaintext),
        ("km-your-key-here", plaintext),
    ]:
        text = text.replace(before, after)
    program = tmp_path / f"snippet{snippet.suffix}"
    program.write_text(text)
    done = subprocess.run(
        [*RUN[snippet.suffix], str(program)],
        env={**os.environ, "KEYMEAI_KEY": plaintext},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name",
    ["keyplex_requests.py", "keyplex_fetch.mjs", "keymeai_requests.py", "keymeai_openai.py"],
)
def test_a_snippet_prints_the_answer(name: str, seeds: Site, tmp_path: Path) -> None:
    assert run(name, seeds, tmp_path).strip() == "four" * 5


def test_the_openai_snippet_runs(seeds: Site, tmp_path: Path) -> None:
    assert run("keyplex_openai.py", seeds, tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "model"),
    [("keyplex_curl.sh", "openai/gpt-4o-mini"), ("keymeai_curl.sh", "deepseek-chat")],
)
def test_curl_prints_the_document(name: str, model: str, seeds: Site, tmp_path: Path) -> None:
    document = json.loads(run(name, seeds, tmp_path))

    assert document["object"] == "chat.completion"
    assert document["model"] == model
    assert document["choices"][0]["message"]["content"] == "four" * 5


@pytest.mark.parametrize("name", ["keyplex_stream_requests.py", "keyplex_stream_fetch.mjs"])
def test_a_stream_prints_its_events(name: str, seeds: Site, tmp_path: Path) -> None:
    lines = [line for line in run(name, seeds, tmp_path).splitlines() if line]

    assert sum('"content":"four"' in line.replace(" ", "") for line in lines) == 5
    assert lines[-1] == "data: [DONE]"
