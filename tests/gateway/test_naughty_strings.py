"""A text that somebody made to hurt is stored as it is or refused, and hurts nobody."""

import html
import json

import httpx
import pytest
from django.conf import settings
from django.test import Client

from accounts.models import APIKey
from tests.gateway.test_bad_input import CHAT, HELLO
from tests.naughty_strings import NAUGHTY
from tests.people import make_account, make_key, make_user
from usage.models import RequestLog
from usage.recorder import Recorder

LONGEST = RequestLog._meta.get_field("end_user").max_length


def test_as_an_end_user_it_is_in_the_log_as_it_was_sent(client: httpx.Client) -> None:
    key = make_key()
    sent = {}

    for text in NAUGHTY:
        body = json.dumps(HELLO | {"user": text})
        answer = client.post(CHAT, headers=key.headers, content=body)
        assert answer.status_code in {200, 400}, (text, answer.text)
        if answer.status_code == 200:
            sent[answer.headers["x-request-id"]] = text
    Recorder(settings.JOURNAL_DIR).run_once()

    rows = RequestLog.objects.filter(account=key.account).in_bulk(field_name="request_id")
    assert len(sent) > 100
    for request_id, text in sent.items():
        assert rows[request_id].end_user == text.replace("\0", "\ufffd")[:LONGEST], text


@pytest.mark.t2
def test_as_a_model_it_is_unknown(client: httpx.Client) -> None:
    headers = make_key().headers

    for text in NAUGHTY:
        answer = client.post(CHAT, headers=headers, content=json.dumps(HELLO | {"model": text}))

        assert answer.status_code in {400, 404}, (text, answer.text)
        assert answer.json()["error"]["param"] == "model"
        assert "x-injected" not in answer.headers
        assert not answer.cookies


@pytest.mark.django_db
def test_as_the_name_of_a_key_it_is_shown_as_text_or_refused() -> None:
    account = make_account(owner := make_user())
    pages = Client()
    pages.force_login(owner)

    for text in NAUGHTY:
        answer = pages.post("/keys/new", {"name": text, "scopes": ["chat:write"]})
        assert answer.status_code in {200, 302, 422}, text

    shown = pages.get("/keys").content.decode()
    names = APIKey.objects.filter(account=account).values_list("name", flat=True)
    assert len(names) > 90
    assert set(names) <= {text.strip() for text in NAUGHTY}
    for name in names:
        assert html.escape(name) in shown, name
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


@pytest.mark.django_db
def test_as_a_search_in_the_log_it_finds_nothing() -> None:
    make_account(owner := make_user())
    pages = Client()
    pages.force_login(owner)

    for text in NAUGHTY:
        answer = pages.get("/logs", {"q": text, "model": text})

        assert answer.status_code in {200, 422}, text
        assert "<script>alert" not in answer.content.decode()
