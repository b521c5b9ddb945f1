"""Pages of operators that show rows; what changes a row is a verb of its model, as an act."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from accounts.acts import ActForm, act_page

FILTERED_BY = ("", "__exact", "__id__exact", "__isnull", "__isempty", "__gte", "__lt")
FIRST_CHOICE = [("", "With those chosen below …")]


class ViewOnly:
    """Laid over a ModelAdmin: nothing is added, edited or deleted by hand.

    ``acts`` are the pages of what can be done to one row, ``new`` of what makes one.
    """

    acts: ClassVar[dict[str, type[ActForm]]] = {}
    new: ClassVar[dict[str, type[ActForm]]] = {}

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What a filter of the list asks for, or whose rows these are; nothing else.

        Else a column that no page shows could be guessed from the address, letter by letter.
        """
        model, filters = self.model, self.get_list_filter(request)  # type: ignore[attr-defined]
        names = {parameter_of(each) for each in filters}
        names |= {field.name for field in model._meta.fields if field.many_to_one}
        return lookup in {name + ending for name in names for ending in FILTERED_BY}

    def get_action_choices(
        self, request: HttpRequest, default_choices: list[tuple[str, str]] = FIRST_CHOICE
    ) -> list[tuple[str, str]]:
        choices: list[tuple[str, str]] = super().get_action_choices(request, default_choices)  # type: ignore[misc]
        return choices

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        model = self.model  # type: ignore[attr-defined]
        hidden = getattr(self, "exclude", None) or ()
        return [field.name for field in model._meta.fields if field.name not in hidden]

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site  # type: ignore[attr-defined]
        of_one = [act_page(site, name, form) for name, form in self.acts.items()]
        of_none = [act_page(site, name, form, of_row=False) for name, form in self.new.items()]
        return [*of_one, *of_none, *super().get_urls()]  # type: ignore[misc]

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows besides its facts."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """The facts, with what can be done about them above. Nothing can be sent here."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        acts = {name: form for name, form in self.acts.items() if row and form.applies_to(row)}
        beside = self.beside(request, row) if row else {}
        context = {**(extra_context or {}), **beside, "acts": offered(request, acts, "../{}/")}
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)  # type: ignore[misc]
        return answer

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "acts": offered(request, self.new, "{}/")}
        answer: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return answer

    def history_view(self, request: HttpRequest, object_id: str, *_: Any) -> HttpResponse:
        """What was done about a row is on record, and nowhere else."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None:
            raise PermissionDenied
        listed = reverse("admin:accounts_auditentry_changelist")
        return redirect(f"{listed}?{urlencode({'q': str(row)})}")


def parameter_of(list_filter: Any) -> str:
    """Under which name it is in the address."""
    if isinstance(list_filter, str):
        return list_filter
    name: str = list_filter[0] if isinstance(list_filter, tuple) else list_filter.parameter_name
    return name


def offered(
    request: HttpRequest, acts: dict[str, type[ActForm]], address: str
) -> list[tuple[str, type[ActForm]]]:
    """The addresses of those that this operator may do."""
    may = request.user.has_perm
    return [(address.format(name), form) for name, form in acts.items() if may(form.permission)]
