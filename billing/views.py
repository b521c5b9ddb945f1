"""Where Stripe tells us what has happened."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.stripe_events import NotFromStripe, NotHeard, hear

log = logging.getLogger(__name__)


@csrf_exempt  # known by its signature
@login_not_required
@require_POST
def stripe_event(request: HttpRequest) -> JsonResponse:
    """200 once the event is kept; 400 for what is not from Stripe, 503 where nobody can tell."""
    try:
        event = hear(request.body, request.headers.get("Stripe-Signature", ""))
    except NotHeard as error:
        log.error("an event of Stripe was not heard: %s", error)
        return JsonResponse({"error": str(error)}, status=503, headers={"Retry-After": "300"})
    except NotFromStripe as error:
        log.warning("an event that is not Stripe's: %s", error)
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"kept": event.stripe_id})
