"""A gate before a server: shut, it is as if the server were gone."""

import contextlib
import socket
import threading
from pathlib import Path


class Gate:
    """Listens on a port of its own and passes everything on to a Unix socket or an address."""

    def __init__(self, behind: Path | tuple[str, int]) -> None:
        self._behind = behind
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._shut = False
        threading.Thread(target=self._let_in, daemon=True).start()

    def shut(self) -> None:
        """End every connection, and each new one at once."""
        self._shut = True
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self._shut = False

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
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
