"""What stands in deploy/, Dockerfile and compose.yaml fits the product that it deploys."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from dashboard.embedded.supervisor import processes
from dashboard.instance import ROOT, SECRETS

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NAMES = [process.name for process in processes(ROOT, host="", port=1, workers=1)]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
UNITS = ROOT / "deploy" / "systemd"
APPS = ["accounts", "billing", "dashboard", "gateway", "usage", "webhooks"]


def dockerfile() -> list[str]:
    """Its instructions, a line each."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def named_by_code() -> Iterator[str]:
    """What our code reads of the checkout: every ``ROOT / "name"``."""
    for path in [path for app in APPS for path in (ROOT / app).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.BinOp(ast.Name("ROOT"), ast.Div(), ast.Constant(str(name))):
                    yield name


def new_environment(host: str) -> dict[str, str]:
    """What ``deploy/new-env`` prints, as a service manager reads it."""
    said = subprocess.run(["deploy/new-env", host], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    lines = [line for line in said.stdout.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_every_process_of_a_host_has_its_container() -> None:
    run = ["python", "manage.py", "run"]
    commands = [service["command"] for service in OURS.values()]
    names = [command[3] for command in commands if command[:3] == run]

    assert set(names) == set(NAMES)
    assert names.count("web") == 2
    assert names.count("beat") == names.count("recorder") == 1
    assert set(OURS) - {"web1", "web2", "prepare"} == set(NAMES) - {"web"}


def test_every_process_of_a_host_has_its_unit() -> None:
    target = (UNITS / "keyplex.target").read_text()

    assert re.findall(r"^Wants=keyplex@(.+)\.service$", target, re.MULTILINE) == NAMES
    assert "manage.py run %i\n" in (UNITS / "keyplex@.service").read_text()


def test_a_host_is_prepared_in_the_same_way_with_and_without_containers() -> None:
    unit = (UNITS / "keyplex-prepare.service").read_text()
    by_unit = re.findall(r"^ExecStart=\S+ manage\.py (\w+)", unit, re.MULTILINE)
    by_container = re.findall(r"manage\.py (\w+)", OURS["prepare"]["command"][-1])

    assert by_unit == by_container == ["migrate", "collectstatic", "load_catalog"]


def test_containers_of_ours_can_write_to_their_volumes_only() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert {"data:/data", "static:/data/static"} <= set(service["volumes"])
        assert "user" not in service
        assert "privileged" not in service


def test_only_the_proxy_can_be_reached_and_is_believed() -> None:
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]

    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert {s["environment"]["KEYPLEX_TRUSTED_PROXIES"] for s in OURS.values()} == {address}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["back"]
    assert COMPOSE["networks"]["back"] == {"internal": True}


def test_the_queue_and_the_limits_are_never_evicted() -> None:
    command = SERVICES["redis"]["command"][-1]

    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


def test_every_volume_and_network_is_declared_and_used() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    joined = {network for service in SERVICES.values() for network in service["networks"]}

    assert mounted == set(COMPOSE["volumes"])
    assert joined == set(COMPOSE["networks"])


def test_the_image_runs_as_nobody_in_particular_and_brings_nothing_from_elsewhere() -> None:
    lines = dockerfile()
    copied = [line for line in lines if line.startswith("COPY")]

    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert not [line for line in lines if line.startswith("ADD")]
    assert not [line for line in lines if "://" in line and "127.0.0.1" not in line]
    assert copied == ["COPY requirements.lock /", "COPY --from=packages /venv /venv", "COPY . /app"]
    assert [line for line in lines if "--require-hashes" in line and "/requirements.lock" in line]
    assert [line for line in lines if line.startswith("HEALTHCHECK") and "/readyz" in line]


def test_what_the_code_reads_comes_into_the_image_and_secrets_do_not() -> None:
    everything, *kept = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    kept = [line.removeprefix("!") for line in kept if line.startswith("!")]

    assert everything == "*"
    assert {*APPS, "catalog", "manage.py", *named_by_code()} <= set(kept)
    assert all((ROOT / name).exists() for name in kept)
    assert not {"var", ".env", ".git", "deploy", "tests"} & set(kept)


def test_every_setting_that_is_named_is_explained() -> None:
    explained: set[str] = set()
    for line in (ROOT / "docs" / "operations.md").read_text().splitlines():
        if line.startswith("| `"):
            names = re.findall(r"`(_?[A-Z][A-Z_]+)`", line.split("|")[1])
            full = [name for name in names if not name.startswith("_")]
            ends = [i for name in full for i, letter in enumerate(name) if letter == "_"]
            starts = {name[:i] for name in full for i in ends}
            shortened = {start + name for start in starts for name in names if name[0] == "_"}
            explained |= {*full, *shortened}
    files = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    files += [ROOT / "compose.yaml", ROOT / "Dockerfile"]
    files += [ROOT / "docs" / "deploy.md", ROOT / "docs" / "scaling.md"]
    for path in files:
        named = set(re.findall(r"\b(?:KEYPLEX|STRIPE)_[A-Z_]*[A-Z]\b", path.read_text()))
        assert named <= explained, f"{path.name}: {named - explained}"


def test_a_new_environment_has_every_secret_and_none_twice() -> None:
    environment = new_environment("keys.example.com")
    wanted = {f"KEYPLEX_{name.upper()}" for name in SECRETS} - {"KEYPLEX_SIMULATED_STRIPE"}
    secrets = [environment[name] for name in [*wanted, "POSTGRES_PASSWORD", "REDIS_PASSWORD"]]

    assert all(re.fullmatch(r"[0-9a-f]{64}", secret) for secret in secrets)
    assert len(set(secrets)) == len(secrets)
    assert environment["KEYPLEX_URL"] == "https://keys.example.com"
    assert new_environment("keys.example.com")["KEYPLEX_SECRET_KEY"] not in secrets


@pytest.mark.parametrize("host", ["", "two words", "https://keys.example.com", "a;b"])
def test_what_is_no_host_name_makes_no_environment(host: str) -> None:
    said = subprocess.run(["deploy/new-env", host], cwd=ROOT, capture_output=True, text=True)

    assert said.returncode == 2
    assert said.stdout == ""
    assert "is not a host name" in said.stderr


def test_a_new_environment_passes_the_deployment_check(tmp_path: Path) -> None:
    outside = {name: value for name, value in os.environ.items() if "KEYPLEX" not in name}
    inside = {**new_environment("keys.example.com"), "KEYPLEX_DATA": str(tmp_path)}

    said = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**outside, **inside},
        capture_output=True,
        text=True,
    )

    assert said.returncode == 0, said.stderr


