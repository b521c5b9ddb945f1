"""Where ``tests/clients/install`` put the clients of others, or why it could not."""

from pathlib import Path

import pytest

from dashboard.instance import ROOT

INSTALLED = ROOT / ".clients"


def place_of(name: str) -> Path:
    return INSTALLED / name


def python_of(name: str) -> Path:
    return place_of(name) / "bin" / "python"


def needs(name: str) -> pytest.MarkDecorator:
    """Skip with the reason where it is not installed, before a site is started for nothing."""
    log = INSTALLED / f"{name}.log"
    why = log.read_text().rstrip().rpartition("\n")[2] if log.exists() else "run ./test clients"
    return pytest.mark.skipif(
        not place_of(name).exists(), reason=f"{name} is not installed: {why.strip()}"
    )
