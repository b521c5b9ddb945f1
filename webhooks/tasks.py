"""Fetch nothing, decide nothing: what workers and beat ask for."""

from celery import shared_task

from webhooks import events, sending


@shared_task
def deliver(endpoint_pk: int) -> None:
    sending.deliver(endpoint_pk)


@shared_task
def sweep() -> None:
    sending.sweep()


@shared_task
def forget_events() -> None:
    events.forget_old()
