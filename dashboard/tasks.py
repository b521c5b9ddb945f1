"""Housekeeping of the site itself."""

from celery import shared_task
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from dashboard import account_deletion, announcements, signs_of_life, switches
from dashboard.status import dispatches, dispatching, letters, model_probes, site_probes, watch
from dashboard.support import letters as support_letters
from dashboard.support.requests import SupportRequest


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
def post_again() -> None:
    """Say once more what is switched off and announced, should Redis have lost it."""
    switches.renew()
    announcements.renew()


@shared_task
def watch_status() -> None:
    """Look how everything is, and keep a copy of the status page."""
    watch.look()


@shared_task
def send_status_letters() -> None:
    letters.send_due()


@shared_task
def send_status_dispatches() -> None:
    dispatches.sweep()


@shared_task
def tell_receiver(receiver_pk: int) -> None:
    dispatching.tell(receiver_pk)


@shared_task
def probe_site() -> None:
    """Ask the API and the dashboard, as somebody from outside would."""
    site_probes.ask_all()


@shared_task
def probe_models() -> None:
    """Ask models that nobody called lately, where the operator wants that."""
    if settings.PROBE_MODELS:
        model_probes.ask_quiet()


@shared_task
def forget_status() -> None:
    watch.forget()


@shared_task
def send_support_letters() -> None:
    support_letters.send_due()


@shared_task
def forget_support() -> None:
    """Remove requests for help that nobody has touched for a year."""
    SupportRequest.objects.forget(timezone.now())
