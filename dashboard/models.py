"""How people like to look at their pages; how the server is (``dashboard/status``), and what is
asked of whoever runs it (``dashboard/support``).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Membership, User
from dashboard.announcements import Announcement
from dashboard.status.days import StatusDay
from dashboard.status.dispatches import Dispatch
from dashboard.status.incidents import Incident
from dashboard.status.letters import Letter
from dashboard.status.maintenance import Maintenance
from dashboard.status.probes import Probe
from dashboard.status.receivers import Receiver
from dashboard.status.subscribers import Subscriber
from dashboard.status.updates import Update
from dashboard.support.letters import SupportLetter
from dashboard.support.messages import SupportMessage
from dashboard.support.requests import SupportRequest
from dashboard.switches import Switch

__all__ = [
    "Announcement",
    "Dispatch",
    "Incident",
    "Letter",
    "LogColumns",
    "Maintenance",
    "Probe",
    "Receiver",
    "SavedFilter",
    "StatusDay",
    "Subscriber",
    "SupportLetter",
    "SupportMessage",
    "SupportRequest",
    "Switch",
    "Update",
]


class SavedFilter(models.Model):
    """What a member looks for again and again in the log of this account: a name, and a query.

    It belongs to the membership, so it is of use in one account only, and leaves with its member.
    """

    MOST = 50

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="saved_filters"
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "name"], name="saved_filter_once"),
        ]

    def __str__(self) -> str:
        return self.name


class LogColumns(models.Model):
    """Which columns of the log somebody wants, in whichever account."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="log_columns")
    names = ArrayField(models.CharField(max_length=30))

    def __str__(self) -> str:
        return ", ".join(self.names)
