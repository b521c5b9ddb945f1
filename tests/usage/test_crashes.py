"""Whoever is killed, and whenever: nothing is lost and nothing is counted twice."""

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.instance import ROOT
from tests.usage.calls import make_final, make_intent
from tests.usage.conftest import RecorderProcess
from usage import reports
from usage.audit import audit
from usage.journal import Journal
from usage.models import RequestLog
from usage.partitions import today
from usage.recorder import Recorder

StartRecorder = Callable[[], RecorderProcess]


class Writer:
    """A process that writes calls down and tells which."""

    def __init__(self, directory: Path, account: int, seed: int) -> None:
        module = "tests.usage.writer_process"
        command = [sys.executable, "-m", module, str(directory), str(account), str(seed)]
        self.output = directory.parent / f"writer {seed} of {directory.name}"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output)
        until(lambda: self.output.stat().st_size > 0)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def told(self, step: str) -> dict[str, int]:
        """The last tokens told for each request at this step."""
        lines = self.output.read_text().splitlines(keepends=True)
        steps = [line.split() for line in lines if line.endswith("\n")]
        return {words[1]: int([*words, "0"][2]) for words in steps if words[0] == step}


def check(writers: list[Writer], account: int, directory: Path) -> None:
    """Every call that was told has its row; a row that was not told can only be the last breath."""
    rows = {row.request_id: row for row in RequestLog.objects.filter(account_id=account)}
    begun: set[str] = set()
    for writer in writers:
        begun |= writer.told("i").keys()
        ended, delivered = writer.told("f"), writer.told("p")
        for request_id, tokens in ended.items():
            assert rows[request_id].outcome == "ok"
            assert rows[request_id].completion_tokens == tokens
        for request_id in writer.told("i").keys() - ended.keys():
            assert rows[request_id].completion_tokens >= delivered.get(request_id, 0)
    assert len(rows.keys() - begun) <= len(writers)
    assert audit(directory, account=account) == []


def test_a_writer_may_be_killed_at_any_moment(
    directory: Path, recorder: Recorder, account: int
) -> None:
    chance = random.Random(account)
    writers = []
    for seed in range(20):
        writers.append(Writer(directory, account, seed))
        time.sleep(chance.random() / 4)
        recorder.run_once()
        writers[-1].kill()

    recorder.run_once()

    check(writers, account, directory)
    assert [path.name for path in directory.iterdir()] == ["recorder.lock"]


def test_a_recorder_may_be_killed_at_any_moment(
    directory: Path, recorder_process: StartRecorder, account: int
) -> None:
    chance = random.Random(account)
    writer = Writer(directory, account, seed=1)
    for _ in range(3):
        recorder = recorder_process()
        before = RequestLog.objects.count()
        until(lambda before=before: RequestLog.objects.count() > before)  # type: ignore[misc]
        time.sleep(chance.random() / 3)
        recorder.kill()
    last = recorder_process()
    writer.kill()
    until(lambda: not list(directory.glob("*.live")))

    assert last.stop() == 0
    check([writer], account, directory)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_a_second_recorder_waits_for_the_end_of_the_first(
    directory: Path, journal: Journal, recorder_process: StartRecorder, account: int
) -> None:
    first = recorder_process()
    journal.finish(make_final(account_id=account))
    until(lambda: RequestLog.objects.filter(account_id=account).count() == 1)
    second = recorder_process()
    waiting = recorder_process()

    first.kill()
    journal.finish(make_final(account_id=account))
    until(lambda: RequestLog.objects.filter(account_id=account).count() == 2)

    assert sorted([second.stop(), waiting.stop()]) == [0, 0]
    assert audit(directory, account=account) == []


@pytest.mark.t2
def test_recorders_of_two_hosts_add_to_the_same_hours(
    tmp_path: Path, transactional_db: None, account: int
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    writers = [Writer(folder, account, seed) for seed, folder in enumerate(folders)]
    recorders = [RecorderProcess(folder) for folder in folders]
    until(lambda: RequestLog.objects.filter(account_id=account).count() > 500)

    for writer in writers:
        writer.kill()
    until(lambda: not [path for folder in folders for path in folder.glob("*.live")])

    assert [recorder.stop() for recorder in recorders] == [0, 0]
    for folder in folders:
        check(writers, account, folder)


@pytest.fixture
def outage() -> Iterator[Callable[[bool], None]]:
    """Shuts PostgreSQL's door for everybody who is not in yet, throws out the others, or opens."""
    params = {**connection.get_connection_params(), "dbname": "postgres"}
    params = {
        name: params[name] for name in ("host", "port", "user", "password") if params.get(name)
    }
    name = connection.settings_dict["NAME"]
    with psycopg.connect(**params, dbname="postgres", autocommit=True) as operator:

        def set_away(away: bool) -> None:
            operator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not away}")
            if away:
                operator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [name],
                )

        yield set_away
        set_away(False)


