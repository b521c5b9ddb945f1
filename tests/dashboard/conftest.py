"""An account with a key, and the three people who may want to see what it does."""

import re
import time
from dataclasses import dataclass
from itertools import count

import pytest
from django.test import Client

from accounts.models import User
from tests.operators import as_operator
from tests.people import Issued, make_account, make_colleague, make_key, make_user
from tests.usage.calls import make_final
from usage import posting

_seconds = count()


@dataclass(frozen=True)
class Scene:
    """The key of an account, and a browser for each of the three."""

    key: Issued
    owner: Client
    colleague: Client
    stranger: Client

    def call(self, **fields: object) -> str:
        """A request of this account, newer than every one before; its id."""
        final = self._final(**fields)
        posting.post([final])
        return final.request_id

    def calls(self, number: int, **fields: object) -> list[str]:
        """Several, the newest last."""
        finals = [self._final(**fields) for _ in range(number)]
        posting.post(finals)
        return [final.request_id for final in finals]

    def _final(self, **fields: object) -> posting.Final:
        key = self.key.api_key
        defaults: dict[str, object] = {
            "account_id": key.account_id,
            "api_key_id": key.pk,
            "requested_model": fields.get("model", "keyplex/echo"),
            "endpoint": "chat/completions",
            "started_at": time.time() - 60 + next(_seconds) / 1000,
        }
        return make_final(**(defaults | fields))


@pytest.fixture
def scene(db: None) -> Scene:
    owner = make_user()
    account = make_account(owner)
    stranger = make_user("stranger")
    make_key(make_account(stranger))
    people = [owner, make_colleague(account), stranger]
    return Scene(make_key(account), *(browser_of(person) for person in people))


def browser_of(user: User) -> Client:
    """Signed in; staff as operators are, with a second factor."""
    client = Client()
    if user.is_staff:
        return as_operator(client, user)
    client.force_login(user)
    return client


def text_of(answer: object) -> str:
    """What a page says, without its markup and with single spaces."""
    page: str = answer.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def part(target: str) -> dict[str, str]:
    """The headers with which htmx asks for one element."""
    return {"HX-Request": "true", "HX-Target": target}
