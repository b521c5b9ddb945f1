"""An instance as its operator starts it: ``./start`` in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.instance import ROOT

OURS = ("DATABASE_URL", "REDIS_URL", "KEYPLEX_DATA", "KEYPLEX_PORT")
DEADLINE = 90.0  # seconds to say that it runs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class StartedInstance:
    """What ``./start`` does with a data folder of its own, embedded servers and all."""

    data: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if name not in OURS}
        return {**outside, "KEYPLEX_WORKERS": "1"}

    def start(self) -> str:
        """Start, and return what it printed until it runs, or until it gave up."""
        output = self.data.with_suffix(".log")
        with output.open("w") as file:
            where = ["--port", str(self.port), f"--data={self.data}"]
            command = ["./start", *where, *self.options]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=file, stderr=file, text=True
            )
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and self.process.poll() is None:
            if "Ctrl-C stops everything" in output.read_text():
                break
            time.sleep(0.1)
        return output.read_text()

    def manage(self, *arguments: str) -> str:
        """What a command of ``manage.py`` prints that knows the data folder and nothing else."""
        environment = {**self.environment, "KEYPLEX_DATA": str(self.data)}
        command = [".venv/bin/python", "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def refusal(self) -> str:
        """The one line with which a start gives up."""
        said = self.start()
        assert self.process
        assert self.process.wait(20) != 0
        [line] = [line for line in said.splitlines() if line.startswith("CommandError: ")]
        return line

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def processes(self) -> set[int]:
        """Everything alive that was started for this data folder."""
        mark = re.compile(rf"KEYPLEX_DATA={re.escape(str(self.data))}(\0|$)".encode())
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark.search((folder / "environ").read_bytes()):
                    found.add(int(folder.name))
            except OSError:  # it ended, or it belongs to somebody else
                continue
        return found

    def wait_until_nothing_runs(self, seconds: float = 20.0) -> set[int]:
        """Whatever still runs after that time; hopefully nothing."""
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left
