"""How long a request is remembered is written down with it, as it was agreed at that moment."""

import httpx
import pytest

from tests.gateway.conftest import Recorded
from tests.people import Issued, make_key

pytestmark = pytest.mark.django_db(transaction=True)


def ask(client: httpx.Client, key: Issued) -> str:
    body = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "hi"}]}
    answer = client.post("/v1/chat/completions", json=body, headers=key.headers)
    assert answer.status_code == 200
    request_id: str = answer.headers["x-request-id"]
    return request_id


def test_an_agreement_with_one_account_holds_from_its_next_request_on(
    client: httpx.Client, recorded: Recorded
) -> None:
    key, other = make_key(), make_key()
    before = [ask(client, key) for _ in range(6)]  # every worker knows the key

    key.account.subscription.keep_logs("extended")
    during = [ask(client, key) for _ in range(6)]
    beside = ask(client, other)
    key.account.subscription.keep_logs("")
    after = [ask(client, key) for _ in range(6)]

    for ids, name in [(before, "standard"), (during, "extended"), (after, "standard")]:
        assert [recorded(request_id).retention_class for request_id in ids] == [name] * 6
    assert recorded(beside).retention_class == "standard"
