"""Operators for tests: staff in the operators' room, their second factor shown a moment ago."""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as STEPS
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from accounts.models import User

EMAIL = "operator@example.com"


def make_operator(email: str = EMAIL) -> User:
    """A superuser; the password is ``correct horse``."""
    operator = User.objects.create_superuser(email, "correct horse")
    EmailAddress.objects.create(user=operator, email=email, verified=True, primary=True)
    return operator


def as_operator(client: Client, operator: User | None = None, *, ago: float = 0) -> Client:
    """``client`` signed in; a code of their authenticator was shown ``ago`` seconds before."""
    user = operator or make_operator()
    if not Authenticator.objects.filter(user=user).exists():
        TOTP.activate(user, generate_totp_secret())
    client.force_login(user)
    shows_second_factor(client, user, ago=ago)
    return client


def shows_second_factor(client: Client, user: User, *, ago: float = 0) -> None:
    session = client.session
    session[STEPS] = [{"method": "mfa", "type": "totp", "at": time.time() - ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
