"""Where an account stands: its plan, and how much of each limit is used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from accounts.models import Account
from billing.models import Subscription
from dashboard.forecast import Forecast, Past
from gateway.decisions import Use
from gateway.headroom import headroom
from usage.reports import Totals

WINDOWS = {"minute": "this minute", "day": "today", "month": "this month"}
RUNNING_LOW = 80  # percent, as the first usage alert


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit, how much of it is used, and what that means."""

    use: Use
    forecast: Forecast | None = None

    @property
    def runs_out_at(self) -> datetime | None:
        return self.forecast.at if self.forecast else None

    @property
    def margin(self) -> str:
        """How far off that may be, in the unit that suits it; empty where that says nothing."""
        minutes = self.forecast.margin.total_seconds() / 60 if self.forecast else 0
        if minutes < 3:
            return ""
        if minutes < 90:
            return f"± {5 * ceil(minutes / 5)} min"
        return f"± {minutes / 60:.0f} h" if minutes < 36 * 60 else f"± {minutes / 1440:.0f} d"

    @property
    def title(self) -> str:
        return f"{self.use.unit.capitalize()} {self.when}"

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means that nothing is left."""
        return min(100, 100 * self.use.used // self.use.limit) if self.use.limit else 100

    @property
    def level(self) -> str:
        """How full it is, as a tone."""
        if self.percent >= 100:
            return "bad"
        return "warn" if self.percent >= RUNNING_LOW else "ok"

    @property
    def tone(self) -> str:
        """The same, with an eye on where it is going."""
        return "warn" if self.level == "ok" and self.runs_out_at else self.level

    @property
    def word(self) -> str:
        if self.level != self.tone:
            return "too fast"
        used_up = "beyond fair use" if self.use.soft else "used up"
        return {"ok": "fine", "warn": "running low", "bad": used_up}[self.tone]

    @property
    def badge(self) -> str:
        return f"{self.percent} % · {self.word}" if self.level != "ok" else self.word

    @property
    def when(self) -> str:
        return WINDOWS[self.use.window]

    @property
    def resets_at(self) -> datetime | None:
        """When a day or a month begins anew; a minute slides."""
        if self.use.window == "minute" or self.use.reset is None:
            return None
        return datetime.fromtimestamp(self.use.reset, UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """``meters`` is None while nobody knows, and empty where nothing is limited."""

    subscription: Subscription | None
    meters: list[Meter] | None

    @property
    def tightest(self) -> list[Meter]:
        """What one should know at a glance: the fullest limit that lasts, and one in danger."""
        meters = sorted(self.meters or [], key=lambda meter: -meter.percent)
        lasting = [meter for meter in meters if meter.use.window != "minute"] or meters
        first = lasting[:1]
        return first + [meter for meter in meters if meter.level != "ok" and meter not in first][:1]

    @property
    def worst(self) -> Meter | None:
        """The limit in most danger."""
        tones = ["ok", "warn", "bad"]
        return max(
            self.meters or [],
            key=lambda meter: (tones.index(meter.tone), meter.percent),
            default=None,
        )


def standing_of(account: Account, pace: "Pace | None" = None) -> Standing:
    subscription = Subscription.objects.select_related("plan").filter(account=account).first()
    if subscription:
        subscription.account = account  # which knows its subscription by that, too
    uses = headroom(account)
    if uses is None:
        return Standing(subscription, None)
    return Standing(
        subscription, [Meter(use, pace.runs_out(use) if pace else None) for use in uses]
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """What each UTC hour of the last days used, up to the current one."""

    hours: Sequence[Totals]
    now: datetime

    def runs_out(self, use: Use) -> Forecast | None:
        """When a limit of a day or a month is used up if it goes on like this."""
        if use.reset is None:
            return None
        calls = [hour.admitted for hour in self.hours]
        used = calls if use.unit == "requests" else [hour.tokens for hour in self.hours]
        past, until = Past(used, calls, self.now), datetime.fromtimestamp(use.reset, UTC)
        if use.window == "day" and use.remaining:
            return past.runs_out(use.remaining, until)
        if use.window == "month" and use.remaining:
            return past.runs_out_in_days(use.remaining, until)
        return None
