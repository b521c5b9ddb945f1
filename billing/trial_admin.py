"""The trials that operators look at, those that wait for them first."""

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest

from accounts.audit import Actor
from accounts.view_only import ViewOnly
from billing.trials import State, Trial

FIRST = Case(When(state=State.IN_REVIEW, then=Value(0)), default=1, output_field=IntegerField())


@admin.register(Trial)
class TrialAdmin(ViewOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # in the stubs only
    list_display = ["email", "state", "why", "created_at", "account", "decided_at", "decided_by"]
    list_select_related = ["account"]
    list_filter = ["state"]
    ordering = [FIRST.asc(), "-pk"]
    search_fields = ["email", "account__name"]
    exclude = ["person", "network"]
    actions = ["grant", "refuse"]

    @admin.display(description="Reasons")
    def why(self, trial: Trial) -> str:
        return " ".join(trial.reasons)

    @admin.action(description="Grant the trial", permissions=["change"])
    def grant(self, request: HttpRequest, chosen: QuerySet[Trial]) -> None:
        by = Actor.operator(request)
        self._say(request, "Granted", [trial.grant(by=by) for trial in chosen])

    @admin.action(description="Refuse", permissions=["change"])
    def refuse(self, request: HttpRequest, chosen: QuerySet[Trial]) -> None:
        by = Actor.operator(request)
        self._say(request, "Refused", [trial.refuse(by=by) for trial in chosen])

    @staticmethod
    def _say(request: HttpRequest, done: str, outcomes: list[bool]) -> None:
        decided, before = outcomes.count(True), outcomes.count(False)
        rest = f" {before} had been decided before and stay as they are." if before else ""
        messages.success(request, f"{done} {decided}.{rest}")
