"""What the documentation shows runs as it stands, with nothing but a key in the environment."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from dashboard.docs.contents import PAGES
from dashboard.instance import ROOT
from gateway import product
from tests.docs.conftest import PRODUCTS, Pages
from tests.gateway.conftest import load_catalog
from tests.gateway.site import Site
from tests.people import make_key

FENCE = re.compile(r"^```(\w+) run( environment)?$\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = {"python": [sys.executable], "sh": ["sh"], "javascript": ["node"]}
SUFFIX = {"python": ".py", "sh": ".sh", "javascript": ".mjs"}
TROUBLE = re.compile(r"Traceback|^\{\"error\"", re.MULTILINE)
VARIABLES = {"keyplex": "KEYPLEX_API_KEY", "keymeai": "KEYMEAI_KEY"}


def places(*languages: str) -> list[Any]:
    """Each product with each of its pages on which there is something to run.

    What the second product shows differs in names alone, and runs with ``./test clients``.
    """
    return [
        pytest.param(name, slug, marks=[pytest.mark.clients] if name == "keymeai" else [])
        for name in PRODUCTS
        for slug, page in PAGES.items()
        if {language for language, _, _ in FENCE.findall(page.source)} & set(languages)
        and (name, slug) != ("keymeai", "embeddings")  # it has no model for them
    ]


@pytest.fixture
def site_of(
    request: pytest.FixtureRequest, transactional_db: None, settings: Settings
) -> Callable[[str], Site]:
    """The site of a product, with its catalogue; keys that are made here are its own, too."""

    def serve(name: str) -> Site:
        site: Site = request.getfixturevalue("running_site" if name == "keyplex" else "second_site")
        settings.PRODUCT = product.read(ROOT / "catalog" / f"{name}.toml")
        load_catalog(name)
        site.see_catalog()
        return site

    return serve


def run_all(site: Site, name: str, slug: str, folder: Path, *languages: str) -> None:
    """Every snippet of a page in one of these languages, each with a key of its own."""
    text = httpx.get(f"{site.url}/docs/{slug}.md").text
    base = next(iter(re.findall(rf"{site.url}/(?:api/)?v1", text)))
    for number, (language, by_environment, code) in enumerate(FENCE.findall(text)):
        if language not in languages:
            continue
        plaintext = make_key().plaintext
        variables = {VARIABLES[name]: plaintext}
        if by_environment:
            variables |= {"OPENAI_BASE_URL": base, "OPENAI_API_KEY": plaintext}
        program = folder / f"snippet-{number}{SUFFIX[language]}"
        program.write_text(code)
        said = run(program, RUN[language], os.environ | variables)
        if language == "sh":
            assert said.startswith("data: ") or json.loads(said)


def run(program: Path, command: list[str], environment: dict[str, str]) -> str:
    """What it prints; something, and no trouble."""
    done = subprocess.run(
        [*command, str(program)], env=environment, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{program.read_text()}\n{said}"
    assert done.stdout.strip()
    assert not TROUBLE.search(said), f"{program.read_text()}\n{said}"
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize(("name", "slug"), places("python", "sh"))
def test_what_a_page_shows_runs(
    site_of: Callable[[str], Site], name: str, slug: str, tmp_path: Path
) -> None:
    run_all(site_of(name), name, slug, tmp_path, "python", "sh")


@pytest.mark.clients
@pytest.mark.parametrize(("name", "slug"), places("javascript"))
def test_what_a_page_shows_for_node_runs(
    site_of: Callable[[str], Site], name: str, slug: str, tmp_path: Path
) -> None:
    if not shutil.which("node") or not (ROOT / "node_modules" / "openai").exists():
        pytest.skip("node or its package openai is not installed")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")

    run_all(site_of(name), name, slug, tmp_path, "javascript")


def test_both_products_show_all_that_they_can_run(pages: Pages, brand: str) -> None:
    for slug, page in PAGES.items():
        shown, written = (len(FENCE.findall(text)) for text in (pages[slug], page.source))
        assert shown == written or (brand, slug) == ("keymeai", "embeddings"), slug