def test_nothing_is_lost_while_postgresql_is_away(
    directory: Path, recorder_process: StartRecorder, account: int, outage: Callable[[bool], None]
) -> None:
    recorder = recorder_process()
    writer = Writer(directory, account, seed=3)
    until(lambda: RequestLog.objects.filter(account_id=account).exists())
    connection.close()

    outage(True)
    time.sleep(1)
    writer.kill()
    outage(False)
    until(lambda: not list(directory.glob("*.live")))

    assert recorder.stop() == 0
    check([writer], account, directory)


class Killed(BaseException):
    """What the bomb does."""


class Bomb:
    """Ends the program just before some line of the recorder, like ``kill -9`` would."""

    def __init__(self, fuse: int) -> None:
        self.fuse = fuse

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        sys.settrace(self.trace)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(str(ROOT / "usage")):
            return None
        if event == "line":
            self.fuse -= 1
            if self.fuse == 0:
                raise Killed
        return self.trace


steps = st.lists(
    st.sampled_from(["intend", "progress", "finish", "refuse", "record", "rotate", "die"]),
    max_size=30,
)


class Story:
    """A journal written step by step, and what must become of it."""

    def __init__(self, directory: Path, account: int) -> None:
        self.directory, self.account = directory, account
        self.journal = Journal(directory)
        self.running: list[tuple[str, float, int]] = []
        self.progress: dict[str, int] = {}
        self.expected: dict[str, tuple[str, int]] = {}

    def take(self, step: str, number: int) -> None:
        if step == "intend":
            intent = make_intent(account_id=self.account, prompt_tokens=0)
            slot = self.journal.intend(intent)
            self.running.append((intent.request_id, intent.started_at, slot))
        elif step == "progress" and self.running:
            request_id, _, slot = self.running[number % len(self.running)]
            self.progress[request_id] = number
            self.journal.progress(slot, number)
        elif step == "finish" and self.running:
            request_id, started_at, slot = self.running.pop(number % len(self.running))
            self.end(request_id, started_at, slot, number)
        elif step == "refuse":
            final = make_final(account_id=self.account, outcome="refused", lease="")
            self.journal.finish(final)
            self.expected[final.request_id] = ("refused", 0)
        elif step == "rotate":
            self.journal._retire()
            self.journal._bring_to_disk()
        elif step == "die":
            self.die()
            self.journal = Journal(self.directory)

    def end(self, request_id: str, started_at: float, slot: int, tokens: int) -> None:
        final = make_final(
            request_id, started_at=started_at, account_id=self.account, completion_tokens=tokens
        )
        self.journal.finish(final, slot)
        self.expected[request_id] = ("ok", tokens)

    def die(self) -> None:
        for request_id, _, _ in self.running:
            self.expected[request_id] = ("interrupted", self.progress.get(request_id, 0))
        self.running = []
        self.journal.close()


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the killed leave them
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps, fuses=st.lists(st.integers(1, 700), max_size=4), seed=st.integers(0, 10**6))
def test_any_history_and_any_crash_of_the_recorder_lead_to_the_same_books(
    transactional_db: None, steps: list[str], fuses: list[int], seed: int
) -> None:
    account = 10**6 + RequestLog.objects.count()  # grows with every example that stores a row
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder), account)
        recorder = Recorder(Path(folder))
        for number, step in enumerate(steps, start=seed % 100):
            story.take(step, number)
            if step == "record":
                recorder = record(recorder, fuses)
        story.die()
        record(recorder, fuses).run_once()

        rows = RequestLog.objects.filter(account_id=account)
        assert {row.request_id: (row.outcome, row.total_tokens) for row in rows} == story.expected
        assert audit(Path(folder), account=account) == []
        assert reports.requests_on_day(account, today()) == sum(row.admitted for row in rows)


def record(recorder: Recorder, fuses: list[int]) -> Recorder:
    """Record, perhaps to be killed at that; the recorder that goes on."""
    directory, killed = recorder._directory, False
    held = descriptors(directory)
    try:
        with Bomb(fuses.pop() if fuses else 0):
            recorder.run_once()
    except Killed:
        killed = True
    if not killed:
        return recorder
    for descriptor in descriptors(directory) - held:
        os.close(descriptor)  # as the kernel does, and so lets go of locks
    return Recorder(directory)


def descriptors(directory: Path) -> set[int]:
    """Those of ours that are open on files in ``directory``."""
    found = set()
    for link in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if link.readlink().is_relative_to(directory):
                found.add(int(link.name))
    return found
