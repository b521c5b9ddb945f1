"""Whether there is a Node with the client that the JavaScript SDK builds upon."""

import shutil

import pytest

from dashboard.instance import ROOT

NEEDS_NODE = pytest.mark.skipif(
    not shutil.which("node") or not (ROOT / "node_modules" / "openai").exists(),
    reason="node or its package openai is not installed",
)
