"""What is our trouble is a 503 that says when to come back: never a 401, never a charge."""

import httpx
from django.conf import settings

from accounts.audit import SYSTEM
from tests.gateway.gate import GatedSite
from tests.gateway.site import Site
from tests.people import Issued, make_key
from usage.models import RequestLog
from usage.recorder import Recorder

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}


def call(site: Site, key: Issued) -> httpx.Response:
    url = f"{site.url}/v1/chat/completions"
    return httpx.post(url, json=HELLO, headers=key.headers, timeout=20)


def check_refusal(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    error = answer.json()["error"]
    assert error["request_id"] == answer.headers["x-request-id"]
    assert error["type"] != "authentication_error"


def test_without_redis_who_was_never_seen_is_refused_and_not_charged(gated: GatedSite) -> None:
    known, new = make_key(), make_key()
    assert call(gated, known).status_code == 200

    gated.redis.shut()
    refused = [call(gated, new) for _ in range(3)]
    served = call(gated, known)
    ready = httpx.get(f"{gated.url}/readyz")
    gated.redis.open()

    for answer in refused:
        check_refusal(answer)
    assert served.status_code == 200
    assert ready.status_code == 503
    assert call(gated, new).status_code == 200
    Recorder(settings.JOURNAL_DIR).run_once()
    rows = RequestLog.objects.filter(account_id=new.account.pk)
    assert sorted(rows.values_list("status_code", flat=True)) == [200, 503, 503, 503]
    assert not any(row.total_tokens for row in rows if row.status_code == 503)


def test_without_postgresql_who_is_known_goes_on_and_nobody_is_called_unknown(
    gated: GatedSite,
) -> None:
    known, new = make_key(), make_key()
    assert call(gated, known).status_code == 200

    gated.database.shut()
    answers = call(gated, known), call(gated, new)
    ready = httpx.get(f"{gated.url}/readyz")
    gated.database.open()

    assert answers[0].status_code == 200
    check_refusal(answers[1])
    assert ready.status_code == 503
    assert call(gated, new).status_code == 200


def test_a_revoked_key_is_refused_also_while_postgresql_was_away(gated: GatedSite) -> None:
    key = make_key()
    assert call(gated, key).status_code == 200

    gated.database.shut()
    key.api_key.revoke(by=SYSTEM)
    while_away = call(gated, key)
    gated.database.open()

    check_refusal(while_away)  # what we know is stale, and we cannot look it up
    assert call(gated, key).status_code == 401
