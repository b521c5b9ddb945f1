"""A row of everything that operators may look at, made from what its columns ask for."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils import timezone

from accounts.audit import SYSTEM, Action, record
from dashboard.models import Incident
from tests.access.routes import Things
from tests.gateway.conftest import load_catalog

_numbers = count(1)


def furnish() -> Things:
    """One row at least of each model in the room; some are of the account of the things."""
    load_catalog()
    things = Things.make()
    record(things.key.account, Action.API_KEY_CREATED, by=SYSTEM, about="Development")
    Incident.objects.open("Calls fail", "We look.", by=SYSTEM, impact="major", parts=["api"])
    for model in admin.site._registry:
        any_row(model)
    return things


def any_row(model: type[models.Model]) -> models.Model:
    """The first there is, or one with just what it cannot do without."""
    first = model._default_manager.first()
    if first is not None:
        return first
    fields = [field for field in model._meta.concrete_fields if is_asked_for(field)]
    return model._default_manager.create(**{field.name: some(field) for field in fields})


def is_asked_for(field: Any) -> bool:
    if field.primary_key and not field.is_relation:
        return not isinstance(field, models.AutoField) and not field.has_default()
    return not field.null and not field.has_default() and not field.generated


def some(field: Any) -> object:
    """A value that the column takes."""
    number = next(_numbers)
    if field.is_relation:
        return any_row(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now() + timedelta(minutes=number)
    if isinstance(field, models.DateField):
        return timezone.now().date()
    if isinstance(field, models.URLField):
        return f"https://example.com/{number}"
    if isinstance(field, models.EmailField):
        return f"somebody{number}@example.com"
    if isinstance(field, models.CharField | models.TextField):
        return "" if field.blank and not field.unique else f"{number}"
    return {"BooleanField": False, "JSONField": {}, "BinaryField": b""}.get(
        field.get_internal_type(), number
    )
