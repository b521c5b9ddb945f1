"""Housekeeping of the site itself."""

from celery import shared_task
from django.core.management import call_command

from dashboard import account_deletion


@shared_task
def forget_sessions() -> None:
    """Delete the sessions that have ended."""
    call_command("clearsessions")


@shared_task
def delete_accounts() -> None:
    """Delete the accounts whose countdown is over."""
    account_deletion.delete_due_accounts()
