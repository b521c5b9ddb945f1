"""From nothing to a site that answers, step by step; each long step says what it does."""

import fcntl
import hashlib
import http.client
import socket
import time
from typing import IO

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from dashboard.embedded import simulated_stripe
from dashboard.embedded.children import Trouble
from dashboard.embedded.servers import make_folders, servers_of
from dashboard.embedded.supervisor import Say, Supervisor, processes
from dashboard.first_run import FirstRun, first_run
from dashboard.instance import ROOT
from gateway import catalog_file

DEADLINE = 60.0  # seconds until the site must answer
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # whoever listens everywhere, also here


class Launch:
    """One start of an instance; ``end`` undoes whatever ``begin`` has done so far."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._data = settings.INSTANCE.data
        self._supervisor = Supervisor(say)
        self._lock: IO[str] | None = None
        self._logins: FirstRun | None = None

    def begin(self) -> None:
        """Start everything, in order, and wait until the site answers. Raises Trouble."""
        make_folders(settings.INSTANCE)
        self._take_folder()
        self._check_ports()
        for server in servers_of(settings.INSTANCE):
            self._supervisor.start(server)
        self._migrate()
        self._collect_static()
        self._load_catalog()
        if settings.STRIPE.mode == "simulated":
            simulated_stripe.begin(self._supervisor)
        self._logins = first_run(self._data / "first-run.json")
        connections.close_all()
        web, *others = processes(
            self._data, host=settings.HOST, port=settings.PORT, workers=settings.WORKERS
        )
        self._supervisor.start(web)
        self._wait()  # before the others, which would only make it slower
        for process in others:
            self._supervisor.start(process)

    def run(self) -> None:
        self._supervisor.run()
        self._say("Stopped.")

    def end(self) -> None:
        self._supervisor.stop()
        if self._lock:
            self._lock.close()

    def welcome(self) -> str:
        """What a newcomer needs next."""
        url, product, logins = settings.PUBLIC_URL, settings.PRODUCT, self._logins
        assert logins is not None
        api = url + product.base_path
        return f"""
{product.name} is running.

  Dashboard   {url}/             {logins.demo_email}  {logins.demo_password}
  Operators   {url}/ops/         {logins.operator_email}  {logins.operator_password}
  API         {api}

  curl {api}/chat/completions \\
    -H "Content-Type: application/json" \\
    -H "Authorization: Bearer {logins.api_key}" \\
    -d '{{"model": "{product.first_model}",
         "messages": [{{"role": "user", "content": "Hello, world!"}}]}}'

The logins are kept in {self._data / "first-run.json"}, the logs beside it.
Ctrl-C stops everything.
"""

    def _take_folder(self) -> None:
        self._lock = (self._data / "supervisor.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"{self._data} is in use by another ./start. Stop it, or choose another --data."
            ) from None

    def _check_ports(self) -> None:
        check_port(settings.HOST, settings.PORT, "another with --port")
        if settings.STRIPE.mode == "simulated":
            other = "another with KEYPLEX_SIMULATED_STRIPE_PORT"
            check_port("127.0.0.1", settings.SIMULATED_STRIPE_PORT, other)

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        ours = executor.loader.graph.nodes
        unknown = [name for name in executor.loader.applied_migrations or () if name not in ours]
        if unknown:
            raise Trouble(
                f"{self._data} was used by a newer Keyplex (migration {'.'.join(unknown[0])}). "
                "Start that version, or choose another folder with --data."
            )
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._say("Preparing the database …")
            call_command("migrate", verbosity=0, interactive=False)

    def _collect_static(self) -> None:
        """Copy the static files to where the web server takes them from, if they have changed."""
        stamp, mark = static_stamp(), self._data / "static.stamp"
        if not mark.exists() or mark.read_text() != stamp:
            self._say("Collecting static files …")
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            mark.write_text(stamp)

    def _load_catalog(self) -> None:
        try:
            changes = catalog_file.load(catalog_file.read(settings.CATALOG))
        except ValueError as error:
            raise Trouble(str(error)) from error
        settings.INSTANCE.remember(settings.CATALOG)
        if changes:
            self._say(f"Loaded {settings.CATALOG.name}: {len(changes)} changes.")

    def _wait(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while not answers(settings.HOST, settings.PORT):
            if (name := self._supervisor.ended()) or time.monotonic() > deadline:
                log = self._data / f"{name or 'web'}.log"
                raise Trouble(f"{name or 'The site'} did not start; see {log}.")
            time.sleep(0.05)


def check_port(host: str, port: int, instead: str) -> None:
    """Raises Trouble where somebody else listens."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Trouble(
                f"Port {port} of {host} cannot be used ({error.strerror}). "
                f"Stop what uses it, or choose {instead}."
            ) from error


def answers(host: str, port: int) -> bool:
    """Whether the site can serve."""
    asked = http.client.HTTPConnection(LOOPBACK.get(host, host), port, timeout=5)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


def static_stamp() -> str:
    """Another text whenever a static file or an installed package has changed."""
    files = [path for path in sorted((ROOT / "static").rglob("*")) if path.is_file()]
    files += [ROOT / "requirements.lock"]
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()
