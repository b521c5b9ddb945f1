"""A DNS server of a test: it says what the test has written down, and notes what it was asked."""

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

# What is said of each kind of record: always the same, or another thing at each question
Records = dict[str, list[str] | Iterator[list[str]]]


class NameServer:
    """Listens on a port of its own. A name that is not in ``zone`` does not exist."""

    def __init__(self) -> None:
        self.zone: dict[str, Records] = {}
        self.asked: list[str] = []  # kinds of records
        self.delay = 0.0  # seconds before each answer
        self._over = threading.Event()

    def __enter__(self) -> "NameServer":
        name_server = self

        class Handler(socketserver.DatagramRequestHandler):
            def handle(self) -> None:
                name_server._over.wait(name_server.delay)
                self.wfile.write(name_server.answer(self.rfile.read()))

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def answer(self, wire: bytes) -> bytes:
        """A name with a CNAME gets what that one has as well, as a resolver would do it."""
        question = dns.message.from_wire(wire)
        [asked] = question.question
        kind = asked.rdtype.name
        self.asked.append(kind)
        answer = dns.message.make_response(question, recursion_available=True)
        name = str(asked.name).rstrip(".")
        if name not in self.zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        while aliases := self._of(name, "CNAME"):
            [alias] = aliases
            answer.answer.append(record(name, "CNAME", f"{alias}."))
            name = alias
        if found := self._of(name, kind):
            answer.answer.append(record(name, kind, *found))
        return answer.to_wire()

    def _of(self, name: str, kind: str) -> list[str]:
        said = self.zone.get(name, {}).get(kind, [])
        return said if isinstance(said, list) else next(said)


def record(name: str, kind: str, *values: str) -> Any:
    """Not to be remembered by anyone."""
    return dns.rrset.from_text(f"{name}.", 0, "IN", kind, *values)
