"""From a URL to a guarded connection: every address of its host is judged, one is connected to,
and whatever is then said on the connection has only what is left of one deadline.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import cache
from typing import Self

import certifi
import httpcore

from webhooks.egress import Address, Target, opened
from webhooks.names import Unresolved, addresses_of, own_addresses

TRIES = 4  # addresses, each with an equal share of the time that is left
MOST_HEARD = 128 * 1024  # bytes: interim answers, headers, and the part of a body that we read


class Trouble(StrEnum):
    """Why there is no answer, or no whole one; whoever set the URL may read it."""

    NOT_PUBLIC = "no public address"  # of all that we refuse, and of what is not there at all
    NOT_CONNECTED = "no connection"
    NOT_TRUSTED = "certificate not valid"
    NOT_SECURED = "no TLS"
    BROKEN = "connection broken"
    NOT_HTTP = "not HTTP, or not whole"
    TIMEOUT = "timeout"


class Failed(Exception):
    """The receiver could not be reached, or stopped in the middle."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Deadline:
    """A moment by which everything must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, more than none. Raises Failed."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise Failed(Trouble.TIMEOUT)
        return seconds


def way_to(target: Target, deadline: Deadline) -> list[Address]:
    """The addresses of ``target``, every one of them permitted. Raises Failed."""
    try:
        found = [target.address] if target.address else addresses_of(target.host, deadline.left())
    except Unresolved:
        deadline.left()  # it may be that there was no time
        raise Failed(Trouble.NOT_PUBLIC) from None
    if not all(target.permits(address) and not leads_home(address) for address in found):
        raise Failed(Trouble.NOT_PUBLIC)
    return found


def leads_home(address: Address) -> bool:
    """Whether we ourselves would answer there, and the operator has not opened it."""
    return not opened(address) and (address in own_addresses() or on_this_machine(address))


def on_this_machine(address: Address) -> bool:
    """Whether an interface of ours has it: then the system would send from it. Sends nothing."""
    try:
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return bool(probe.getsockname()[0] == str(address))
    except OSError:  # no way there at all
        return False


def family_of(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def connected(address: Address, port: int, seconds: float) -> socket.socket:
    """A socket to this very address. Raises OSError."""
    found = socket.socket(family_of(address))
    try:
        found.settimeout(seconds)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.connect((str(address), port))
        if found.getpeername()[0] != str(address):
            raise ConnectionError("somebody else has answered")
    except BaseException:
        found.close()
        raise
    return found


@cache
def trust() -> ssl.SSLContext:
    """Whom we believe; made once, since it is slow to make."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # a bare machine has none of its own
    context.set_alpn_protocols(["http/1.1"])
    return context


class Line(httpcore.NetworkStream):
    """A connection that ends with the deadline, or when more has come than an answer needs."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline, self._heard = connection, deadline, 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises Failed."""
        if self._heard > MOST_HEARD:
            raise Failed(Trouble.NOT_HTTP)
        with self._in_time(Failed(Trouble.BROKEN)):
            data = self._socket.recv(max_bytes)
        self._heard += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Raises Failed, and WriteError, after which httpcore still looks for an answer."""
        left = memoryview(buffer)
        while left:
            with self._in_time(httpcore.WriteError()):
                left = left[self._socket.send(left) :]

    def secure(self, name: str) -> None:
        """Speak TLS from now on, with whoever proves to be ``name``. Raises Failed."""
        with self._in_time(Failed(Trouble.NOT_SECURED)):
            self._socket = trust().wrap_socket(self._socket, server_hostname=name)

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> None:
        """Nothing; what httpcore asks for is whether we speak HTTP/2."""

    @contextmanager
    def _in_time(self, otherwise: Exception) -> Iterator[None]:
        try:
            self._socket.settimeout(self._deadline.left())
            yield
        except TimeoutError:
            raise Failed(Trouble.TIMEOUT) from None
        except ssl.SSLCertVerificationError:
            raise Failed(Trouble.NOT_TRUSTED) from None
        except OSError:
            raise otherwise from None


class Dialer(httpcore.NetworkBackend):
    """Connects for one request, to where its target may lead; ``with`` ends the connection.

    It speaks TLS as well: httpcore would set up the context at each connection anew, while other
    threads use it.
    """

    def __init__(self, target: Target, deadline: Deadline) -> None:
        self._target, self._deadline = target, deadline
        self._line: Line | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._line:
            self._line.close()

    def connect_tcp(self, *_: object, **__: object) -> Line:
        """To the target, whatever it is told. Raises Failed."""
        self._line = Line(self._connected(), self._deadline)
        if self._target.scheme == "https":
            self._line.secure(self._target.host)
        return self._line

    def _connected(self) -> socket.socket:
        addresses = way_to(self._target, self._deadline)[:TRIES]
        for number, address in enumerate(addresses):
            share = self._deadline.left() / (len(addresses) - number)
            with suppress(OSError):
                return connected(address, self._target.port, share)
        self._deadline.left()
        raise Failed(Trouble.NOT_CONNECTED)
