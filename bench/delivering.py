"""``bench/webhooks``: a queue is drained by one worker; then events come at a steady pace, while
one receiver accepts and answers nothing.
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import django

django.setup()  # first: what follows imports models

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts.models import Account  # noqa: E402
from bench.place import servers  # noqa: E402
from bench.processes import OTHER_CORE, SUBJECT_CORE, cpu_seconds, running  # noqa: E402
from dashboard.embedded.supervisor import worker_of  # noqa: E402
from dashboard.instance import ROOT  # noqa: E402
from webhooks import sending  # noqa: E402
from webhooks.event_types import EventType  # noqa: E402
from webhooks.events import emit  # noqa: E402
from webhooks.models import Attempt, Delivery, Endpoint  # noqa: E402
from webhooks.nudges import QUEUE  # noqa: E402
from webhooks.samples import SAMPLES  # noqa: E402

GOOD, BAD = 18201, 18202
ENDPOINTS = 100
THREADS = 32
LOG = settings.INSTANCE.data / "bench.log"
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
KIND = EventType.USAGE_THRESHOLD_REACHED


def open_endpoints(port: int, number: int) -> list[Endpoint]:
    """Each of an account of its own."""
    accounts = [Account.objects.create(name=f"{port} {n}") for n in range(number)]
    url, events = f"http://127.0.0.1:{port}/hook", [KIND]
    return [Endpoint.objects.open(a.pk, url=url, events=events)[0] for a in accounts]


def tell(endpoint: Endpoint) -> None:
    emit(endpoint.account_id, KIND, SAMPLES[KIND])


@contextmanager
def worker() -> Iterator[int]:
    """One process of Celery, on a core that it shares with nobody who is measured."""
    celery = [sys.executable, "-m", "celery", "--app", "dashboard", "--quiet"]
    command = [*celery, *worker_of(QUEUE, threads=THREADS)]
    with running(command, core=SUBJECT_CORE, log=LOG, environment=ENVIRONMENT) as pid:
        yield pid


@contextmanager
def swept() -> Iterator[None]:
    """What beat does every second."""
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(1):
            sending.sweep()

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def drain(endpoints: list[Endpoint], number: int) -> None:
    """Many events wait for a worker; the clock runs from its first attempt to the last."""
    Delivery.objects.all().delete()
    for n in range(number):
        tell(endpoints[n % len(endpoints)])
    with worker() as pid:
        while not Attempt.objects.exists():
            time.sleep(0.1)
        used, began = cpu_seconds(pid), time.monotonic()
        while Delivery.objects.filter(status="pending").exists():
            time.sleep(0.2)
        took, used = time.monotonic() - began, cpu_seconds(pid) - used
    print(
        f"{number:,} deliveries in {took:.1f} s: {number / took:,.0f} a second;"
        f" the worker's processor time allows {number / used:,.0f}",
        flush=True,
    )


def steady(endpoints: list[Endpoint], rate: int, seconds: int, words: str) -> None:
    """How long an event waits for its first attempt."""
    Attempt.objects.all().delete()
    began = time.monotonic()
    for done in range(rate * seconds):
        tell(endpoints[done % len(endpoints)])
        time.sleep(max(0.0, began + done / rate - time.monotonic()))
    time.sleep(3)
    firsts = Attempt.objects.filter(number=1, delivery__endpoint__in=endpoints)
    waits = sorted(
        (a.ended_at - timedelta(milliseconds=a.duration_ms) - a.delivery.event.created_at)
        / timedelta(milliseconds=1)
        for a in firsts.select_related("delivery__event")
    )
    print(
        f"{len(waits):,} events at {rate}/s{words}: {waits[len(waits) // 2]:,.0f} ms to the first"
        f" attempt in the median, {waits[int(len(waits) * 0.99)]:,.0f} ms at p99,"
        f" {waits[-1]:,.0f} ms at most",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    listener = [sys.executable, "-m", "bench.listener", str(GOOD), str(BAD)]
    with servers():
        call_command("migrate", verbosity=0)
        good, [bad] = open_endpoints(GOOD, ENDPOINTS), open_endpoints(BAD, 1)
        with running(listener, core=OTHER_CORE, log=LOG, environment=ENVIRONMENT), swept():
            for _ in range(options.rounds):
                drain(good, options.events)
            with worker():
                for endpoint in good:  # until every thread is warm
                    tell(endpoint)
                while Delivery.objects.filter(status="pending").exists():
                    time.sleep(0.1)
                steady(good, options.rate, options.seconds, "")
                for _ in range(options.events):
                    tell(bad)
                words = f", {options.events:,} waiting for a hole"
                steady(good, options.rate, options.seconds, words)


if __name__ == "__main__":
    main()
