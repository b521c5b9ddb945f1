"""Who may be in the operators' room: staff who have shown a second factor, and not too long ago.

A shift lasts eight hours, and ends after half an hour in which nothing was asked. What changes
something asks for the second factor again unless it was shown within the last ten minutes.
"""

import time

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User
from accounts.origin import within

SHIFT, IDLE, FRESH = 8 * 3600, 30 * 60, 10 * 60  # seconds
SEEN, NOTED_EVERY = "operator_seen_at", 60
READS = {"GET", "HEAD", "OPTIONS"}
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class NoSecondFactor(PermissionDenied):
    """An operator who has none yet."""


def is_operator(request: HttpRequest) -> bool:
    """Whether the visitor is staff, where staff may come from; whatever they have shown."""
    user, networks = request.user, settings.OPS_NETWORKS
    if not (user.is_active and user.is_staff):
        return False
    return not networks or within(request.META.get("REMOTE_ADDR") or "", networks)


def check(request: HttpRequest, *, fresh: bool | None = None) -> None:
    """Let an operator go on; ``fresh`` for what leads to a change, as all but reading does.

    Raises PermissionDenied to whoever is none, NoSecondFactor, and ReauthenticationRequired, which
    asks for the second factor and then goes on with this very request.
    """
    if not is_operator(request):
        raise PermissionDenied("Only operators may go in here.")
    if not is_mfa_enabled(request.user, FACTORS):
        raise NoSecondFactor("The operators' room asks for a second factor.")
    now = time.time()
    shown_at = second_factor_shown_at(request)
    seen_at = max(shown_at, request.session.get(SEEN, 0))
    changes = request.method not in READS if fresh is None else fresh
    longest = FRESH if changes else SHIFT
    if now - shown_at > longest or now - seen_at > IDLE:
        raise ReauthenticationRequired
    if now - seen_at > NOTED_EVERY:
        request.session[SEEN] = now


def second_factor_shown_at(request: HttpRequest) -> float:
    """When the visitor last did so in this session, in Unix seconds; 0 if they never did."""
    if not isinstance(request.user, User):
        return 0
    steps = get_authentication_records(request, request.user)
    return max((float(step["at"]) for step in steps if step["method"] == "mfa"), default=0)
