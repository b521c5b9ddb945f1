"""``./start`` needs nothing, loses nothing and leaves nothing behind."""

import os
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from dashboard.instance import ROOT
from tests.platform.instance import StartedInstance

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello, world!"}]}


def call(instance: StartedInstance, key: str) -> httpx.Response:
    url = f"http://127.0.0.1:{instance.port}/api/v1/chat/completions"
    return httpx.post(url, json=HELLO, headers={"Authorization": f"Bearer {key}"}, timeout=20)


def as_curl_would(command: str) -> httpx.Response:
    """The same request, on a machine that may have no curl."""
    _, url, *options = shlex.split(command.replace("\\\n", ""))
    values = list(zip(options[::2], options[1::2], strict=True))
    headers = [value.split(": ", 1) for option, value in values if option == "-H"]
    [body] = [value for option, value in values if option == "-d"]
    return httpx.post(url, content=body, headers=dict(headers), timeout=20)


def test_what_start_prints_is_a_first_call_that_works(instance: StartedInstance) -> None:
    said = instance.start()

    [key] = re.findall(r"Bearer (kpx_\w{48})", said)
    [curl] = re.findall(r"^  (curl .*?)\n\n", said, re.DOTALL | re.MULTILINE)
    assert as_curl_would(curl).json()["choices"][0]["message"]["content"] == "Hello, world!"
    logins = instance.data / "first-run.json"
    assert logins.stat().st_mode & 0o777 == 0o600
    assert key in logins.read_text()

    another = instance.manage("issue_key", "--email", "new@example.com", "--name", "Script")
    assert re.fullmatch(r"kpx_\w{48}\n", another)
    assert call(instance, another.strip()).status_code == 200
    assert instance.manage("audit_books") == "0 differences.\n"

    assert instance.interrupt() == 0
    assert instance.wait_until_nothing_runs() == set()


@pytest.mark.t2
def test_another_catalogue_is_another_product(instance: StartedInstance) -> None:
    instance.options = ("--catalog", "catalog/keymeai.toml")

    said = instance.start()

    assert "KeyMeAI is running." in said
    [curl] = re.findall(r"^  (curl .*?)\n\n", said, re.DOTALL | re.MULTILINE)
    assert f"127.0.0.1:{instance.port}/v1/chat/completions" in curl
    assert re.search(r"Bearer km-\w{48}\"", curl)
    answer = as_curl_would(curl)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello, world!"
    assert answer.headers["x-ratelimit-limit-requests-day"] == "100"
    page = httpx.get(f"http://127.0.0.1:{instance.port}/").text
    assert "KeyMeAI" in page
    assert "Keyplex" not in page
    another = instance.manage("issue_key", "--email", "new@example.com", "--name", "Script")
    assert re.fullmatch(r"km-\w{48}\n", another)


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ([], "var"),
        (["--catalog", "catalog/keymeai.toml"], "var-keymeai"),
        (["--catalog", "catalog/keymeai.toml", "--data", "mine"], "mine"),
    ],
)
def test_each_product_has_a_folder_of_its_own(
    tmp_path: Path, options: list[str], folder: str
) -> None:
    shutil.copy(ROOT / "start", tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for program, script in ((tmp_path / "install", "exit 0"), (python, 'echo "$KEYPLEX_DATA"')):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    outside = {name: value for name, value in os.environ.items() if "KEYPLEX" not in name}

    said = subprocess.check_output([tmp_path / "start", *options], env=outside, text=True)

    assert said == f"{folder}\n"


def test_a_killed_supervisor_leaves_nothing_running_and_the_next_start_recovers(
    instance: StartedInstance,
) -> None:
    first = instance.start()
    [key] = re.findall(r"Bearer (kpx_\w{48})", first)
    assert call(instance, key).status_code == 200

    instance.kill()

    assert instance.wait_until_nothing_runs() == set()
    assert key in instance.start()
    assert call(instance, key).status_code == 200
    assert instance.manage("audit_books") == "0 differences.\n"


def test_a_port_in_use_is_one_clear_line(instance: StartedInstance) -> None:
    with socket.create_server(("127.0.0.1", instance.port)):
        line = instance.refusal()

    assert f"Port {instance.port}" in line
    assert "--port" in line


@pytest.mark.t2
def test_two_supervisors_do_not_share_a_folder(instance: StartedInstance) -> None:
    instance.start()

    line = StartedInstance(instance.data).refusal()

    assert "is in use by another ./start" in line


def test_a_folder_of_another_postgresql_is_left_alone(instance: StartedInstance) -> None:
    cluster = instance.data / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")

    line = instance.refusal()

    assert "was made by PostgreSQL 15" in line
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


@pytest.mark.t2
def test_a_folder_of_a_newer_keyplex_is_left_alone(instance: StartedInstance) -> None:
    instance.start()
    insert = (
        "from django.db import connection as c; c.cursor().execute("
        '"INSERT INTO django_migrations (app, name, applied)'
        " VALUES ('usage', '0999_later', now())\")"
    )
    instance.manage("shell", "-c", insert)
    instance.interrupt()

    line = instance.refusal()

    assert "was used by a newer Keyplex (migration usage.0999_later)" in line


def test_a_catalogue_that_is_not_there_is_one_clear_line(
    instance: StartedInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYPLEX_CATALOG", str(tmp_path / "none.toml"))

    assert "none.toml" in instance.refusal()
