"""The doctor finds nothing broken with an instance that was just started."""

import subprocess
import time

import pytest

from dashboard.instance import ROOT
from tests.platform.instance import StartedInstance

DEADLINE = 90.0  # seconds until beat has asked for everything once
WELL = ("PostgreSQL", "Valkey", "The recorder runs", "queue webhooks-failing", "beat", "is ready")


@pytest.mark.t2
def test_a_started_instance_is_in_good_health(instance: StartedInstance) -> None:
    assert "Ctrl-C stops everything" in instance.start()
    deadline = time.monotonic() + DEADLINE
    while (said := examined(instance))[-1] != "healthy" and time.monotonic() < deadline:
        time.sleep(2)
    instance.interrupt()

    assert not [line for line in said if line.startswith(("broken", "unknown"))]
    assert said[-1] == "healthy"
    for words in WELL:
        assert any(words in line for line in said if line.startswith("fine"))


def examined(instance: StartedInstance) -> list[str]:
    """What the doctor says in the environment of the processes, and last whether all is well."""
    where = {"KEYPLEX_DATA": str(instance.data), "KEYPLEX_PORT": str(instance.port)}
    command = [".venv/bin/python", "manage.py", "doctor"]
    done = subprocess.run(
        command, cwd=ROOT, env=instance.environment | where, capture_output=True, text=True
    )
    return [*done.stdout.splitlines(), "healthy" if done.returncode == 0 else "ill"]
