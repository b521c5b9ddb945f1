"""When a plan ends its keys are refused, in words that say so; a renewal brings them back."""

from datetime import timedelta

import httpx
from django.utils import timezone

from billing.models import Subscription
from tests.gateway.site import Site
from tests.gateway.test_bad_input import check
from tests.people import make_key

HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "Hello"}]}
CHAT = "/v1/chat/completions"


def test_an_ended_plan_is_refused_at_once_and_a_renewed_one_served(
    site: Site, client: httpx.Client
) -> None:
    site.see_catalog()
    key, stranger = make_key(), make_key()
    assert client.post(CHAT, headers=key.headers, json=HELLO).status_code == 200
    subscription = Subscription.objects.get(account=key.account)

    subscription.expire()
    refused = client.post(CHAT, headers=key.headers, json=HELLO)
    served = client.post(CHAT, headers=stranger.headers, json=HELLO)
    subscription.renew(timezone.now() + timedelta(days=30))
    again = [client.post(CHAT, headers=key.headers, json=HELLO) for _ in range(1)]
    until = timezone.now() + timedelta(seconds=5)
    while again[-1].status_code != 200 and timezone.now() < until:
        again.append(client.post(CHAT, headers=key.headers, json=HELLO))

    words = check(refused, 403, "subscription_expired")
    assert "Renew" in words
    assert served.status_code == 200
    assert again[-1].status_code == 200
