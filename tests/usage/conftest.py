"""A journal and a recorder of its own for each test, on the real PostgreSQL."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.instance import ROOT
from tests.gateway.site import database_url
from usage.journal import Journal
from usage.recorder import Recorder

_accounts = itertools.count(1)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(directory: Path) -> Iterator[Journal]:
    journal = Journal(directory)
    yield journal
    journal.close()


@pytest.fixture
def recorder(directory: Path, transactional_db: None) -> Recorder:
    return Recorder(directory)


@pytest.fixture
def account() -> int:
    """An account that nobody else uses."""
    return next(_accounts)


class RecorderProcess:
    """A recorder as the host runs it."""

    def __init__(self, directory: Path) -> None:
        environment = {**os.environ, "DATABASE_URL": database_url()}
        command = [sys.executable, "-m", "tests.usage.recorder_process", str(directory)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        with self.process.stdout as said:
            assert said.readline() == b"ready\n"  # from here on it ends when it is told to

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@pytest.fixture
def recorder_process(
    directory: Path, transactional_db: None
) -> Iterator[Callable[[], RecorderProcess]]:
    """Starts recorders; those still running at the end are ended."""
    started: list[RecorderProcess] = []

    def start() -> RecorderProcess:
        started.append(RecorderProcess(directory))
        return started[-1]

    yield start
    for recorder in started:
        if recorder.process.poll() is None:
            recorder.kill()
