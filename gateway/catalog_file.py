"""A catalogue file: a whole product as data. Loading it twice changes nothing the second time."""

import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.db import models, transaction
from msgspec import Meta, Struct

from accounts import audit
from accounts.audit import CONSOLE, Action
from accounts.models import Account
from billing import limits
from billing.models import Plan
from gateway.dialects import Deadlines, Rule
from gateway.models import CatalogVersion, LanguageModel, ModelRoute, Provider
from gateway.product import Product

M = TypeVar("M", bound=models.Model)
TOLD = 50  # changes that stand in the audit log


class PlanEntry(Struct, forbid_unknown_fields=True):
    slug: str
    name: str
    interval_months: int = 0
    retention_class: str = "standard"
    unit_amount: Annotated[int, Meta(ge=1)] | None = None
    currency: Annotated[str, Meta(pattern="^[a-z]{3}$")] = "usd"
    trial: bool = False
    trial_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    limits: dict[str, int] = {}


class ProviderEntry(Struct, forbid_unknown_fields=True):
    slug: str
    name: str
    base_url: str
    credential_env: str = ""
    deadlines: Deadlines = Deadlines()
    rules: list[Rule] = []


class RouteEntry(Struct, forbid_unknown_fields=True):
    provider: str
    model: str
    priority: int = 0
    weight: int = 1


class ModelEntry(Struct, forbid_unknown_fields=True):
    id: str
    owned_by: str
    aliases: list[str] = []
    kind: str = "chat"
    context_window: int | None = None
    max_output_tokens: int = 4096
    dimensions: int | None = None
    best_for: str = ""
    input_price: Decimal | None = None  # written as a number, and taken digit by digit
    output_price: Decimal | None = None
    parameters: dict[str, Any] = {}
    routes: list[RouteEntry] = []


class CatalogFile(Struct, forbid_unknown_fields=True):
    """The first plan is what newcomers get."""

    product: Product | None = None
    plans: list[PlanEntry] = []
    providers: list[ProviderEntry] = []
    models: list[ModelEntry] = []


def read(path: Path) -> CatalogFile:
    """The checked contents of a file. Raises ValueError with what is wrong and where."""
    try:
        catalog = msgspec.convert(tomllib.loads(path.read_text()), CatalogFile)
        for plan in catalog.plans:
            limits.parse(plan.limits)
        check_names(catalog)
        check_prices(catalog)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return catalog


def check_names(catalog: CatalogFile) -> None:
    """Each name means one model, and each route a provider of the file."""
    names = [name for model in catalog.models for name in (model.id, *model.aliases)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"these names mean more than one model: {', '.join(twice)}")
    known = {provider.slug for provider in catalog.providers}
    for model in catalog.models:
        for route in model.routes:
            if route.provider not in known:
                raise ValueError(f"{model.id} is routed to {route.provider!r}, which is not listed")
    if catalog.product:
        check_first_model(catalog, catalog.product.first_model)


def check_prices(catalog: CatalogFile) -> None:
    """A model has both prices or none, and the database can keep them as they are written."""
    fields = LanguageModel.input_price.field, LanguageModel.output_price.field
    for model in catalog.models:
        if (model.input_price is None) != (model.output_price is None):
            raise ValueError(f"{model.id} needs both input_price and output_price, or neither")
        for field in fields:
            try:
                field.clean(getattr(model, field.name), None)
            except ValidationError as error:
                raise ValueError(f"{field.name} of {model.id}: {error.messages[0]}") from error


def check_first_model(catalog: CatalogFile, first_model: str) -> None:
    """A newcomer's first call needs nobody but this server."""
    here = {provider.slug for provider in catalog.providers if provider.base_url.startswith("/")}
    for model in catalog.models:
        if model.id == first_model and any(route.provider in here for route in model.routes):
            return
    raise ValueError(f"first_model {first_model!r} is no model that this very server answers")


