"""What operators tell on top of pages: the list at ``/ops/``, and the acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.urls import reverse

from accounts.acts import ActForm, UTCField
from accounts.audit import Actor
from accounts.view_only import ViewOnly
from dashboard import announcements
from dashboard.announcements import Announcement

FIELDS = ("text", "link", "link_words", "tone", "audience", "starts_at", "ends_at")


class AnnouncementForm(ActForm):
    """One act of telling; every process tells it so within seconds."""

    acts_on = Announcement
    permission = "dashboard.change_announcement"

    @property
    def afterwards(self) -> str:
        return reverse("admin:dashboard_announcement_changelist")

    def act(self, by: Actor) -> str:
        said = self.tell(by)
        announcements.renew()
        return said

    def tell(self, by: Actor) -> str:
        """Do it; what there is to say afterwards."""
        raise NotImplementedError


class SayForm(AnnouncementForm):
    text = forms.CharField(
        label="What to say",
        max_length=300,
        widget=forms.Textarea({"rows": 3}),
        help_text="One or two sentences, at most 300 characters.",
        error_messages={"required": "Say something."},
    )
    link = forms.CharField(
        label="Link",
        required=False,
        max_length=300,
        help_text="Where more is said: /docs/limits, or an address that begins with https://.",
    )
    link_words = forms.CharField(label="Words of the link", required=False, max_length=60)
    tone = forms.ChoiceField(choices=Announcement.Tone.choices, widget=forms.RadioSelect)
    audience = forms.ChoiceField(
        label="To whom",
        choices=Announcement.Audience.choices,
        widget=forms.RadioSelect,
        help_text="Members read it on their own pages, everybody on public ones too.",
    )
    starts_at = UTCField(required=False, label="From (UTC)", help_text="Empty: from now on.")
    ends_at = UTCField(
        required=False, label="Until (UTC)", help_text="Empty: until it is withdrawn."
    )


class AnnounceForm(SayForm):
    title_of_page = "Announce something"
    explained = (
        "It stands on top of pages until its end, or until somebody puts it away: then it never "
        "comes back for them. Nothing is mailed."
    )
    button = "Announce it"

    @staticmethod
    def now(row: None) -> dict[str, Any]:
        return {"tone": Announcement.Tone.INFO, "audience": Announcement.Audience.MEMBERS}

    def tell(self, by: Actor) -> str:
        made = Announcement.objects.announce(by=by, **self.cleaned_data)
        return f"Announced: {made}"


class ChangeForm(SayForm):
    title_of_page = "Change it"
    explained = "Whoever has put it away does not see it again; for them, make a new one."
    button = "Change it"

    @staticmethod
    def now(row: Announcement) -> dict[str, Any]:
        return {name: getattr(row, name) for name in FIELDS}

    @property
    def refusal(self) -> str:
        return announcements.WITHDRAWN if self.row.withdrawn_at else ""

    def tell(self, by: Actor) -> str:
        self.row.change(by=by, **self.cleaned_data)
        return f"Changed: {self.row}"


class WithdrawForm(AnnouncementForm):
    title_of_page = "Withdraw it"
    explained = "Nobody is shown it any more. It cannot be taken up again."
    button = "Withdraw it"
    is_dangerous = True

    @property
    def refusal(self) -> str:
        return announcements.WITHDRAWN if self.row.withdrawn_at else ""

    def tell(self, by: Actor) -> str:
        self.row.withdraw(by=by)
        return f"Withdrawn: {self.row}"


@admin.register(Announcement)
class AnnouncementAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["text", "state", "audience", "starts_at", "ends_at"]
    list_filter = ["audience", "tone", ("withdrawn_at", admin.EmptyFieldListFilter)]
    search_fields = ["text"]
    exclude = ["put_away_by"]
    new = {"announce": AnnounceForm}
    acts = {"say": ChangeForm, "withdraw": WithdrawForm}
