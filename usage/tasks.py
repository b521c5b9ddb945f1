"""What beat asks for every hour."""

from celery import shared_task

from usage import partitions


@shared_task
def make_partitions() -> None:
    partitions.create_ahead()


@shared_task
def prune() -> None:
    partitions.prune()
