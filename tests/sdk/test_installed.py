"""The SDKs install as their READMEs say, beside the oldest and the newest client of OpenAI."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboard.instance import ROOT
from tests.gateway.conftest import Recorded
from tests.people import make_key
from tests.sdk import test_node
from tests.sdk.conftest import Person

pytestmark = pytest.mark.clients
PROGRAMS = Path(__file__).parent / "programs"
UV = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("resolution", "major"), [("highest", 3), ("lowest-direct", 1)])
def test_python(
    owner: Person, recorded: Recorded, tmp_path: Path, resolution: str, major: int
) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    hasty = make_key(own={"requests_per_minute": 1}).plaintext
    run(UV, "venv", "--python", "3.11", "venv", cwd=tmp_path)
    install = [UV, "pip", "install", "--python", python, "--resolution", resolution]
    run(*install, ROOT / "sdk" / "python", cwd=tmp_path)
    request_id = test_node.chat(owner)
    recorded(request_id)

    program = [python, PROGRAMS / "walk.py", str(owner.client.base_url), request_id]
    said: dict[str, Any] = json.loads(run(*program, owner.issued.plaintext, hasty, cwd=tmp_path))

    assert said == {
        "major": major,
        "typed": True,
        "chat": "Hello, world!",
        "streamed": "Hello, world!",
        "usage": 1,
        "limits": 3,
        "key": "key",
        "explained": 8,
        "events": ["api_key.created"],
        "code": "rate_limit_exceeded",
        "retries": True,
        "left": 0,
        "left_before": 0,
    }


@pytest.mark.parametrize("beside", [[], ["openai@5.23.2"], ["openai@7"]])
def test_javascript(
    owner: Person,
    colleague: Person,
    stranger: Person,
    recorded: Recorded,
    tmp_path: Path,
    beside: list[str],
) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    (tmp_path / "package.json").write_text('{"private": true}')
    install = ["npm", "install", "--no-audit", "--no-fund", "--install-links"]
    run(*install, ROOT / "sdk" / "js", *beside, cwd=tmp_path)
    program = shutil.copy(PROGRAMS / "walk.mjs", tmp_path)

    said = test_node.walk("keyplex", [owner, colleague, stranger], recorded, program=program)

    test_node.check_answers(said)
    test_node.check_refusals(said)
