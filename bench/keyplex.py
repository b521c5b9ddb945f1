"""Keyplex as the bench measures it: the real thing with its own servers, everything switched on."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.processes import OTHER_CORE, SUBJECT_CORE, pinned, running, wait_for
from dashboard.embedded.servers import servers_of
from dashboard.embedded.supervisor import web_command
from dashboard.instance import ROOT, Instance

MODEL = "bench/chat"
CATALOG = """\
[[plans]]
slug = "free-trial" # what a new account gets by itself
name = "Bench"
[plans.limits] # all of them, none ever reached
requests_per_minute = 1_000_000_000
tokens_per_minute = 1_000_000_000_000
requests_per_day = 1_000_000_000_000
tokens_per_day = 1_000_000_000_000_000
tokens_per_month = 1_000_000_000_000_000

[[providers]]
slug = "mock"
name = "Mock upstream"
base_url = "{upstream}"
credential_env = "BENCH_CREDENTIAL"

[[models]]
id = "{model}"
owned_by = "bench"
context_window = 128_000
routes = [{{ provider = "mock", model = "bench" }}]
"""


@dataclass(frozen=True)
class Keyplex:
    """A running instance: the id of its web server, and a key for it."""

    web: int
    api_key: str
    url: str


@contextlib.contextmanager
def keyplex(port: int, upstream: str, *, options: list[str] | None = None) -> Iterator[Keyplex]:
    """One web worker on the subject's core; PostgreSQL, Valkey and the recorder on the other.

    ``options`` are more words for the web server; the last of a kind wins.
    """
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyplex-bench-")))
        data.chmod(0o711)
        (data / "static").mkdir()
        environment = {"KEYPLEX_DATA": str(data), "BENCH_CREDENTIAL": "sk-bench"}
        environment |= {"PYTHONPATH": str(ROOT), "KEYPLEX_LOG_LEVEL": "WARNING"}
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        with pinned(OTHER_CORE):
            for server in servers_of(Instance(data)):
                stack.callback(server.stop, server.start())
            api_key = prepare(data, environment, upstream)
        web = web_command(host="127.0.0.1", port=port, workers=1)
        commands = {
            "web": ([*web[:-1], *(options or []), web[-1]], SUBJECT_CORE),
            "recorder": ([sys.executable, str(ROOT / "manage.py"), "record_usage"], OTHER_CORE),
        }
        leaders = [
            stack.enter_context(
                running(command, core=core, log=data / f"{name}.log", environment=environment)
            )
            for name, (command, core) in commands.items()
        ]
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        wait_for(f"http://127.0.0.1:{port}/readyz", data / "web.log")
        yield Keyplex(leaders[0], api_key, url)


def prepare(data: Path, environment: dict[str, str], upstream: str) -> str:
    """Tables, a catalogue with the mock upstream in it, and a key; the key."""
    catalog = data / "bench.toml"
    catalog.write_text(CATALOG.format(upstream=upstream, model=MODEL))
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "load_catalog", str(catalog))
    person = ["--email", "bench@example.com", "--name", "bench"]
    return manage(environment, "issue_key", *person).strip()


def manage(environment: dict[str, str], *words: str) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    environment = {**os.environ, **environment}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=120
    )
    return done.stdout.decode()
