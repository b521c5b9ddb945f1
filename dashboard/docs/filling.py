"""Fills a page with what holds on this server: its names and addresses, its models and plans.

Placeholders are Django's, in Markdown: ``{{ brand }}``, ``{% if embedding_model %}``. Whatever
asks the database is a function, so that only pages which name it pay for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context, Template

from dashboard.docs import parameters, tables
from dashboard.docs.contents import Page
from dashboard.instance import ROOT
from gateway.call import MAX_BODY
from usage.partitions import DAYS_KEPT

WEBHOOKS = ROOT / "docs" / "webhooks"  # programs and schemas that stand beside the guide
EXAMPLE_KEY = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0nOp3rSt6v"
Values = dict[str, Any]


def fill(page: Page) -> str:
    """The Markdown of ``page`` for whoever reads it here."""
    return _template(page).render(Context(values(), autoescape=False))


@cache
def _template(page: Page) -> Template:
    return Template(page.source)


def values() -> Values:
    """What a placeholder may name."""
    product = settings.PRODUCT
    return {
        "brand": product.name,
        "links": product.links,
        "site_url": settings.PUBLIC_URL,
        "api_url": settings.PUBLIC_URL + product.base_path,
        "api_root": settings.PUBLIC_URL + product.base_path.removesuffix("/v1"),
        "key_prefix": product.key_prefix,
        "key_variable": product.key_variable,
        "example_key": product.key_prefix + EXAMPLE_KEY,
        "first_model": product.first_model,
        "practice": product.first_model.partition("/")[0],
        "unknown_model_status": product.unknown_model,
        "max_body_mib": MAX_BODY // 1024 // 1024,
        "days_kept": DAYS_KEPT,
        "webhooks_guide": webhooks_guide,
        "query": parameters.QUERIES,
        "body": parameters.BODIES,
        **tables.TABLES,
    }


def webhooks_guide() -> str:
    """``docs/webhooks.md`` without its title and without what only operators need."""
    guide = (ROOT / "docs" / "webhooks.md").read_text()
    guide = guide.partition("\n")[2].partition("### For operators")[0].strip()
    base = settings.PUBLIC_URL + settings.PRODUCT.base_path
    guide = guide.replace("https://keyplex.example/v1", base)
    return guide.replace("$KEYPLEX_API_KEY", f"${settings.PRODUCT.key_variable}")
