"""Real workers on the real broker, and what beat asks for."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from dashboard.embedded.supervisor import worker_of
from dashboard.instance import ROOT
from tests.gateway.site import Site
from webhooks import sending
from webhooks.nudges import FAILING, QUEUE

AT_HOME = {"KEYPLEX_WEBHOOK_NETWORKS": "127.0.0.0/8"}


class Worker:
    """Takes one queue, with the test's database."""

    def __init__(self, queue: str, *, threads: int) -> None:
        celery = [sys.executable, "-m", "celery", "--app", "dashboard", "--quiet"]
        self._command = [*celery, *worker_of(queue, threads=threads)]
        self._environment = Site(settings=AT_HOME | {"C_FORCE_ROOT": "1"}).environment()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, env=self._environment)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def working(*, threads: int = 8) -> Iterator[list[Worker]]:
    """One for each queue of webhooks."""
    workers = [Worker(queue, threads=threads) for queue in (QUEUE, FAILING)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()


@contextmanager
def sweeping(every: float = 1.0) -> Iterator[None]:
    """What beat does."""
    over = threading.Event()

    def sweep() -> None:
        try:
            while not over.wait(every):
                sending.sweep()
        finally:
            connection.close()

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
