"""Where an account stands: its plan, and how much of each limit is used."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts.models import Account
from billing.models import Subscription
from gateway.decisions import Use
from gateway.headroom import headroom

WINDOWS = {"minute": "this minute", "day": "today", "month": "this month"}
RUNNING_LOW = 80  # percent, as the first usage alert
SETTLING = timedelta(minutes=10)  # a pace measured over less says nothing


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit, how much of it is used, and what that means."""

    use: Use
    runs_out_at: datetime | None = None

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
        return {"ok": "fine", "warn": "running low", "bad": "used up"}[self.tone]

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
    subscription = getattr(account, "subscription", None)
    uses = headroom(account)
    if uses is None:
        return Standing(subscription, None)
    return Standing(
        subscription, [Meter(use, pace.runs_out(use) if pace else None) for use in uses]
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """What was used lately, over how long, until now."""

    requests: int
    tokens: int
    over: timedelta
    now: datetime

    def runs_out(self, use: Use) -> datetime | None:
        """When the day's limit is used up if it goes on like this; None if it lasts the day."""
        lately = self.requests if use.unit == "requests" else self.tokens
        if use.window != "day" or not lately or not use.remaining or self.over < SETTLING:
            return None
        seconds = self.over.total_seconds() * use.remaining / lately
        if self.now.timestamp() + seconds >= (use.reset or 0):
            return None
        return self.now + timedelta(seconds=seconds)
