"""What becomes of second factors that somebody has lost, and cannot take away themselves."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import F

from accounts import mail, sessions
from accounts.audit import Action, Actor, record_for_user
from accounts.models import User


@transaction.atomic
def take_away(user: User, *, by: Actor) -> int:
    """Leave ``user`` the password alone, signed out everywhere, and tell them; how many there were.

    Recovery codes go with what they stand in for. Who has none to lose is left in peace.
    """
    factors = Authenticator.objects.select_for_update().filter(user=user)
    lost = len(factors.exclude(type=Authenticator.Type.RECOVERY_CODES))
    if factors:
        factors.delete()
        User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
        sessions.end(UserSession.objects.filter(user=user))
        mail.send_on_commit("second_factors_removed", user.email)
        record_for_user(user, Action.SECOND_FACTORS_REMOVED, by=by, about=user.email)
    return lost
