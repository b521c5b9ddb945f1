"""The start page tells what is wrong first, and the pages of abuse who does it."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.audit import SYSTEM
from accounts.models import Notice
from billing.models import Trial
from dashboard import signs_of_life
from dashboard.ops import abuse
from dashboard.ops.alarms import alarms
from dashboard.ops.traffic import traffic
from gateway.models import Provider
from tests.dashboard.conftest import Scene, text_of
from tests.operators import as_operator
from tests.people import make_account
from usage import model_hours

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_of_others() -> None:
    cache.clear()
    signs_of_life.leave()


def said() -> str:
    return " ".join(alarm.says for alarm in alarms())


def test_everybodys_traffic_is_summed_up(scene: Scene, client: Client) -> None:
    scene.calls(3, prompt_tokens=5)
    scene.call(outcome="upstream_error", status_code=500, error_code="model_unavailable")
    scene.call(outcome="refused", status_code=429, error_code="rate_limit_exceeded")
    model_hours.sum_up(timezone.now())

    day = traffic()

    assert (day.sums.requests, day.sums.errors, day.sums.refused) == (5, 1, 1)
    assert ("refused", "rate_limit_exceeded", 1) in day.reasons
    page = text_of(as_operator(client).get("/ops/"))
    assert "rate_limit_exceeded" in page
    assert "Requests per hour by outcome" in page


def test_a_silent_worker_is_said_first() -> None:
    cache.delete(signs_of_life.KEY)

    assert "Beat and its worker were never seen" in said()
    assert alarms()[0].tone == "bad"


def test_what_waits_for_an_operator_is_said_with_the_page_to_go_to() -> None:
    account = make_account()
    Trial.objects.create(account=account, person="p", email="a@example.com", state="in_review")
    Notice.objects.create(subject="Late", text="", created_at=timezone.now() - timedelta(hours=1))
    provider = Provider.objects.create(slug="one", name="One", base_url="https://one.example")
    provider.drain(by=SYSTEM)

    found = {alarm.says: alarm.url for alarm in alarms()}

    assert "in_review" in found["1 trial to be looked at a second time."]
    assert found["One is drained."] == f"/ops/gateway/provider/{provider.pk}/change/"
    assert "Mail waits for 60 minutes to be sent." in found


def test_a_key_that_does_ten_times_as_much_as_ever_is_named(scene: Scene, client: Client) -> None:
    week = [timezone.now().timestamp() - days * 86400 for days in range(1, 7)]
    for moment in week:
        scene.call(prompt_tokens=100_000, started_at=moment)
    assert abuse.runaways() == []

    scene.call(prompt_tokens=90_000, started_at=timezone.now().timestamp())

    [found] = abuse.runaways()
    assert found.api_key == scene.key.api_key
    assert "times its usual hour" in found.why
    page = as_operator(client).get("/ops/abuse").content.decode()
    assert f"/ops/accounts/apikey/{scene.key.api_key.pk}/change/" in page


def test_a_key_that_does_what_it_always_does_is_not(scene: Scene) -> None:
    now = timezone.now().timestamp()
    for hours in range(1, 100):
        scene.call(prompt_tokens=80_000, started_at=now - hours * 3600)
    scene.call(prompt_tokens=90_000, started_at=now)

    assert abuse.runaways() == []


def test_three_trials_from_one_network_are_a_farm_and_two_are_not(client: Client) -> None:
    for number in range(5):
        network = "a" * 64 if number < 3 else "b" * 64
        email = f"{number}@example.com"
        Trial.objects.create(person=str(number), network=network, email=email, state="granted")

    [farm] = abuse.farms()

    assert (farm.network, farm.trials) == ("a" * 64, 3)
    assert "2@example.com" in text_of(as_operator(client).get("/ops/abuse"))


def test_nobody_else_sees_who_is_suspected(scene: Scene) -> None:
    for browser in (scene.owner, scene.colleague, scene.stranger):
        assert browser.get("/ops/abuse").status_code == 403
        assert browser.get("/ops/").status_code == 403
