"""The product as it really runs: web processes that speak HTTP over sockets."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from dashboard.embedded.supervisor import web_command
from gateway import catalog

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def database_url() -> str:
    """The test database, as another process reaches it."""
    params = connection.get_connection_params()
    who = f"{params.get('user') or ''}:{params.get('password') or ''}".strip(":")
    where = params.get("host") or ""
    host, query = ("", f"?host={where}") if where.startswith("/") else (where, "")
    port = f":{params['port']}" if params.get("port") else ""
    return f"postgresql://{who}@{host}{port}/{params['dbname']}{query}"


@dataclass
class Site:
    """Web workers on a port of their own. Everything else they share with the test process."""

    workers: int = 2
    catalog: str = "catalog/keyplex.toml"
    port: int = field(default_factory=free_port)
    output: Path | None = None  # a file for what it says; else it goes where ours goes
    settings: dict[str, str] = field(default_factory=dict)  # of the environment, beside ours
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "KEYPLEX_DATA": str(settings.INSTANCE.data),
            "KEYPLEX_CATALOG": self.catalog,
            "KEYPLEX_PORT": str(self.port),
            "KEYPLEX_LOG_LEVEL": "WARNING",
            **self.settings,
        }

    def start(self) -> None:
        self.spawn()
        self.wait()

    def spawn(self) -> None:
        command = web_command(host="127.0.0.1", port=self.port, workers=self.workers)
        with self.output.open("ab") if self.output else contextlib.nullcontext() as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdout=output, stderr=output
            )

    def wait(self) -> None:
        """Until the site answers."""
        for _ in range(300):
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("the site did not come up")

    def see_catalog(self) -> None:
        """Until every worker has looked at the catalogue's version again."""
        time.sleep(4 * catalog.REFRESH_EVERY)  # twice would do on a machine of our own

    def worker_pids(self) -> list[int]:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        names = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.split()}
        return [pid for pid, name in names.items() if b"resource_tracker" not in name]

    def stop(self) -> int:
        """Orderly; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)
