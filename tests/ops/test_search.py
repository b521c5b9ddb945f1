"""One search leads an operator to whatever they were told; nobody else finds anything."""

import pytest
from django.test import Client

from accounts.models import APIKey
from billing.models import Customer
from tests.dashboard.conftest import Scene, text_of
from tests.operators import as_operator
from tests.people import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    return as_operator(client)


def led_to(operator: Client, words: str) -> str:
    """Where whoever sends these words ends up."""
    answer = operator.post("/ops/search", {"q": words}, follow=True)
    assert answer.status_code == 200
    return str(answer.redirect_chain[-1][0])


def test_a_request_id_leads_to_the_request(scene: Scene, operator: Client) -> None:
    request_id = scene.call(status_code=503, outcome="upstream_error")

    assert led_to(operator, f" {request_id} ") == f"/ops/requests/{request_id}"
    page = text_of(operator.get(f"/ops/requests/{request_id}"))
    assert "upstream error" in page
    assert scene.key.api_key.hint in page


@pytest.mark.parametrize("shown", ["{hint}", "{end}", "{name}", "{start}...{end}"])
def test_what_people_see_of_a_key_leads_to_it(scene: Scene, operator: Client, shown: str) -> None:
    key = scene.key.api_key
    APIKey.objects.filter(pk=key.pk).update(name="the one in production")
    start, end = key.hint.split("…")
    words = shown.format(hint=key.hint, start=start, end=end, name="in production")

    assert led_to(operator, words) == f"/ops/accounts/apikey/{key.pk}/change/"


def test_a_whole_key_leads_to_it_and_stands_in_no_address(scene: Scene, operator: Client) -> None:
    answer = operator.post("/ops/search", {"q": scene.key.plaintext}, follow=True)

    [(address, _)] = answer.redirect_chain
    assert address == f"/ops/accounts/apikey/{scene.key.api_key.pk}/change/"
    assert scene.key.plaintext not in answer.content.decode()


def test_a_key_that_nobody_has_is_not_said_back(scene: Scene, operator: Client) -> None:
    plaintext = scene.key.plaintext
    APIKey.objects.all().delete()

    answer = operator.post("/ops/search", {"q": plaintext}, follow=True)

    assert "Nothing found" in text_of(answer)
    assert plaintext not in answer.content.decode()
    assert not any(plaintext in address for address, _ in answer.redirect_chain)


def test_an_address_leads_to_the_person_and_the_accounts(scene: Scene, operator: Client) -> None:
    account = scene.key.account
    member = account.members.order_by("pk").first()

    page = operator.get("/ops/search", {"q": member.email}).content.decode()

    assert f"/ops/accounts/account/{account.pk}/change/" in page
    assert f"/ops/accounts/user/{member.pk}/change/" in page


def test_an_id_of_stripe_leads_to_the_account(scene: Scene, operator: Client) -> None:
    Customer.objects.create(account=scene.key.account, stripe_id="cus_4711", mode="live")

    assert led_to(operator, "cus_4711") == f"/ops/accounts/account/{scene.key.account.pk}/change/"


@pytest.mark.parametrize("words", ["", "x", "%", "'", "9" * 30, "req_0", "\0", "…", "a" * 5000])
def test_whatever_is_sent_there_is_an_answer(operator: Client, words: str) -> None:
    make_account()

    for answer in (
        operator.post("/ops/search", {"q": words}, follow=True),
        operator.get("/ops/search", {"q": words}, follow=True),
    ):
        assert answer.status_code == 200


def test_who_looks_for_something_after_a_while_is_not_asked_again(client: Client) -> None:
    late = as_operator(client, ago=1200)

    assert late.post("/ops/search", {"q": "nobody"}).status_code == 302
    assert "/ops/search" in late.post("/ops/search", {"q": "nobody"})["Location"]


def test_members_and_strangers_search_nothing(scene: Scene) -> None:
    request_id = scene.call()

    for browser in (scene.owner, scene.colleague, scene.stranger):
        assert browser.post("/ops/search", {"q": request_id}).status_code == 403
        assert browser.get(f"/ops/requests/{request_id}").status_code == 403
