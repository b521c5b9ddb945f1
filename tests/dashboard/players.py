"""People before the playground of the running site, and what they read on it."""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx
import pytest
from django.test import Client

from accounts.models import User
from tests.gateway.site import Site

HELLO = {"model": "keyplex/echo", "message": "Hello, world!", "keep": "20", "stream": "on"}


@dataclass
class Browser:
    """Somebody signed in before the running site, over real HTTP."""

    http: httpx.Client
    token: str

    def post(self, name: str, **fields: str) -> httpx.Response:
        data = HELLO | fields | {"csrfmiddlewaretoken": self.token}
        return self.http.post(f"/playground/{name}", data=data)


SignIn = Callable[[User], Browser]


@pytest.fixture
def sign_in(site: Site) -> Iterator[SignIn]:
    """Makes a browser for somebody; all are closed in the end."""
    with contextlib.ExitStack() as open_ones:

        def browser_of(user: User) -> Browser:
            client = Client()
            client.force_login(user)
            cookies = {"sessionid": client.cookies["sessionid"].value}
            http = httpx.Client(base_url=site.url, cookies=cookies, timeout=60)
            open_ones.enter_context(http)
            found = re.search(r'"x-csrftoken": "(\w+)"', http.get("/overview").text)
            assert found
            return Browser(http, found[1])

        yield browser_of


class Said(HTMLParser):
    """What stands in the messages of a page, and which elements the page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if ("data-content", None) in attrs:
            self._within = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "div"

    def handle_data(self, data: str) -> None:
        if self._within:
            self.texts[-1] += data
