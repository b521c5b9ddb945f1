"""``./install`` says in one line what is missing, and what to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboard.instance import ROOT

TOOLS = ["cat", "cksum", "dirname", "rm", "sh", "touch", "uname"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout without .venv, on a machine with nothing but a shell and a few tools."""
    for name in ["install", *[path.name for path in ROOT.glob("requirements*.lock")]]:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    return tmp_path


def put(machine: Path, name: str, script: str) -> None:
    program = machine / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def install(machine: Path) -> str:
    """The one line that it complains with."""
    environment = {"PATH": str(machine / "bin"), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        ["./install"], cwd=machine, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    [complaint] = [line for line in done.stderr.splitlines() if line.startswith("keyplex: ")]
    return complaint


def test_python_may_be_missing(machine: Path) -> None:
    assert "Install Python 3.11 or newer" in install(machine)


def test_python_may_be_too_old(machine: Path) -> None:
    put(machine, "python3", '[ "$1" = --version ] && echo "Python 3.9.2" || exit 1')

    assert "Python 3.9.2 is too old. Install Python 3.11" in install(machine)


def test_pip_may_be_missing(machine: Path) -> None:
    put(machine, "python3", '[ "$1" = -c ]')

    assert "apt install python3-pip" in install(machine)


def test_a_platform_may_have_no_wheel(machine: Path) -> None:
    put(machine, "uv", '[ "$1" = venv ] || { echo "no wheel for this platform" >&2; exit 1; }')

    assert "set DATABASE_URL and REDIS_URL to your own" in install(machine)
