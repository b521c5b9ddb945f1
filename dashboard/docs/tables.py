"""The tables of the documentation that would go stale if somebody wrote them by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings

from accounts.scopes import Scope
from billing.limits import NAMES, OF_KEYS
from billing.models import Plan
from dashboard.docs.markdown_tables import code, table
from dashboard.offers import Offer as PlanOffer
from dashboard.offers import compare, in_words
from gateway.catalog import Offer, offers_now
from gateway.errors import APIError
from gateway.models import LanguageModel
from gateway.openapi import PATHS
from webhooks.event_types import EventType

Kind = LanguageModel.Kind
TYPES = {
    "invalid_request_error": "Something in the request is wrong; `param` names it",
    "context_length_error": "The prompt is longer than the model's context window",
    "authentication_error": "The key is missing, wrong, or no longer in use",
    "permission_error": "The key may not do this, or its account is not served just now",
    "rate_limit_error": "A limit is reached",
    "model_error": "Nobody can serve the model just now",
    "server_error": "The model's answer made no sense, or something of ours failed",
}
PAGES_OF = {  # the page that tells of an address
    "models": "list-models",
    "models/{id}": "list-models",
    "key": "key-and-limits",
    "limits": "key-and-limits",
    "leaked-key": "leaked-keys",
    "explain/{request_id}": "explain",
    "chat/completions": "chat-completions",
}


def practised(offer: Offer) -> bool:
    """Whether it is one of this server's own, which are there to try things out."""
    return offer.model_id.startswith(settings.PRODUCT.first_model.partition("/")[0] + "/")


def window(offer: Offer) -> str:
    return f"{offer.context_window:,}" if offer.context_window else "–"


def models() -> str:
    rows = [
        [code(offer.model_id), offer.owned_by, window(offer), offer.best_for]
        for offer in offers_now()
        if offer.kind != Kind.EMBEDDING and not practised(offer)
    ]
    return table(["Model", "Owner", "Context window, tokens", "Best for"], rows)


def embedding_models() -> str:
    rows = [
        [
            code(offer.model_id),
            offer.owned_by,
            f"{offer.dimensions or 0:,}",
            window(offer),
            offer.best_for,
        ]
        for offer in offers_now()
        if offer.kind == Kind.EMBEDDING
    ]
    head = ["Model", "Owner", "Dimensions", "Longest input, tokens", "Best for"]
    return table(head, rows) if rows else ""


def practice_models() -> str:
    rows = [
        [code(offer.model_id), offer.kind, offer.best_for]
        for offer in offers_now()
        if practised(offer)
    ]
    return table(["Model", "Kind", "What it does"], rows)


def names() -> str:
    """Every model that has more than one name; those with a slash are OpenRouter's."""
    rows = []
    for offer in offers_now():
        others = [name for name in offer.names if "/" not in name and name != offer.model_id]
        routed = [name for name in offer.names if "/" in name]
        if len(offer.names) > 1:
            cells = [", ".join(map(code, found)) or "–" for found in (routed, others)]
            rows.append([offer.owned_by, code(offer.model_id), *cells])
    return table(["Owner", "Model here", "OpenRouter id", "Other names"], rows)


def embedding_model() -> str:
    """The first one to try; empty where there is none."""
    found = (offer.model_id for offer in offers_now() if offer.kind == Kind.EMBEDDING)
    return next(found, "")


def plan_limits() -> str:
    comparison = compare(list(Plan.objects.on_offer()))
    rows = [
        [
            offer.plan.name,
            *(
                f"{amount:,}" if amount is not None else "agreed" if offer.by_agreement else "–"
                for amount in amounts
            ),
        ]
        for offer, amounts in comparison.rows
    ]
    return table(["Plan", *comparison.columns], rows)


def plan_numbers() -> str:
    offers = [PlanOffer(plan) for plan in Plan.objects.on_offer()]
    rows = [
        [
            offer.plan.name,
            ", ".join(map(in_words, offer.limits)) or "agreed with each account",
            f"{offer.days_kept} days",
        ]
        for offer in offers
    ]
    return table(["Plan", "Allows", "Request log"], rows)


def limit_names() -> str:
    rows = [
        [code(name), unit, window, "plans and keys" if name in NAMES else "keys"]
        for name, (unit, window) in OF_KEYS.items()
    ]
    return table(["Name", "Counts", "Within a", "Held by"], rows)


def scopes() -> str:
    rows = [
        [
            code(scope.value),
            scope.label,
            ", ".join(
                f"`{method} {path}`" for method, path, needs in addresses() if needs == scope
            ),
        ]
        for scope in Scope
    ]
    return table(["Permission", "Lets a key", "Endpoints"], rows)


def addresses() -> Iterator[tuple[str, str, Scope | None]]:
    """Each method and path of the API, and the permission that it needs."""
    for path, methods in PATHS.items():
        for method, operation in methods.items():
            needs = (scope for scope in Scope if f"`{scope.value}`" in operation["description"])
            yield method.upper(), path, next(needs, None)


def endpoints() -> str:
    rows = []
    for method, path, needs in addresses():
        name = path.strip("/")
        operation = PATHS[path][method.lower()]
        who = (
            code(needs.value) if needs else "none" if operation.get("security") == [] else "any key"
        )
        link = f"[`{method} {path}`]({PAGES_OF.get(name, name)}.md)"
        rows.append([link, operation["summary"], who])
    rows.append(["`GET /openapi.json`", "Describe this interface, in OpenAPI 3.1", "none"])
    return table(["Endpoint", "What it does", "Permission"], rows)


def events() -> str:
    rows = [
        [code(event.value), f"{event.label[0].upper()}{event.label[1:]}"] for event in EventType
    ]
    return table(["Type", "Tells that"], rows)


def error_types() -> str:
    statuses: dict[str, set[int]] = {}
    for kind in kinds(APIError):
        statuses.setdefault(kind.type, set()).add(kind.status)
    rows = [
        [code(name), ", ".join(map(str, sorted(statuses[name]))), meaning]
        for name, meaning in TYPES.items()
    ]
    return table(["Type", "Status", "Meaning"], rows)


def kinds(kind: type[APIError]) -> Iterator[type[APIError]]:
    """This error and every one below it."""
    yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


def community() -> str:
    """Clients that others look after; empty where the product names none."""
    rows = [
        [one.language, f"[{one.name}](<{one.url}>)", one.maintainer]
        for one in settings.PRODUCT.links.community
    ]
    return table(["Language", "Client", "Maintained by"], rows) if rows else ""


TABLES: dict[str, Callable[[], str]] = {
    "models_table": models,
    "embedding_models_table": embedding_models,
    "practice_models_table": practice_models,
    "names_table": names,
    "embedding_model": embedding_model,
    "plan_limits_table": plan_limits,
    "plan_numbers_table": plan_numbers,
    "limit_names_table": limit_names,
    "scopes_table": scopes,
    "endpoints_table": endpoints,
    "events_table": events,
    "error_types_table": error_types,
    "community_table": community,
}
