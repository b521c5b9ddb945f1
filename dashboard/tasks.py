"""Housekeeping of the site itself."""

from celery import shared_task
from django.core.management import call_command

from dashboard import account_deletion, signs_of_life
from dashboard.status import letters, watch


@shared_task
def forget_sessions() -> None:
    """Delete the sessions that have ended."""
    call_command("clearsessions")


@shared_task
def delete_accounts() -> None:
    """Delete the accounts whose countdown is over."""
    account_deletion.delete_due_accounts()


@shared_task
def leave_a_sign_of_life() -> None:
    """Show that beat asks and a worker does."""
    signs_of_life.leave()


@shared_task
def watch_status() -> None:
    """Look how everything is, and keep a copy of the status page."""
    watch.look()


@shared_task
def send_status_letters() -> None:
    letters.send_due()


@shared_task
def forget_status() -> None:
    watch.forget()
