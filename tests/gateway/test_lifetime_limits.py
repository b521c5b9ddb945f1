"""What a key may use in its whole life is exact, survives Redis, and never comes back."""

import httpx
import redis
from django.conf import settings

from accounts import epochs
from accounts.audit import SYSTEM
from billing.models import limit_key
from tests.gateway.test_bad_input import HELLO, check
from tests.gateway.test_limits import call
from tests.people import make_key
from usage.recorder import Recorder


def test_what_a_key_used_before_it_was_limited_counts(client: httpx.Client) -> None:
    key = make_key()
    for _ in range(3):
        call(client, key)
    Recorder(settings.JOURNAL_DIR).run_once()

    limit_key(key.api_key, {"requests_per_lifetime": 5}, by=SYSTEM)
    answers = [call(client, key) for _ in range(8)]

    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [429] * 6
    said = check(answers[-1], 429, "lifetime_limit_reached")
    assert said.startswith("This API key may use 5 requests in its lifetime, 5 are used")
    assert "retry-after" not in answers[-1].headers
    assert answers[-1].headers["x-should-retry"] == "false"
    assert answers[-1].headers["x-ratelimit-remaining-requests-lifetime"] == "0"
    assert "x-ratelimit-reset-requests-lifetime" not in answers[-1].headers


def test_it_is_restored_from_the_books_when_redis_has_lost_it(client: httpx.Client) -> None:
    key = make_key(own={"tokens_per_lifetime": 60})
    body = HELLO | {"max_tokens": 5}
    first = client.post("/v1/chat/completions", headers=key.headers, json=body)
    used = first.json()["usage"]["total_tokens"]
    Recorder(settings.JOURNAL_DIR).run_once()

    client_of_redis = redis.Redis.from_url(settings.REDIS_URL)
    name = epochs.key(key.account.pk)
    client_of_redis.delete(name, f"{name}:{key.api_key.own_counters}")
    facts = client.get("/v1/limits", headers=key.headers).json()["data"]

    [lifetime] = [limit for limit in facts if limit["window"] == "lifetime"]
    assert lifetime["used"] == used
    client_of_redis.close()
