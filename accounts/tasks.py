"""What beat asks for: mail that is due, and a look at the audit log."""

from celery import shared_task

from accounts import audit_watch, notices, reminders


@shared_task
def send_notices() -> None:
    notices.send_due()


@shared_task
def remind() -> None:
    reminders.remind()


@shared_task
def verify_audit() -> None:
    audit_watch.watch()
