"""What is asked and answered is kept only where a key says so, and only what it says."""

import json
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import APIKey, Membership
from gateway.captures import Choice
from tests.gateway.conftest import Recorded
from tests.gateway.scripted import Scripted
from tests.people import Issued, make_account, make_colleague, make_key, make_user
from usage import payloads
from usage.models import Payload

SAID = {"choices": [{"message": {"role": "assistant", "content": "Fine, ada@example.com"}}]}
FAILING = {"model": "none/such", "messages": [{"role": "user", "content": "a secret plan"}]}
pytestmark = pytest.mark.django_db(transaction=True)


def ask(client: httpx.Client, key: Issued, model: str, **more: object) -> str:
    """The id of a request that names the key itself, and an address."""
    content = f"My key is {key.plaintext}, write to bob@example.org"
    body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
    answer = client.post("/v1/chat/completions", json=body, headers=key.headers)
    return answer.headers["x-request-id"]


def captured(recorded: Recorded, request_id: str) -> Payload | None:
    row = recorded(request_id)
    return payloads.get(row.account_id, request_id)


def journal() -> str:
    """All that lies on the disk, shipped or not."""
    files = [path for path in Path(settings.JOURNAL_DIR).iterdir() if path.is_file()]
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


def test_nothing_is_kept_unless_the_key_says_so(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    key, model = make_key(), provider.serves()
    provider.says(SAID)

    good, bad = ask(client, key, model), ask(client, key, "none/such")

    assert "bob@example.org" not in journal()
    assert captured(recorded, good) is captured(recorded, bad) is None
    assert not Payload.objects.filter(account_id=key.account.pk).exists()


@pytest.mark.parametrize("stream", [False, True])
def test_all_keeps_request_and_answer_without_their_secrets(
    client: httpx.Client, provider: Scripted, recorded: Recorded, stream: bool
) -> None:
    key, model = make_key(), provider.serves()
    key.api_key.capture_calls(APIKey.Capture.ALL, by=SYSTEM)
    if stream:
        pieces = ["Fine, ada@", "example.com"]
        provider.streams(*({"choices": [{"delta": {"content": piece}}]} for piece in pieces))
    else:
        provider.says(SAID)

    request_id = ask(client, key, model, stream=stream)

    payload = wait_for(recorded, request_id)
    told = payload.request + payload.response
    assert "My key is [redacted], write to [redacted]" in payload.request
    assert "Fine, [redacted]" in payload.response
    for secret in (key.plaintext, "bob@", "ada@", "uthorization"):
        assert secret not in told
        assert secret not in journal()
    assert payload.request_bytes > len(key.plaintext)


def wait_for(recorded: Recorded, request_id: str) -> Payload:
    """A payload is written after its answer."""
    for _ in range(100):
        if payload := captured(recorded, request_id):
            return payload
    raise AssertionError("nothing was captured")


def test_errors_only_keeps_exactly_what_failed_or_was_refused(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    key, model = make_key(requests_per_minute=3), provider.serves()
    key.api_key.capture_calls(APIKey.Capture.ERRORS, by=SYSTEM)
    provider.says(SAID)
    provider.says({"error": {"message": "broken"}}, status=400)

    good = ask(client, key, model)
    failed = ask(client, key, model)
    wrong = ask(client, key, "none/such")
    ask(client, key, model)
    refused = ask(client, key, model)

    assert [recorded(one).outcome for one in (good, refused)] == ["ok", "refused"]
    for request_id in (failed, wrong, refused):
        assert "My key is" in wait_for(recorded, request_id).request
    assert captured(recorded, good) is None


def test_a_sample_is_chosen_by_the_id_alone() -> None:
    choice = Choice("sampled", 4, (), 3)
    ids = [f"req_{n:028x}" for n in range(1000)]

    chosen = [one for one in ids if choice.wants(one, "ok")]

    assert len(chosen) == 250
    assert chosen == [one for one in ids if choice.may_want(one)]


def test_a_change_holds_from_the_next_request_on(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    key, model = make_key(), provider.serves()
    provider.says(SAID)
    before = ask(client, key, model)

    key.api_key.capture_calls(APIKey.Capture.ALL, by=SYSTEM)
    during = [ask(client, key, model) for _ in range(4)]
    key.api_key.capture_calls(APIKey.Capture.OFF, by=SYSTEM)
    after = [ask(client, key, model) for _ in range(4)]

    for request_id in during:
        wait_for(recorded, request_id)
    assert not any(captured(recorded, request_id) for request_id in [before, *after])


def test_only_those_who_may_see_what_was_captured(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    owner = make_user()
    account = make_account(owner)
    key, model = make_key(account), provider.serves()
    key.api_key.capture_calls(APIKey.Capture.ALL, by=SYSTEM)
    provider.says(SAID)
    request_id = ask(client, key, model)
    wait_for(recorded, request_id)
    people = {"owner": owner, "stranger": make_user("stranger")}
    make_account(people["stranger"])
    people |= {role: make_colleague(account, role) for role in Membership.Role if role != "owner"}

    sees = {}
    for who, person in people.items():
        browser = Client()
        browser.force_login(person)
        pages = [f"/logs/{request_id}", f"/logs?open={request_id}", "/logs/export"]
        sees[who] = any(b"My key is" in browser.get(page).content for page in pages)

    seeing = {who for who, does in sees.items() if does}
    assert seeing == {"owner", "admin", "developer"}


def test_the_command_to_send_it_again_has_what_was_captured(
    client: httpx.Client, provider: Scripted, recorded: Recorded
) -> None:
    owner = make_user()
    key = make_key(make_account(owner))
    key.api_key.capture_calls(APIKey.Capture.ALL, by=SYSTEM)
    provider.says(SAID)
    request_id = ask(client, key, provider.serves())
    payload = wait_for(recorded, request_id)
    browser = Client()
    browser.force_login(owner)

    page = browser.get(f"/logs/{request_id}").content.decode()

    content = json.loads(payload.request)["messages"][0]["content"]
    assert content in page.partition('id="curl"')[2]
