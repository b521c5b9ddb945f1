"""What an operator should look at first, the worst on top, each with the page to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Min
from django.urls import reverse
from django.utils import timezone
from redis import RedisError

from accounts.features import FEATURES, switched_off
from accounts.models import Notice
from billing.models import Drift, StripeEvent, Trial
from billing.trials import State as TrialState
from dashboard import signs_of_life
from dashboard.doctor.of_work import SILENCE
from dashboard.models import Incident, SupportRequest
from dashboard.support.requests import State
from dashboard.templatetags.figures import percent
from gateway import provider_health
from gateway.route_health import RouteHealth
from usage import recorder_watch
from webhooks.queue import queue

LATE = timedelta(minutes=5)
LAG = 30.0  # seconds behind which a recorder should not be
BAD, WARN = "bad", "warn"


@dataclass(frozen=True, slots=True)
class Alarm:
    tone: str
    says: str
    url: str = ""


def alarms() -> list[Alarm]:
    """Empty where nothing needs an operator. A store that is away is an alarm itself."""
    found: list[Alarm] = []
    for source in SOURCES:
        try:
            found += source()
        except (RedisError, OSError) as error:
            found.append(Alarm(BAD, f"{source.__name__.capitalize()} cannot be read: {error}"))
    return sorted(found, key=lambda alarm: alarm.tone != BAD)


def incidents() -> Iterator[Alarm]:
    for incident in Incident.objects.filter(resolved_at=None):
        url = reverse("admin:dashboard_incident_change", args=[incident.pk])
        yield Alarm(WARN, f"An incident is open: {incident}.", url)


def providers() -> Iterator[Alarm]:
    for glance in provider_health.providers(RouteHealth.now()):
        url = reverse("admin:gateway_provider_change", args=[glance.row.pk])
        if glance.tone in (BAD, WARN):
            share = percent(glance.signs.lately.error_share or 0) if glance.signs else ""
            yield Alarm(glance.tone, f"{glance.row} {glance.word}: {share} of calls failed.", url)
        elif glance.closed in ("drained", "switched off"):
            yield Alarm(WARN, f"{glance.row} is {glance.closed}.", url)


def recorder() -> Iterator[Alarm]:
    now = recorder_watch.watch(settings.JOURNAL_DIR)
    if not now.running:
        yield Alarm(BAD, "No recorder runs on this host: usage waits in the journal.")
    elif now.lag is not None and now.lag > LAG:
        yield Alarm(WARN, f"The recorder is {now.lag:.0f} s behind.")
    if now.damaged or now.rejected:
        yield Alarm(
            WARN, "The journal holds records that nobody could read; see the operations guide."
        )


def workers() -> Iterator[Alarm]:
    seconds = signs_of_life.seconds_ago()
    if seconds is None:
        yield Alarm(BAD, "Beat and its worker were never seen: nothing late is done.")
    elif seconds > SILENCE:
        yield Alarm(BAD, f"Beat or its worker is silent since {seconds:.0f} s.")


def webhooks() -> Iterator[Alarm]:
    late = queue().late_by
    if late > LATE:
        minutes = late.total_seconds() / 60
        url = reverse("admin:webhooks_endpoint_changelist")
        yield Alarm(WARN, f"Webhooks are {minutes:.0f} minutes late.", url)


def mail() -> Iterator[Alarm]:
    oldest = Notice.objects.filter(sent_at=None).aggregate(at=Min("created_at"))["at"]
    if oldest and timezone.now() - oldest > LATE:
        minutes = (timezone.now() - oldest).total_seconds() / 60
        yield Alarm(WARN, f"Mail waits for {minutes:.0f} minutes to be sent.")


def stripe() -> Iterator[Alarm]:
    failing = StripeEvent.objects.filter(processed_at=None, failures__gt=0).count()
    if failing:
        url = reverse("admin:billing_stripeevent_changelist")
        yield Alarm(BAD, f"{counted(failing, 'event')} of Stripe could not be taken in.", url)
    drifts = Drift.objects.filter(mended_at=None).count()
    if drifts:
        url = reverse("admin:billing_drift_changelist")
        yield Alarm(WARN, f"{counted(drifts, 'account')} differ from what Stripe says.", url)


def trials() -> Iterator[Alarm]:
    waiting = Trial.objects.filter(state=TrialState.IN_REVIEW).count()
    if waiting:
        url = reverse("admin:billing_trial_changelist") + f"?state__exact={TrialState.IN_REVIEW}"
        yield Alarm(WARN, f"{counted(waiting, 'trial')} to be looked at a second time.", url)


def support() -> Iterator[Alarm]:
    waiting = SupportRequest.objects.filter(state=State.OPEN).count()
    if waiting:
        url = reverse("admin:dashboard_supportrequest_changelist") + "?state__exact=open"
        yield Alarm(WARN, f"{counted(waiting, 'request')} for help to be answered.", url)


def switches() -> Iterator[Alarm]:
    url = reverse("admin:dashboard_switch_changelist")
    for name in switched_off():
        yield Alarm(WARN, f"{FEATURES[name]} is switched off.", url)


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


SOURCES: list[Callable[[], Iterator[Alarm]]] = [
    providers,
    recorder,
    workers,
    stripe,
    webhooks,
    mail,
    trials,
    support,
    incidents,
    switches,
]
