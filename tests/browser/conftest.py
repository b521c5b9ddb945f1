"""A browser before the running site, with a recorder at work behind it."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from dashboard.instance import ROOT
from tests.gateway.conftest import running_site, site
from tests.gateway.site import Site

__all__ = ["running_site", "site"]
expect.set_options(timeout=20_000)  # ms; the other half of the suite may be busy beside us
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Playwright runs an event loop in this thread, which the ORM takes for ours."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--no-first-run", *QUIET]
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def recording_site(site: Site) -> Iterator[Site]:
    """The site, and its recorder as it runs in production."""
    recorder = subprocess.Popen(
        [sys.executable, "manage.py", "record_usage"], cwd=ROOT, env=site.environment()
    )
    site.see_catalog()
    yield site
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(30) in {0, -signal.SIGTERM}  # it may not have been up yet