@transaction.atomic
def load(catalog: CatalogFile) -> list[str]:
    """Make the database say what the file says; the changes in words, none if there were none.

    What is no longer in the file is disabled or retired, never deleted: subscriptions and history
    refer to it. What an operator turned by hand stays as it is.
    """
    changes = Changes()
    terms_before = terms_of_plans()
    for position, plan in enumerate(catalog.plans):
        changes.put(
            Plan, "slug", position=position, retired_at=None, **msgspec.structs.asdict(plan)
        )
    for provider in catalog.providers:
        changes.put(Provider, "slug", **msgspec.json.decode(msgspec.json.encode(provider)))
    off_by_hand = dict(LanguageModel.objects.values_list("model_id", "switched_off_at"))
    for position, entry in enumerate(catalog.models):
        put_model(changes, entry, position, off_by_hand)
    gone = LanguageModel.objects.filter(disabled_at=None)
    for model in gone.exclude(model_id__in=[entry.id for entry in catalog.models]):
        changes.put(LanguageModel, "model_id", model_id=model.model_id, disabled_at=now())
    for plan_row in Plan.objects.filter(retired_at=None).exclude(
        slug__in=[plan.slug for plan in catalog.plans]
    ):
        changes.put(Plan, "slug", slug=plan_row.slug, retired_at=now())
    for account in accounts_with_other_terms(terms_before):
        account.raise_epoch()
    if changes.said:
        CatalogVersion.rise()
        told, number = changes.said[:TOLD], len(changes.said)
        audit.record(None, Action.CATALOGUE_LOADED, by=CONSOLE, changes=told, number=number)
    return changes.said


def terms_of_plans() -> dict[str, tuple[dict[str, int], str]]:
    """What gateways know of each plan."""
    plans = Plan.objects.values_list("slug", "limits", "retention_class")
    return {slug: (limits, retention_class) for slug, limits, retention_class in plans}


def accounts_with_other_terms(before: dict[str, tuple[dict[str, int], str]]) -> list[Account]:
    """Everybody whose plan now allows or keeps something else than it did."""
    now = terms_of_plans()
    changed = [slug for slug in before if before[slug] != now[slug]]
    return list(Account.objects.filter(subscription__plan__slug__in=changed))


def put_model(
    changes: "Changes", entry: ModelEntry, position: int, off_by_hand: dict[str, datetime | None]
) -> None:
    values = msgspec.structs.asdict(entry)
    routes, model_id = values.pop("routes"), values.pop("id")
    model = changes.put(
        LanguageModel,
        "model_id",
        model_id=model_id,
        position=position,
        disabled_at=off_by_hand.get(model_id),
        when_new={"created_at": now()},
        **values,
    )
    wanted = {(route.provider, route.model): route for route in routes}
    for row in model.routes.select_related("provider"):
        route = wanted.pop((row.provider.slug, row.upstream_model), None)
        if route is None:
            row.delete()
            changes.said.append(f"removed route {row}")
        elif (row.priority, row.weight) != (route.priority, route.weight):
            row.priority, row.weight = route.priority, route.weight
            row.save()
            changes.said.append(f"changed route {row}")
    for route in wanted.values():
        row = ModelRoute.objects.create(
            model=model,
            provider=Provider.objects.get(slug=route.provider),
            upstream_model=route.model,
            priority=route.priority,
            weight=route.weight,
        )
        changes.said.append(f"added route {row}")


def now() -> datetime:
    return datetime.now(UTC)


class Changes:
    """Writes rows that differ from what is wanted, and says what it did."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def put(
        self, kind: type[M], key: str, /, *, when_new: dict[str, Any] | None = None, **values: Any
    ) -> M:
        """The row whose ``key`` is as given, with these values; created if there is none."""
        label = f"{kind._meta.verbose_name} {values[key]}"
        row = kind._default_manager.filter(**{key: values[key]}).first()
        if row is None:
            self.said.append(f"added {label}")
            return kind._default_manager.create(**values, **(when_new or {}))
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        if differing:
            for name in differing:
                setattr(row, name, values[name])
            row.save(update_fields=differing)
            self.said.append(f"changed {label}: {', '.join(differing)}")
        return row
