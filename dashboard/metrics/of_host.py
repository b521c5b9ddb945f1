"""This host: its journal and the recorder; and this very process, which its pid tells apart."""

import os
import platform
import shutil
from collections.abc import Iterator

from django.conf import settings
from prometheus_client import ProcessCollector
from prometheus_client.core import Metric

from dashboard.metrics.families import gauge, gauges
from gateway.heartbeat import Heartbeat
from usage.recorder_watch import watch

_process = ProcessCollector(registry=None)


def journal() -> Iterator[Metric]:
    found = watch(settings.JOURNAL_DIR)
    yield gauge("recorder_running", "Whether a recorder holds the journal.", found.running)
    if found.lag is not None:
        yield gauge(
            "recorder_lag_seconds", "All that is older than this is in PostgreSQL.", found.lag
        )
    yield gauge("journal_segments", "Files of the journal.", found.segments)
    yield gauge("journal_bytes", "What they hold.", found.size)
    yield gauge(
        "journal_damaged_files", "Files that could not be read to their end.", found.damaged
    )
    yield gauge("journal_rejected_bytes", "Records that PostgreSQL never took.", found.rejected)


def disk() -> Iterator[Metric]:
    settings.JOURNAL_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.JOURNAL_DIR).free
    yield gauge("journal_disk_free_bytes", "Room on the disk of the journal.", free)


def process(heartbeat: Heartbeat) -> Iterator[Metric]:
    """Another worker may answer the next scrape, so each value says whose it is."""
    pid = str(os.getpid())
    for metric in _process.collect():
        metric.samples = [sample._replace(labels={"pid": pid}) for sample in metric.samples]
        yield metric
    running = sum(1 for _ in heartbeat)
    yield gauges("calls_running", "Calls that are being answered.", "pid", {pid: running})
    yield gauges("python", "Which Python.", "version", {platform.python_version(): 1})
