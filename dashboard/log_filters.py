"""What the Logs page is asked to show, as its URL says it."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import cached_property

from accounts import end_users
from accounts.models import Account, APIKey
from dashboard.entries import ENDPOINTS, OUTCOMES
from dashboard.ranges import FORMAT, RangeForm
from dashboard.templatetags.figures import by_clock
from dashboard.widgets import Select
from usage import log_ids
from usage.log_store import Filters

STATUS = re.compile(r"[1-5](\d\d|xx)", re.ASCII)


def text_field(label: str, **attrs: str) -> forms.CharField:
    attrs = {"class": "input", "autocomplete": "off", **attrs}
    return forms.CharField(
        label=label, required=False, max_length=200, widget=forms.TextInput(attrs)
    )


def choice_field(choices: Iterable[tuple[str, str]] = (), *, invalid: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        required=False,
        choices=list(choices),
        widget=Select({"class": "input"}),
        error_messages={"invalid_choice": invalid},
    )


class LogFilterForm(RangeForm):
    """Every field may stay empty; ``filters`` shows all where it does."""

    q = text_field("Request id or end user", type="search", placeholder="Request id or end user")
    outcome = choice_field(
        [("", "Any outcome"), *((name, words[0]) for name, words in OUTCOMES.items())],
        invalid="There is no outcome “%(value)s”.",
    )
    model = forms.CharField(required=False, max_length=200)
    key = choice_field(invalid="This account has no such key.")
    status = text_field("Status", placeholder="429, 4xx or 5xx", size="4")
    endpoint = choice_field(
        [("", "Any endpoint"), *((name, name) for name in ENDPOINTS)],
        invalid="There is no endpoint “%(value)s”.",
    )
    error = text_field("Error text", placeholder="Part of a message or code")

    def __init__(
        self,
        account: Account,
        *args: Any,
        api_keys: Iterable[APIKey],
        models: Iterable[str],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.account = account
        names = sorted({*models, self.data.get("model", "")} - {""})
        choices = [("", "Any model"), *((name, name) for name in names)]
        self.fields["model"].widget = Select({"class": "input"}, choices=choices)
        keys = [(str(api_key.pk), str(api_key)) for api_key in api_keys]
        self.fields["key"].choices = [("", "Any key"), *keys]  # type: ignore[attr-defined]

    def clean_status(self) -> str:
        status: str = self.cleaned_data["status"].strip().lower()
        if status and not STATUS.fullmatch(status):
            raise ValidationError("A status is a number like 429, or 4xx or 5xx for all of a kind.")
        return status

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """What is asked for that the page keeps behind a button: label, value, query without it."""
        found: list[tuple[str, str, str]] = []
        for name in ("status", "endpoint", "error", "start", "end"):
            if self.is_valid() and (value := self.cleaned_data[name]):
                shown = value if isinstance(value, str) else by_clock(value, self.clock)
                label = self.fields[name].label or name.capitalize()
                found.append((label.partition(" (")[0], shown, self.query_with(**{name: ""})))
        return found

    @property
    def error_query(self) -> str:
        """What looks for the words in the texts of errors, where they may be one; or nothing."""
        words = self.data.get("q", "").strip()
        if not words or self.data.get("error") or not self.is_valid() or self.request_id:
            return ""
        return self.query_with(q="", error=words)

    @cached_property
    def request_id(self) -> str:
        """The request that is meant. Only of use when the form is valid."""
        return log_ids.id_meant(self.account.pk, self.cleaned_data["q"].strip())

    @property
    def goes_on(self) -> bool:
        """Whether requests to come can match. Only of use when the form is valid."""
        return not self.cleaned_data["end"] and not self.filters.request_id

    @property
    def filters(self) -> Filters:
        """Only of use when the form is valid."""
        asked, period = self.cleaned_data, self.period
        words, status = asked["q"].strip(), asked["status"]
        is_class = status.endswith("xx")
        return Filters(
            model=asked["model"],
            api_key_id=int(asked["key"]) if asked["key"] else None,
            outcome=asked["outcome"],
            status_code=int(status) if status and not is_class else None,
            status_class=int(status[0]) if is_class else None,
            endpoint=asked["endpoint"],
            request_id=self.request_id,
            end_user="" if self.request_id else self.end_user_named(words),
            error=asked["error"].strip(),
            since=period.start if period else None,
            until=period.end if period and asked["end"] else None,
        )

    def end_user_named(self, words: str) -> str:
        """As the log names this end user."""
        if self.account.hides_end_users and not words.startswith(end_users.MARK):
            return end_users.hidden(self.account.pk, words)
        return words

    @property
    def query(self) -> str:
        """The filters as the shortest URL says them, without a place in the list."""
        return self.query_with()

    def query_with(self, **changes: str) -> str:
        """The same, with some of them different. Moments mean the same to viewers everywhere."""
        asked = {name: self.data.get(name, "") for name in self.fields}
        for name in ("start", "end"):
            if self.is_valid() and (moment := self.cleaned_data[name]):
                asked[name] = f"{moment.astimezone(UTC):{FORMAT}}Z"
        return shortest(asked | changes)


def shortest(given: str | Mapping[str, Any]) -> str:
    """A query with nothing in it but filters that say something."""
    given = QueryDict(given) if isinstance(given, str) else given
    clean = QueryDict(mutable=True)
    for name in LogFilterForm.base_fields:
        if value := given.get(name):
            clean[name] = value
    return clean.urlencode(safe=":/")
