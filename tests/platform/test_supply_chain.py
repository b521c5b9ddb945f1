"""What we run of others is what we have looked at: known by hash, old enough, and not too much."""

import json
import re
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from dashboard.instance import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
MOST_DIRECT = 40
RUN_AT_EVERY_START = {"_virtualenv.pth"}  # of older versions of uv: it mends distutils, no more
SCRIPTS = ["install", "start", "test", "Dockerfile", "deploy/new-env", ".ci/run"]
INSTALLS = re.compile(r"\bpip (install|sync)|\b(npm|uv|pipx|npx) (i|ci|install|add|sync|run)\b")
OF_OTHERS = "tests/clients/install"  # what it installs meets no key but those of a test
EXACT = r"(python:\d+\.\d+\.\d+|caddy:\d+\.\d+\.\d+|valkey/valkey:\d+\.\d+\.\d+|postgres:\d+\.\d+)"


def locked(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """Of each package its version, and the hashes that a file of it may have."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        if entry.startswith("#"):
            continue
        pinned = re.match(r"([a-z0-9-]+)==([\w.]+)(?: ; [^-]+?)?(?= +--hash)", entry)
        assert pinned, f"{lock.name}: {entry[:60]}"
        found[pinned[1]] = (pinned[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
    return found


def installs(name: str) -> Iterator[str]:
    """Every command of a script that brings in packages, on one line."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if INSTALLS.search(line):
            yield " ".join(line.split())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_locked_by_hash(lock: Path) -> None:
    packages = locked(lock)

    assert packages
    assert all(hashes for _, hashes in packages.values())


def test_locks_agree_with_each_other() -> None:
    run, tests = locked(ROOT / "requirements.lock"), locked(ROOT / "requirements-test.lock")

    assert {name: tests[name] for name in tests.keys() & run.keys()} == {
        name: run[name] for name in tests.keys() & run.keys()
    }


def test_nothing_is_installed_without_its_hash() -> None:
    commands = [command for name in SCRIPTS for command in installs(name)]

    assert len(commands) == 4
    for command in commands:
        assert "--require-hashes" in command or command.startswith("npm ci "), command
        assert "npm" in command or re.search("--only-binary :all:|--no-build", command), command
    scripts = {path for path in ROOT.rglob("*") if is_script(path)}
    others = {str(path.relative_to(ROOT)) for path in scripts} - {*SCRIPTS, OF_OTHERS}
    assert {name for name in others if list(installs(name))} == set()


def is_script(path: Path) -> bool:
    hidden = any(
        part in {".venv", ".tools", ".git", "node_modules", ".clients"} for part in path.parts
    )
    if hidden or not path.is_file() or path.suffix not in {"", ".sh"}:
        return False
    return path.read_bytes()[:2] == b"#!"


def test_clients_of_others_are_installed_on_demand_only() -> None:
    named = [name for name in SCRIPTS if OF_OTHERS in (ROOT / name).read_text()]

    assert named == ["test"]
    assert re.search(rf"^clients\) shift; {OF_OTHERS};", (ROOT / "test").read_text(), re.MULTILINE)


def test_packages_of_node_are_locked_by_hash() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    named = json.loads((ROOT / "package.json").read_text())
    packages = {path: entry for path, entry in lock["packages"].items() if path}

    assert packages
    assert not [
        path
        for path, entry in packages.items()
        if not entry.get("inBundle") and not entry.get("integrity", "").startswith("sha512-")
    ]
    assert "dependencies" not in named
    assert all(
        re.fullmatch(r"\d+\.\d+\.\d+", version) for version in named["devDependencies"].values()
    )


def test_there_are_few_direct_dependencies() -> None:
    assert len(PROJECT["project"]["dependencies"]) <= MOST_DIRECT
    assert not [name for name in PROJECT["project"]["dependencies"] if "@" in name]


def test_locks_were_made_by_the_commands_that_contributors_find() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text()
    [lock] = re.findall(r'^lock="(.+)"$', told, re.MULTILINE)
    commands = re.findall(r"^(?:echo uv \| )?\$lock (.+)$", told, re.MULTILINE)
    expected = {command.split()[-1]: f"{lock} {command}" for command in commands}

    assert "--exclude-newer P7D" in lock  # whatever is worse than a bug is found within days
    assert "--generate-hashes" in lock
    assert expected.keys() == {path.name for path in LOCKS}
    for path in LOCKS:
        header = path.read_text().splitlines()[1].removeprefix("#").strip()
        in_haste = re.sub(r"--exclude-newer-package \S+ ", "", header)
        assert in_haste == expected[path.name]


def test_what_is_installed_is_what_is_locked() -> None:
    known = {name for lock in LOCKS for name in locked(lock)}
    there = {
        re.sub(r"[-_.]+", "-", each.name).lower()
        for each in distributions(path=[str(SITE_PACKAGES)])
    }

    assert there
    assert there <= known


def test_no_package_runs_code_whenever_python_starts() -> None:
    hooks = [path.name for path in SITE_PACKAGES.glob("*.pth")]
    hooks += [path.name for path in SITE_PACKAGES.glob("*customize*")]

    assert set(hooks) <= RUN_AT_EVERY_START


def images() -> Iterator[str]:
    """Every image that is not made here."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    [python] = re.findall(r"^ARG PYTHON=(\S+)$", dockerfile, re.MULTILINE)
    for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        yield image.replace("${PYTHON}", python)
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    yield from (service["image"] for service in services.values() if not service.get("build"))


def test_images_have_a_digest_or_a_whole_version() -> None:
    found = list(images())

    assert len(found) == 5
    for image in found:
        assert re.search(r"@sha256:[0-9a-f]{64}$", image) or re.match(EXACT, image), image


def test_no_workflow_runs_what_may_change_or_sees_a_secret() -> None:
    """There is one script and no secret; whoever adds a workflow of a forge keeps it so."""
    script = (ROOT / ".ci" / "run").read_text()
    workflows = list((ROOT / ".github").rglob("*.y*ml"))

    assert not re.search(r"secrets\.|(?i:token|password|_key)\b", script)
    for path in workflows:
        text = path.read_text()
        assert "secrets." not in text, path.name
        for action in re.findall(r"uses:\s*(\S+)", text):
            assert re.search(r"@[0-9a-f]{40}$", action), f"{path.name}: {action}"


def test_the_bill_of_materials_is_the_lock() -> None:
    printed = StringIO()
    call_command("sbom", stdout=printed)
    bill = json.loads(printed.getvalue())

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    packages = {
        part["name"]: (part["version"], [each["content"] for each in part["hashes"]])
        for part in bill["components"]
    }
    assert packages == locked(ROOT / "requirements.lock")
    assert {part["purl"] for part in bill["components"]} == {
        f"pkg:pypi/{name}@{version}" for name, (version, _) in packages.items()
    }
