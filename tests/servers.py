"""A pytest plugin: real PostgreSQL and Valkey in a scratch folder, for this run only.

``DATABASE_URL`` and ``REDIS_URL`` put the same suite on other servers. Every worker of
pytest-xdist has a Redis database and a data folder of its own.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import redis
from django.core.management import call_command

from dashboard.embedded.servers import Server, servers_of
from dashboard.instance import Instance

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
started: list[tuple[Server, subprocess.Popen[bytes]]] = []
scratch: list[Path] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before pytest-django reads the settings."""
    folder = Path(tempfile.mkdtemp(prefix="keyplex-test-"))
    folder.chmod(0o711)
    scratch.append(folder)
    os.environ["KEYPLEX_DATA"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    os.environ["KEYPLEX_SIMULATED_BILLING"] = "0"  # tests that pay start a Stripe of their own
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        start(Instance(folder))
    os.environ["REDIS_URL"] = with_database(int(worker.removeprefix("gw") or -1) + 1)


def start(instance: Instance) -> None:
    servers = servers_of(instance, **FAST)
    for server in servers:
        started.append((server, server.start()))
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = instance.database_url, instance.redis_url


def with_database(number: int) -> str:
    """``REDIS_URL`` with another database number than that of the other workers."""
    url = os.environ["REDIS_URL"].partition("?")[0]
    if url.startswith("unix:"):
        return f"{url}?db={number}"
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{number}"


def pytest_unconfigure() -> None:
    while started:
        server, process = started.pop()
        server.stop(process)
    while scratch:
        shutil.rmtree(scratch.pop(), ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _static_files() -> None:
    call_command("collectstatic", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
