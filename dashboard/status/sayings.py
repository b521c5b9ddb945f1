"""How far something is, in a word: what stands above each thing that is said of it."""

from django.db import models


class Saying(models.TextChoices):
    """The word above an update: how far an incident or a maintenance is."""

    INVESTIGATING = "investigating", "Investigating"
    IDENTIFIED = "identified", "Identified"
    MONITORING = "monitoring", "Monitoring"
    RESOLVED = "resolved", "Resolved"
    PLANNED = "planned", "Planned"
    CHANGED = "changed", "Changed"
    BEGUN = "begun", "Under way"
    ENDED = "ended", "Done"
