"""What is measured: everybody in front of the same upstream, on the same core, one worker each."""

import contextlib
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import peers
from bench.keyplex import MODEL, keyplex
from bench.processes import OTHER_CORE, SUBJECT_CORE, running, wait_for
from dashboard.instance import ROOT

CHUNKS, PACE = 64, 0.02  # of a stream of the mock upstream
PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class Subject:
    """Where to send requests, and whose processor time to count."""

    name: str
    url: str
    leader: int
    model: str = MODEL
    headers: list[str] = field(default_factory=list)


class Stage:
    """Starts subjects; the block that entered it ends them all."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        self.upstream = self._direct(OTHER_CORE)

    def subjects(self, wanted: list[str]) -> list[Subject]:
        """Those of ``wanted`` that are installed; a line on each that is not."""
        starters = {
            "direct": self.direct,
            "forwarder": self.forwarder,
            "keyplex": self.keyplex,
            "litellm": self._if(peers.LITELLM, self.litellm),
            "portkey": self._if(peers.PORTKEY, self.portkey),
        }
        subjects = []
        for name in wanted:
            if starter := starters[name]:
                print(f"Starting {name} …", flush=True)
                subjects.append(starter())
            else:
                print(f"Skipping {name}: not installed; see bench/run --install-peers", flush=True)
        return subjects

    @staticmethod
    def _if(program: Path, starter: Callable[[], Subject]) -> Callable[[], Subject] | None:
        return starter if program.exists() else None

    def direct(self) -> Subject:
        """The mock upstream with nobody in front of it."""
        return self.upstream

    def _direct(self, core: int) -> Subject:
        port = free_port()
        options = ["--port", str(port), "--chunks", str(CHUNKS), "--pace", str(PACE)]
        leader = self._run("upstream", [sys.executable, "-m", "bench.upstream", *options], core)
        return self._answering(Subject("direct", url(port), leader))

    def forwarder(self) -> Subject:
        """The same server, the fastest HTTP client there is, and nothing in between."""
        port = free_port()
        server = [sys.executable, "-m", "granian", "--interface", "asgi", "--http", "1", "--no-ws"]
        options = ["--port", str(port), "--workers", "1", "--loop", "uvloop"]
        options += ["--backlog", "2048", "--backpressure", "4096", "--log-level", "warning"]
        leader = self._run("forwarder", [*server, *options, "bench.forwarder:application"])
        return self._answering(Subject("forwarder", url(port), leader))

    def keyplex(self, name: str = "keyplex", options: list[str] | None = None) -> Subject:
        base = self.upstream.url.removesuffix("/chat/completions")
        instance = self._stack.enter_context(keyplex(free_port(), base, options=options))
        headers = [f"authorization: Bearer {instance.api_key}"]
        return Subject(name, instance.url, instance.web, headers=headers)

    def litellm(self) -> Subject:
        port, base = free_port(), self.upstream.url.removesuffix("/chat/completions")
        command = peers.litellm_command(self.folder, port=port, upstream=base, model=MODEL)
        leader = self._run("litellm", command, environment=peers.LITELLM_QUIET)
        headers = [f"authorization: Bearer {peers.LITELLM_KEY}"]
        return self._answering(Subject("litellm", url(port), leader, headers=headers))

    def portkey(self) -> Subject:
        port, base = free_port(), self.upstream.url.removesuffix("/chat/completions")
        leader = self._run("portkey", peers.portkey_command(port=port))
        headers = ["x-portkey-provider: openai", f"x-portkey-custom-host: {base}"]
        headers += ["authorization: Bearer sk-bench"]
        return self._answering(Subject("portkey", url(port), leader, headers=headers))

    def _run(
        self,
        name: str,
        command: list[str],
        core: int = SUBJECT_CORE,
        environment: dict[str, str] | None = None,
    ) -> int:
        environment = {"PYTHONPATH": str(ROOT), **(environment or {})}
        if name != "upstream":
            environment["BENCH_UPSTREAM"] = self.upstream.url.removesuffix("/chat/completions")
        log = self.folder / f"{name}.log"
        return self._stack.enter_context(
            running(command, core=core, log=log, environment=environment)
        )

    def _answering(self, subject: Subject) -> Subject:
        wait_for(subject.url, self.folder / f"{subject.name}.log")
        return subject


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}{PATH}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
