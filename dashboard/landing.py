"""The front door: what this is, how a call looks, what it costs; and what Enterprise receives."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing.models import Plan
from dashboard.docs.rendering import coloured
from dashboard.families import families
from dashboard.measured import figures
from dashboard.offers import Offer, compare
from dashboard.snippets import snippets
from dashboard.status.now import as_text
from dashboard.status.parts import State
from gateway.catalog import offers_now
from gateway.decisions import Decision, Use
from usage.partitions import DAYS_KEPT

LEXERS = {"curl": "sh", "python": "python", "javascript": "javascript"}
WAIT = 14  # seconds, in the example of a refusal
TOKENS = 1_200  # that the refused request asks for


@login_not_required
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Everything on it is so on this server: addresses, models, plans, sentences, figures."""
    plans = list(Plan.objects.on_offer())
    tagline = settings.PRODUCT.tagline or "One key for many models."
    makers = families(offers_now())
    context = {
        "tagline": tagline,
        "sentences": re.split(r"(?<=[.!?]) ", tagline),
        "programs": programs(),
        "families": makers,
        "is_served": any(family.is_served for family in makers),
        "comparison": compare(plans),
        "refusal": refusal_of(plans),
        "figures": figures(),
        "status": status_now(),
        "key_prefix": settings.PRODUCT.key_prefix,
    }
    return render(request, "landing.html", context)


@login_not_required
@require_safe
def enterprise(request: HttpRequest) -> HttpResponse:
    """What can be agreed on beside the plans that anybody can buy."""
    by_agreement = [plan for plan in Plan.objects.on_offer() if Offer(plan).by_agreement]
    context = {"plans": by_agreement, "days_kept": DAYS_KEPT}
    return render(request, "enterprise.html", context)


def programs() -> list[dict[str, Any]]:
    """A first call in three languages, to a model that answers everybody here."""
    messages = [{"role": "user", "content": "Hello, world!"}]
    body = {"model": settings.PRODUCT.first_model, "messages": messages}
    return [
        {"snippet": snippet, "code": coloured(snippet.code, LEXERS[snippet.name])}
        for snippet in snippets("chat/completions", body)
    ]


def refusal_of(plans: Sequence[Plan]) -> str:
    """What a newcomer reads at the first limit of the first plan that has one, word for word."""
    for limit in (limit for plan in plans for limit in Offer(plan).limits if not limit.soft):
        asked = TOKENS if limit.unit == "tokens" else 1
        met = Use(limit.name, limit.amount, limit.amount, asked, 0, WAIT, passes_at=WAIT)
        return str(Decision(admitted=False, now=0, uses=[met], headers=[]).refusal())
    return ""


def status_now() -> dict[str, str]:
    """What the status page says, in a sentence and a tone."""
    said = json.loads(as_text())
    return {"sentence": said["description"], "tone": State(said["status"]).tone}
