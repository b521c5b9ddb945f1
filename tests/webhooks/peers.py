"""The other end of a post, as a bare socket: it does on each connection what a test says."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LINGER = struct.pack("ii", 1, 0)  # close with a reset
PAUSE = 0.05  # seconds between the drops of whoever drips


class Peer:
    """One connection, as the receiver sees it. All raise OSError when the sender has left."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def hear(self) -> bytes:
        """One whole request."""
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += self._more()
        head, _, body = heard.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        while len(body) < length:
            body += self._more()
        return head + b"\r\n\r\n" + body

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("no whole request")
        return data

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drip(self, data: bytes) -> None:
        """Again and again, as long as there is somebody to hear it."""
        gone = threading.Event()
        while not gone.wait(PAUSE):
            self.say(data)

    def flood(self, data: bytes) -> None:
        block = data * (65536 // len(data))
        while True:
            self.say(block)

    def until_left(self) -> None:
        while self.socket.recv(65536):
            pass

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        self.socket.close()


Behaviour = Callable[[Peer], None]


@dataclass
class Stage:
    """Where a peer listens, and what a test may look at."""

    host: str
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    left: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def url(self, host: str = "", scheme: str = "http") -> str:
        return f"{scheme}://{host or self.host}:{self.port}/hook"


@contextmanager
def playing(
    behaviour: Behaviour, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Stage]:
    """``stage.left`` is released for each connection that is over."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, port), family=family, backlog=512)
    stage = Stage(host, server.getsockname()[1])

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:  # TLS takes the socket over
            spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
            with spoken:
                behaviour(Peer(spoken))
        stage.left.release()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                stage.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield stage
    finally:
        server.shutdown(socket.SHUT_RDWR)  # wakes accept
        server.close()


@contextmanager
def answering(
    answer: bytes, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Stage]:
    """Notes each request, says ``answer``, and hangs up."""
    requests: list[bytes] = []

    def behaviour(peer: Peer) -> None:
        requests.append(peer.hear())
        peer.say(answer)

    with playing(behaviour, host, port, tls) as stage:
        stage.requests = requests
        yield stage


@contextmanager
def not_accepting() -> Iterator[Stage]:
    """So many wait at the door already that the system lets nobody else come near."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        try:
            yield Stage("127.0.0.1", server.getsockname()[1])
        finally:
            for one in waiting:
                one.close()
