"""Fetch nothing, decide nothing: what workers and beat ask for."""

from celery import shared_task

from billing import balances, endings, hearing, overrides, reconciliation, reminders


@shared_task
def look_into(event_pk: int) -> None:
    hearing.look_into(event_pk)


@shared_task
def look_after_stripe_events() -> None:
    hearing.sweep()


@shared_task
def forget_stripe_events() -> None:
    hearing.forget_old()


@shared_task
def end_what_is_over() -> None:
    endings.end_what_is_over()


@shared_task
def ask_about_late() -> None:
    endings.ask_about_late()


@shared_task
def apply_overrides() -> None:
    overrides.apply()


@shared_task
def remind() -> None:
    reminders.remind()


@shared_task
def settle_credit(credit_pk: int) -> None:
    balances.settle(credit_pk)


@shared_task
def look_after_credits() -> None:
    balances.sweep()


@shared_task
def reconcile() -> None:
    reconciliation.reconcile()
