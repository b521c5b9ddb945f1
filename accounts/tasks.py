"""What beat asks for: mail that is due, and a look at the audit log."""

from celery import shared_task

from accounts import audit_watch, endpoint_notices, key_events, notices, reminders
from accounts.models import APIKey


@shared_task
def send_notices() -> None:
    notices.send_due()


@shared_task
def remind() -> None:
    reminders.remind()


@shared_task
def verify_audit() -> None:
    audit_watch.watch()


@shared_task
def tell_of_ended_keys() -> None:
    key_events.tell_of_ended(APIKey.objects.all())


@shared_task
def tell_of_failing_endpoints() -> None:
    endpoint_notices.tell_of_failures()
