"""Those who answer for an account learn by mail that its webhooks do not arrive, once each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.endpoint_notices import tell_of_failures
from accounts.models import Notice
from tests.webhooks.things import make_delivery, make_endpoint
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    for _ in range(3):
        tell_of_failures()
    return [notice.subject.split()[-1] for notice in Notice.objects.all()]


def failing_for(span: timedelta, failures: int = 12) -> Endpoint:
    endpoint, _ = make_endpoint()
    make_endpoint()
    since = timezone.now() - span
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=since, failures=failures)
    return endpoint


def test_the_first_delivery_that_is_given_up_is_told_of_once_a_day() -> None:
    for delivery in (make_delivery(), make_delivery()):
        Delivery.objects.filter(pk=delivery.pk).update(status="failed", finished_at=timezone.now())
    make_delivery()

    assert told() == ["up", "up"]
    notice = Notice.objects.latest("pk")
    assert "/webhooks/" in notice.text
    assert notice.account == delivery.endpoint.account


@pytest.mark.parametrize(
    ("hours", "failures", "mails"),
    [(59, 50, 0), (61, 50, 1), (109, 50, 1), (61, 9, 0)],
)
def test_an_endpoint_that_only_fails_is_told_of_half_way(
    hours: int, failures: int, mails: int
) -> None:
    failing_for(timedelta(hours=hours), failures)

    assert told() == ["failing"] * mails


def test_it_is_told_of_again_shortly_before_the_end_and_at_the_end() -> None:
    endpoint = failing_for(timedelta(hours=61))
    told()

    Endpoint.objects.update(failing_since=endpoint.created_at - timedelta(hours=109))
    before_the_end = told()
    endpoint.disable(Endpoint.Disabled.FAILING)

    assert before_the_end == ["failing", "failing"]
    assert told() == ["failing", "failing", "disabled"]


def test_who_disables_an_endpoint_gets_no_mail_about_it() -> None:
    endpoint, _ = make_endpoint()

    endpoint.disable(Endpoint.Disabled.USER)

    assert told() == []


def test_a_receiver_that_is_gone_is_told_of() -> None:
    endpoint, _ = make_endpoint()

    endpoint.note_failure(gone=True)

    assert told() == ["disabled"]
    assert "410" in Notice.objects.get().text
