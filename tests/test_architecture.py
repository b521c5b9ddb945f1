"""The shape of the code: who may import whom, what a file may be called, how long it may be."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["dashboard", "gateway", "usage", "billing", "accounts", "webhooks"]
PRIVATE = {"views", "forms", "admin", "urls", "tasks"}  # an app's own affair
MODULES = [path for app in LAYERS for path in sorted((ROOT / app).rglob("*.py"))]
FORBIDDEN = {"utils", "helpers", "common", "misc", "services", "managers", "handlers", "core"}
IGNORED = {
    name.strip("/") for name in (ROOT / ".gitignore").read_text().split() if name.endswith("/")
} | {".git"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 55


def tracked(suffix: str = "") -> list[Path]:
    """The files of the project; not what it installs or makes while it runs."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not any(fnmatch(name, ours) for ours in IGNORED)]
        found += [Path(folder) / name for name in names if name.endswith(suffix)]
    return sorted(found)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Every module that ``path`` names, and every name that it takes from one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_downwards_and_only_at_public_modules(path: Path) -> None:
    app = path.relative_to(ROOT).parts[0]
    for target, *rest in (name.split(".") for name in imports(path)):
        if target in LAYERS and target != app:
            assert LAYERS.index(target) > LAYERS.index(app), f"{app} must not know {target}"
            assert not PRIVATE & set(rest[:1]), f"{target}.{rest[0]} is private"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    within = [node for function in functions(path) for node in ast.walk(function)]

    assert not [node.lineno for node in within if isinstance(node, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("path", tracked(".py"), ids=name_of)
def test_a_file_is_one_thought_of_a_readable_length(path: Path) -> None:
    if "migrations" in path.parts or "snippets" in path.parts:
        return

    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno > LONGEST_FUNCTION]

    assert path.stem not in FORBIDDEN
    assert not [part for part in path.relative_to(ROOT).parts[:-1] if part in FORBIDDEN]
    assert len(path.read_text().splitlines()) <= LONGEST_FILE + 50 * name_of(path).startswith(
        "tests"
    )
    assert not long, f"longer than {LONGEST_FUNCTION} lines"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()

    assert not text.strip() or "migrations" in path.parts or ast.get_docstring(ast.parse(text))


def test_no_committed_file_names_a_place_to_download_from() -> None:
    hosts = re.compile(r"(pypi\.org|pythonhosted\.org|registry\.npmjs\.org|npmjs\.com/)")
    for path in tracked():
        if path != Path(__file__) and path.suffix not in {".png", ".woff2"}:
            assert not hosts.search(path.read_text(errors="replace")), name_of(path)


def test_every_dependency_says_why_it_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    listed = [*project["project"]["dependencies"], *groups["embedded"], *groups["test"]]
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    for requirement in listed:
        name = re.split(r"[\[<>=;]", requirement)[0]
        assert f"`{name}`" in explained, name


def test_the_lock_files_carry_hashes_and_no_addresses() -> None:
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text()
        packages = re.findall(r"^\S+==\S+", text, re.MULTILINE)
        assert packages
        assert "://" not in text
        assert all(
            f"{package} \\\n    --hash=sha256:" in text or ";" in text for package in packages
        )
