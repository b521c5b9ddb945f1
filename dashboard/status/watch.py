"""What is done every minute: look how things are, count it, keep a copy for bad times."""

from django.utils import timezone

from dashboard.status import banner, days, snapshot
from dashboard.status.dispatches import Dispatch
from dashboard.status.letters import Letter
from dashboard.status.maintenance import Maintenance
from dashboard.status.picture import take
from dashboard.status.probes import Probe
from dashboard.status.receivers import Receiver
from dashboard.status.subscribers import Subscriber


def look() -> None:
    """Maintenance by the clock, the banner and the copy renewed, a minute more of history."""
    now = timezone.now()
    Maintenance.objects.by_the_clock()
    banner.renew()
    days.sum_models(now)
    picture = take()
    days.count_minute(now, {line.fact.name: line.state for line in picture.parts})
    snapshot.write(picture)


def forget() -> None:
    """Remove what nobody is shown any more, and who never confirmed."""
    now = timezone.now()
    days.forget(now)
    Letter.objects.forget(now)
    Subscriber.objects.forget_unconfirmed(now)
    Dispatch.objects.forget(now)
    Receiver.objects.forget_unconfirmed(now)
    Probe.objects.forget(now)
