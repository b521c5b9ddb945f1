"""What the Audit page is asked to show, as its URL says it."""

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts.audit import AuditEntry
from accounts.audit_actions import GROUPS
from dashboard.ranges import RangeForm


def search(words: str) -> forms.TextInput:
    return forms.TextInput(
        {"class": "input", "type": "search", "placeholder": words, "autocomplete": "off"}
    )


class AuditFilterForm(RangeForm):
    """Every field may stay empty."""

    q = forms.CharField(
        label="What it was done to",
        required=False,
        max_length=200,
        widget=search("Done to: a key, an address, a name"),
    )
    actor = forms.CharField(
        label="By whom", required=False, max_length=200, widget=search("By whom")
    )
    acts = forms.ChoiceField(
        required=False,
        choices=[("", "Any act"), *((name, words) for name, (words, _) in GROUPS.items())],
        widget=forms.Select({"class": "input"}),
        error_messages={"invalid_choice": "There are no acts called “%(value)s”."},
    )

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Only those that were asked for. Only of use when the form is valid."""
        asked, period = self.cleaned_data, self.period
        if asked["q"]:
            entries = entries.filter(about__icontains=asked["q"])
        if asked["actor"]:
            entries = entries.filter(actor__icontains=asked["actor"])
        if asked["acts"]:
            chosen = Q()
            for beginning in GROUPS[asked["acts"]][1]:
                chosen |= Q(action__startswith=beginning)
            entries = entries.filter(chosen)
        if period:
            entries = entries.filter(at__gte=period.start)
        if period and asked["end"]:
            entries = entries.filter(at__lt=period.end)
        return entries

    @property
    def asked(self) -> dict[str, str]:
        """What is not empty."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}

    @property
    def query(self) -> str:
        """The filters as the shortest URL says them, without a place in the list."""
        clean = QueryDict(mutable=True)
        clean.update(self.asked)
        return clean.urlencode(safe=":/")
