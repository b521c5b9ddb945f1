"""What has a state, and which states there are."""

from __future__ import annotations

from django.db import models


class Part(models.TextChoices):
    """The parts of the product that are watched; beside them there is each model."""

    API = "api", "API"
    DASHBOARD = "dashboard", "Dashboard"
    WEBHOOKS = "webhooks", "Webhooks"
    LOG = "log", "Request log"


class Kind(models.TextChoices):
    """What a state is of."""

    PART = "part", "Part"
    MODEL = "model", "Model"


class State(models.TextChoices):
    """How something is; from good to bad, then what says nothing of good or bad."""

    WORKS = "operational", "works"
    DEGRADED = "degraded", "has trouble"
    DOWN = "down", "is down"
    MAINTENANCE = "maintenance", "maintenance"
    NO_TRAFFIC = "no_traffic", "no traffic lately"
    SWITCHED_OFF = "switched_off", "switched off"

    @property
    def tone(self) -> str:
        """The colour beside the word."""
        return TONES.get(self, "")

    @property
    def is_bad(self) -> bool:
        return self in (State.DEGRADED, State.DOWN)


TONES = {
    State.WORKS: "ok",
    State.DEGRADED: "warn",
    State.DOWN: "bad",
    State.MAINTENANCE: "accent",
}


class Impact(models.TextChoices):
    """How much an incident takes away."""

    NONE = "none", "None: everything can be used"
    MINOR = "minor", "Minor: slower, or now and then an error"
    MAJOR = "major", "Major: something important does not work"
    CRITICAL = "critical", "Critical: next to nothing works"

    @property
    def word(self) -> str:
        return "no impact" if self is Impact.NONE else f"{self.value} impact"

    @property
    def tone(self) -> str:
        return {Impact.NONE: "", Impact.MINOR: "warn"}.get(self, "bad")

    @property
    def state(self) -> State | None:
        """What it makes of the parts that it affects; None leaves them as they are."""
        if self is Impact.NONE:
            return None
        return State.DEGRADED if self is Impact.MINOR else State.DOWN


LOUD = (Impact.MAJOR, Impact.CRITICAL)  # said on the pages of members, too
