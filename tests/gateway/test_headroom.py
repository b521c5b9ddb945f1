"""What is left of the limits, as pages read it: exact, harmless, and honest when it is unknown."""

import pytest
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts import epochs
from accounts.models import Account
from billing.limits import parse
from gateway import counters
from gateway.headroom import headroom
from gateway.policy import Policy
from tests.people import make_account, make_plan, make_user
from tests.usage.calls import make_final
from usage import posting

pytestmark = pytest.mark.django_db(transaction=True)
LIMITS = {"requests_per_minute": 20, "tokens_per_minute": 40_000, "tokens_per_day": 100_000}
REDIS = redis.Redis.from_url(settings.REDIS_URL)
NO_SERVER = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def account() -> Account:
    return make_account(plan=make_plan("trial", **LIMITS))


def admit(account: Account, tokens: int) -> None:
    """One request that reserves ``tokens``, as the gateway admits it."""
    counters.restore(account.pk, account.epoch)
    policy = Policy(parse(LIMITS))
    lease = policy.lease("req_1", tokens)
    counters.run(account.pk, "admit", account.epoch, lease, tokens, *policy.words)


def used(account: Account) -> dict[str, tuple[int, int]]:
    uses = headroom(account)
    assert uses is not None
    return {use.name: (use.used, use.remaining) for use in uses}


def test_it_tells_what_is_used_and_left_of_every_limit_of_the_plan(account: Account) -> None:
    admit(account, 1_000)

    assert used(account) == {
        "requests_per_minute": (1, 19),
        "tokens_per_minute": (1_000, 39_000),
        "tokens_per_day": (1_000, 99_000),
    }


def test_looking_a_hundred_times_uses_nothing(account: Account) -> None:
    admit(account, 1_000)

    for _ in range(100):
        headroom(account)

    assert used(account)["requests_per_minute"] == (1, 19)


def test_counters_that_were_lost_are_shown_as_the_books_know_them(account: Account) -> None:
    posting.post([make_final(account_id=account.pk, prompt_tokens=300, completion_tokens=40)])
    REDIS.flushdb()

    assert used(account)["tokens_per_day"] == (340, 99_660)
    assert REDIS.hget(epochs.key(account.pk), "day") is None


def test_a_change_that_this_page_has_not_seen_is_followed(account: Account) -> None:
    admit(account, 10)
    Account.objects.get(pk=account.pk).raise_epoch()

    assert used(account)["tokens_per_minute"] == (10, 39_990)


def test_without_a_plan_or_without_limits_there_is_nothing_to_show() -> None:
    nobody = Account.objects.open_for(make_user())
    unlimited = make_account(plan=make_plan("enterprise"))
    unlimited.subscription.plan.limits = {}

    assert headroom(nobody) == []
    assert headroom(unlimited) == []


def test_while_redis_is_away_nothing_is_claimed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "_client", NO_SERVER)

    assert headroom(account) is None
