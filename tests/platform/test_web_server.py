"""The web server ends whenever it is told to."""

import re
import signal
import time
from pathlib import Path

from tests.gateway.site import Site


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    [caught] = re.findall(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_workers_that_are_still_starting_end_at_once(transactional_db: None) -> None:
    site = Site(workers=2)
    site.spawn()
    try:
        deadline = time.monotonic() + 60
        while len(site.worker_pids()) < 2 or any(
            catches(pid, signal.SIGTERM) for pid in site.worker_pids()
        ):
            assert time.monotonic() < deadline, "a worker that starts is deaf to SIGTERM"
            time.sleep(0.01)
    finally:
        exit_code = site.stop()

    assert exit_code == 0
