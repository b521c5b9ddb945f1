"""What beat asks for again and again."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from usage import model_hours, partitions, payloads, retention

WEEK = timedelta(days=8)  # and what a page may show of the day before


@shared_task
def make_partitions() -> None:
    partitions.create_ahead()


@shared_task
def prune() -> None:
    retention.prune()
    payloads.prune()


@shared_task
def sum_model_hours() -> None:
    model_hours.sum_up(timezone.now())


@shared_task
def sum_model_hours_again() -> None:
    """Whatever came late: a journal replayed after days, rollups made again."""
    now = timezone.now()
    model_hours.sum_up(now, WEEK)
    model_hours.forget(now)
