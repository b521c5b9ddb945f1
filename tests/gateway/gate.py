"""A gate before a server: shut, the server is gone; silent, it hangs. And a site behind gates."""

import contextlib
import socket
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import connection

from tests.gateway.site import Site


class Gate:
    """Listens on a port of its own and passes everything on to a Unix socket or an address."""

    def __init__(self, behind: Path | tuple[str, int]) -> None:
        self._behind = behind
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._shut = False
        self._flowing = threading.Event()
        self._flowing.set()
        threading.Thread(target=self._let_in, daemon=True).start()

    def shut(self) -> None:
        """End every connection, and each new one at once."""
        self._shut = True
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def silence(self) -> None:
        """Take everything, as a server that is frozen; it comes through once we open again."""
        self._flowing.clear()

    def open(self) -> None:
        self._shut = False
        self._flowing.set()

    def close(self) -> None:
        self.shut()
        self._door.close()

    def _let_in(self) -> None:
        while True:
            try:
                inside, _ = self._door.accept()
            except OSError:
                return
            if self._shut:
                inside.close()
                continue
            outside = self._reach()
            for source, sink in ((inside, outside), (outside, inside)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _reach(self) -> socket.socket:
        if isinstance(self._behind, tuple):
            return socket.create_connection(self._behind)
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._behind))
        return server

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        self._open.add(source)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


def postgresql() -> Path | tuple[str, int]:
    params = connection.get_connection_params()
    host, port = str(params.get("host") or "localhost"), int(params.get("port") or 5432)
    return Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)


def redis_server() -> Path | tuple[str, int]:
    url = urlsplit(settings.REDIS_URL)
    return Path(url.path) if url.scheme == "unix" else (str(url.hostname), url.port or 6379)


def redis_database() -> str:
    url = urlsplit(settings.REDIS_URL)
    return parse_qs(url.query).get("db", [url.path.strip("/")])[0]


class GatedSite(Site):
    """A site that reaches its servers through gates."""

    database: Gate
    redis: Gate

    def start(self) -> None:
        self.database, self.redis = Gate(postgresql()), Gate(redis_server())
        super().start()

    def open(self) -> None:
        self.database.open()
        self.redis.open()

    def close(self) -> None:
        self.database.close()
        self.redis.close()

    def environment(self) -> dict[str, str]:
        params = connection.get_connection_params()
        who = f"{params.get('user') or ''}:{params.get('password') or ''}".strip(":")
        return {
            **super().environment(),
            "DATABASE_URL": f"postgresql://{who}@127.0.0.1:{self.database.port}/{params['dbname']}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/{redis_database()}",
        }
