"""Who gets what from every page: ``matrix.txt`` is the answer, and this is how it is kept true.

``WRITE_MATRIX=1 ./test -n 0 tests/access/test_matrix.py`` writes it anew; read the difference.
"""

import os
import re
from copy import deepcopy
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import Membership, User
from tests.access.routes import Things
from tests.dashboard.conftest import browser_of
from tests.people import make_account, make_colleague, make_key, make_user

pytestmark = pytest.mark.django_db
MATRIX = Path(__file__).with_name("matrix.txt")
HEAD = """\
What each visitor gets from each route: a status, or where they are sent.

The account and its key are the owner's. A stranger owns another account; the suspended one owns an
account that is suspended; staff are operators with every permission. POST sends an empty form.

"""
METHODS = ["GET", "POST", "DELETE"]


@pytest.fixture
def things(db: None) -> Things:
    return Things.make()


@pytest.fixture
def visitors(things: Things) -> dict[str, Client]:
    account, stranger, suspended = things.key.account, make_user("stranger"), make_user("late")
    make_key(make_account(stranger))
    make_account(suspended).suspend(by=SYSTEM)
    staff = User.objects.create_superuser("staff@example.com", "correct horse")
    make_account(staff)
    roles = [role for role in reversed(Membership.Role.values) if role != "owner"]
    people = {
        "stranger": stranger,
        **{role: make_colleague(account, role) for role in roles},
        "owner": account.members.get(memberships__role="owner"),
        "suspended": suspended,
        "staff": staff,
    }
    return {"anonymous": Client(), **{name: browser_of(user) for name, user in people.items()}}


def ask(browser: Client, method: str, address: str) -> str:
    """The answer in a word. Whatever was done is undone again, also to the visitor's cookies."""
    cache.clear()
    cookies = deepcopy(browser.cookies)
    with transaction.atomic():
        answer = browser.generic(method, address)
        transaction.set_rollback(True)
    browser.cookies = cookies
    return word_for(answer)  # type: ignore[arg-type]


def word_for(answer: HttpResponse) -> str:
    if answer.status_code != 302:
        return str(answer.status_code)
    path = answer["Location"].partition("?")[0]
    return {"/login/": "login", "/ops/login/": "login", "/reauthenticate/": "again"}.get(
        path, "302"
    )


def matrix(things: Things, visitors: dict[str, Client]) -> str:
    lines = [f"{'route':66} {'':6} " + " ".join(f"{name:>9}" for name in visitors)]
    for route, address in things.addresses():
        for method in METHODS:
            cells = [ask(browser, method, address) for browser in visitors.values()]
            row = " ".join(f"{cell:>9}" for cell in cells)
            lines.append(f"{'/' + route if method == 'GET' else '':66} {method:6} {row}")
    return HEAD + "\n".join(line.rstrip() for line in lines) + "\n"


def test_everybody_gets_what_the_matrix_says(things: Things, visitors: dict[str, Client]) -> None:
    found = matrix(things, visitors)
    if os.environ.get("WRITE_MATRIX"):
        MATRIX.write_text(found)

    assert found.splitlines() == MATRIX.read_text().splitlines()


@pytest.mark.t2
def test_no_other_method_gets_more(things: Things, visitors: dict[str, Client]) -> None:
    owner = visitors["owner"]
    for _, address in things.addresses():
        assert ask(owner, "HEAD", address) == ask(owner, "GET", address), address
        allowed = {"405", ask(owner, "POST", address), ask(owner, "DELETE", address)}
        assert {ask(owner, method, address) for method in ("PUT", "PATCH")} <= allowed, address


def test_what_is_not_yours_looks_like_what_is_not_there(
    things: Things, visitors: dict[str, Client]
) -> None:
    key = things.key.api_key
    for theirs, nothing in [
        (f"/keys/{key.pk}/revoke", f"/keys/{key.pk + 10**6}/revoke"),
        (f"/logs/{things.request_id}", "/logs/req_" + "0" * 28),
        (f"/help/requests/{things.asked.number}", "/help/requests/SR-999999999"),
    ]:
        for method in ("GET", "POST"):
            one = visitors["stranger"].generic(method, theirs)
            other = visitors["stranger"].generic(method, nothing)
            assert (one.status_code, other.status_code) in {(404, 404), (405, 405)}
            assert without(theirs, one.content) == without(nothing, other.content)


def without(address: str, page: bytes) -> bytes:
    """What the page says, whatever its own address and the token of its forms are."""
    return re.sub(rb"\b\w{64}\b", b"", page.replace(address.encode(), b""))
