"""One thing that an operator does by hand, as a page at ``/ops/``: a form to see, and to send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import operators
from accounts.audit import Actor


class UTCField(forms.DateTimeField):
    """A moment to the minute, whatever time zone the page is in."""

    def __init__(self, **kwargs: Any) -> None:
        picker = forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M")
        wrong = "Write it as 2027-01-31T12:00."
        super().__init__(widget=picker, error_messages={"invalid": wrong}, **kwargs)

    def prepare_value(self, value: object) -> object:
        with timezone.override(UTC):
            return super().prepare_value(value)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            return super().to_python(value)

    def validate(self, value: datetime | None) -> None:
        super().validate(value)
        if value and not 2000 <= value.year < 3000:
            raise ValidationError("Choose a year from 2000 to 2999.")


class ReasonField(forms.CharField):
    """Why; it goes on record."""

    def __init__(
        self, help_text: str = "Goes on record, where the account's owner reads it too."
    ) -> None:
        super().__init__(
            max_length=300, help_text=help_text, error_messages={"required": "Say why."}
        )


class ActForm(forms.Form):
    """One act on ``row``, or one that makes something new, where ``row`` is None.

    ``act`` raises ValidationError, by field.
    """

    request: HttpRequest  # in which it is filled in
    acts_on: ClassVar[type[Model]]
    title_of_page: ClassVar[str]
    explained: ClassVar[str]
    button: ClassVar[str]
    permission: ClassVar[str]
    is_dangerous: ClassVar[bool] = False
    not_done: ClassVar[str] = "Nothing was done yet: something needs another look."
    wordings: ClassVar[Mapping[str, Any]] = {}  # with a ``label``; ``?words=`` fills in its fields
    use_required_attribute = False  # errors are said beside their field
    do_not_call_in_templates = True  # a page that offers acts names their classes

    def __init__(self, row: Any = None, data: Any = None, words: str = "") -> None:
        chosen = self.wordings[words].fields if words in self.wordings else {}
        super().__init__(data, label_suffix="", initial=self.now(row) | chosen)
        self.row = row

    @classmethod
    def applies_to(cls, row: Any) -> bool:
        """Whether the page of ``row`` should lead here, as it is now."""
        return True

    @staticmethod
    def now(row: Any) -> dict[str, Any]:
        """How what it is about is at present, where the form asks for that."""
        return {}

    @property
    def about(self) -> str:
        """What there is to act on."""
        return str(self.row) if self.row else ""

    @property
    def refusal(self) -> str:
        """Why it cannot be done at all; empty if it can."""
        return ""

    @property
    def afterwards(self) -> str:
        """The address of the page that shows what came of it."""
        meta = self.acts_on._meta
        if not self.row:
            return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[self.row.pk])

    def act(self, by: Actor) -> str:
        """Do it; what there is to say afterwards, unless the page itself does."""
        raise NotImplementedError


def act_page(
    site: AdminSite, name: str, form_class: type[ActForm], *, of_row: bool = True
) -> URLPattern:
    """The page of an act, for the ModelAdmin of what it acts on: ``admin:<app>_<model>_<name>``.

    Whoever comes in has lately shown their second factor.
    """
    model = form_class.acts_on

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        if not request.user.has_perm(form_class.permission):
            raise PermissionDenied("Your role as an operator does not allow this.")
        operators.check(request, fresh=True)
        row = get_object_or_404(model, pk=object_id) if object_id is not None else None
        return answer(request, site, form_class, row)

    address = f"<int:object_id>/{name}/" if of_row else f"{name}/"
    return path(
        address,
        site.admin_view(view),
        name=f"{model._meta.app_label}_{model._meta.model_name}_{name}",
    )


def answer(
    request: HttpRequest, site: AdminSite, form_class: type[ActForm], row: Model | None
) -> HttpResponse:
    """The form, or where it leads once it is done."""
    data = request.POST if request.method == "POST" else None
    form = form_class(row, data, request.GET.get("words", ""))
    form.request = request
    if form.is_valid() and is_done(request, form):
        return redirect(form.afterwards)
    context = {"form": form, "title": form.title_of_page, "opts": form_class.acts_on._meta}
    status = 422 if form.is_bound else 200
    return TemplateResponse(
        request, "ops/act.html", site.each_context(request) | context, status=status
    )


def is_done(request: HttpRequest, form: ActForm) -> bool:
    """Do it, and say so; else the form says why not."""
    try:
        said = form.act(Actor.operator(request))
    except ValidationError as error:
        form.add_error(None, error)
        return False
    if said:
        messages.success(request, said)
    return True
