"""What is said in a request for help, from either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from accounts import keys

if TYPE_CHECKING:
    from dashboard.support.requests import SupportRequest

LONGEST = 5000  # characters


class SupportMessageQuerySet(models.QuerySet["SupportMessage"]):
    def say(
        self, request: SupportRequest, text: str, *, writer: str, ours: bool = False
    ) -> SupportMessage | None:
        """Add to ``request``, which is locked or new; None if the last message says just that.

        An API key in the text is not kept.
        """
        said = keys.without_keys(text.replace("\r\n", "\n").replace("\0", "").strip())
        last = self.filter(request=request).last()
        if last and (last.text, last.ours) == (said, ours):
            return None
        return self.create(request=request, text=said, writer=writer, ours=ours)


class SupportMessage(models.Model):
    """One message. ``writer`` is an address, or the name of an operator as it goes on record."""

    request = models.ForeignKey(
        "dashboard.SupportRequest", on_delete=models.CASCADE, related_name="messages"
    )
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()
    writer = models.CharField(max_length=300)
    ours = models.BooleanField(default=False)  # of an operator

    objects = SupportMessageQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.writer}: {self.text[:40]}"