def test_a_process_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(CommandError) as refused:
        call_command("run", "recoder")

    assert all(name in str(refused.value) for name in NAMES)


def test_the_web_process_says_what_is_missing(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"

    with pytest.raises(CommandError, match=r"static is missing. Run manage.py collectstatic."):
        call_command("run", "web")


def test_a_migration_that_takes_something_away_is_named_where_updates_are_explained() -> None:
    explained = (ROOT / "docs" / "deploy.md").read_text()
    takes_away = re.compile(r"\.(RemoveField|DeleteModel|RenameField|RenameModel)\(")
    for path in [path for app in APPS for path in (ROOT / app / "migrations").glob("0*.py")]:
        name = f"{path.parent.parent.name}.{path.stem}"
        assert not takes_away.search(path.read_text()) or name in explained, name


def test_a_process_is_run_in_place_and_ends_when_told_to(tmp_path: Path) -> None:
    lock = tmp_path / "journal" / "recorder.lock"
    recorder = subprocess.Popen(
        [sys.executable, "manage.py", "run", "recorder"],
        cwd=ROOT,
        env={**os.environ, "KEYPLEX_DATA": str(tmp_path)},
    )
    while not lock.exists():
        assert recorder.poll() is None
        time.sleep(0.05)
    command = Path(f"/proc/{recorder.pid}/cmdline").read_bytes()

    recorder.send_signal(signal.SIGTERM)

    assert b"record_usage" in command
    assert recorder.wait(30) == 0
