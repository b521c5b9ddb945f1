"""Instances that are ended after the test, whatever happened to them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.instance import StartedInstance


@pytest.fixture
def instance() -> Iterator[StartedInstance]:
    folder = Path(tempfile.mkdtemp(prefix="keyplex-start-"))
    folder.chmod(0o711)  # so that whoever runs PostgreSQL for root can come to it
    instance = StartedInstance(folder / "data")
    yield instance
    if instance.process and instance.process.poll() is None:
        instance.kill()
    assert instance.wait_until_nothing_runs() == set()
    shutil.rmtree(folder)
