"""The operators' inbox at ``/ops/``: what is asked, by whom, and the acts to answer it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.acts import ActForm
from accounts.audit import Actor
from accounts.view_only import ViewOnly
from dashboard.support.messages import LONGEST
from dashboard.support.requests import Kind, SupportRequest

PERMISSION = "dashboard.change_supportrequest"
FACTS = ["account", "author", "email", "about_request", "created_at", "changed_at"]
OF_SALES = ["name", "company", "expected_use"]


class AnswerForm(ActForm):
    acts_on = SupportRequest
    title_of_page = "Answer"
    explained = (
        "It is mailed to who asked, and stands on the page of their account. Close the request "
        "with it when nothing is left to say; a reply opens it again."
    )
    button = "Send the answer"
    permission = PERMISSION
    text = forms.CharField(
        label="The answer",
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 10}),
        error_messages={"required": "Write something first."},
    )
    closes = forms.BooleanField(label="Close it with this answer", required=False)

    def act(self, by: Actor) -> str:
        request: SupportRequest = self.row
        request.answer(self.cleaned_data["text"], by=by)
        if self.cleaned_data["closes"] and request.close(by=by):
            return f"{request.number} is answered and closed."
        return f"{request.number} is answered."


class CloseForm(ActForm):
    acts_on = SupportRequest
    title_of_page = "Close"
    explained = "Nothing is mailed. A reply of theirs opens it again."
    button = "Close it"
    permission = PERMISSION

    @property
    def refusal(self) -> str:
        return "It is closed." if self.row.is_closed else ""

    def act(self, by: Actor) -> str:
        done = self.row.close(by=by)
        return f"{self.row.number} is closed." if done else "It was closed already."


class ReopenForm(ActForm):
    acts_on = SupportRequest
    title_of_page = "Open again"
    explained = "It stands among what is open, until somebody answers or closes it."
    button = "Open it again"
    permission = PERMISSION

    @property
    def refusal(self) -> str:
        return "" if self.row.is_closed else "It is not closed."

    def act(self, by: Actor) -> str:
        done = self.row.reopen(by=by)
        return f"{self.row.number} is open again." if done else "It was not closed."


@admin.register(SupportRequest)
class SupportRequestAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # in the stubs only
    list_display = ["number", "about", "state", "account", "email", "changed_at"]
    list_select_related = ["account"]
    list_filter = ["state", "kind", "topic"]
    search_fields = ["email", "request_id", "account__name", "company"]
    search_help_text = "A number, an address, the id of a request, an account, a company"
    acts = {"answer": AnswerForm, "close": CloseForm, "reopen": ReopenForm}

    @admin.display(description="Request", empty_value="-")
    def about_request(self, asked: SupportRequest) -> str | None:
        """The id that they gave, with a link to what the log has of it."""
        if not asked.request_id:
            return None
        page = reverse("admin:request", args=[asked.request_id])
        return format_html('<a href="{}"><code>{}</code></a>', page, asked.request_id)

    def get_fields(self, request: HttpRequest, obj: SupportRequest | None = None) -> list[Any]:
        return FACTS + OF_SALES if obj and obj.kind == Kind.SALES else FACTS

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        return FACTS + OF_SALES

    def beside(self, request: HttpRequest, row: SupportRequest) -> dict[str, object]:
        """The form to answer it."""
        return {"answer": AnswerForm(row)}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SupportRequest], search_term: str
    ) -> tuple[QuerySet[SupportRequest], bool]:
        """What reads like a number is that one."""
        numbered = SupportRequest.objects.numbered(search_term)
        if numbered.exists():
            return queryset.filter(pk__in=numbered), False
        return super().get_search_results(request, queryset, search_term)
