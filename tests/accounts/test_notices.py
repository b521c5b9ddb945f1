"""Mail goes to those who answer for an account, once, also when a mail server was away."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from pytest_django import Settings

from accounts import notices, reminders
from accounts.audit import SYSTEM
from accounts.models import APIKey, Notice
from tests.people import make_account, make_colleague, make_key, make_user

pytestmark = pytest.mark.django_db


def ending_in(**span: float) -> APIKey:
    """A key that is a year old and ends soon."""
    key = make_key().api_key
    now = timezone.now()
    APIKey.objects.filter(pk=key.pk).update(
        created_at=now - timedelta(days=365), expires_at=now + timedelta(**span)
    )
    key.refresh_from_db()
    return key


def test_owners_and_admins_are_told_and_nobody_else() -> None:
    owner = make_user()
    account = make_account(owner)
    admin = make_colleague(account, "admin")
    make_colleague(account, "developer")
    make_account()

    account.freeze(by=SYSTEM)

    assert notices.send_due() == 1
    assert notices.send_due() == 0
    [sent] = mail.outbox
    assert set(sent.to) == {owner.email, admin.email}
    assert sent.subject == f"All keys of {account.name} are frozen"
    assert "/keys" in sent.body


def test_a_reminder_is_given_a_week_and_a_day_before_and_each_once() -> None:
    key = ending_in(days=6.5)
    ending_in(days=20)
    soon = ending_in(hours=20)

    for _ in range(3):
        reminders.remind()
    told = {notice.subject for notice in Notice.objects.all()}
    APIKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + timedelta(hours=5))
    reminders.remind()

    assert told == {"Your key “Development” ends in 6 days", "Your key “Development” ends in 1 day"}
    texts = list(Notice.objects.values_list("text", flat=True))
    assert sum(key.hint in text for text in texts) == 2
    assert sum(soon.hint in text for text in texts) == 1


def test_a_key_that_got_more_time_is_told_of_again() -> None:
    key = ending_in(days=2)
    reminders.remind()

    key.change(by=SYSTEM, expires_at=timezone.now() + timedelta(days=3))
    reminders.remind()

    assert Notice.objects.filter(text__contains=key.hint).count() == 2


@pytest.mark.parametrize("ended", ["revoked_at", "deactivated_at"])
def test_a_key_that_is_of_no_use_needs_no_reminder(ended: str) -> None:
    key = ending_in(days=2)
    APIKey.objects.filter(pk=key.pk).update(**{ended: timezone.now()})

    assert reminders.remind() == 0


def test_a_key_made_for_two_days_gets_no_mail_about_its_first_week() -> None:
    key = make_key().api_key
    key.change(by=SYSTEM, expires_at=timezone.now() + timedelta(days=2))

    assert reminders.remind() == 0


class Away(EmailBackend):
    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


def test_a_notice_waits_for_the_mail_server(settings: Settings) -> None:
    works = settings.EMAIL_BACKEND
    make_account().freeze(by=SYSTEM)

    settings.EMAIL_BACKEND = f"{__name__}.Away"
    assert notices.send_due() == 0
    settings.EMAIL_BACKEND = works

    assert notices.send_due() == 1
    assert len(mail.outbox) == 1
