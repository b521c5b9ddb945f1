"""Visits to the operators' room: who comes, with what, and where they end up."""

import time

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from accounts.models import User
from tests.accounts.test_entrance import make_verified
from tests.people import make_account

START, LIST, ACT = "/ops/", "/ops/accounts/user/", "/ops/dashboard/incident/open/"
SAID = {"title": "Calls fail", "impact": "major", "state": "investigating", "text": "We look."}
CODE, PASSKEY = "/mfa/reauthenticate/", "/mfa/webauthn/reauthenticate/"


def make_future_operator() -> User:
    """Verified, with an account of their own as well; no second factor yet."""
    user = make_verified()
    user.is_staff = user.is_superuser = True
    user.save()
    make_account(user)
    return user


def signed_in(user: User) -> Client:
    """With the password alone, an hour ago: no fresh sign-in answers for them."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["began_at"] = time.time() - 3600
    session.save()
    return client


def set_up_app(user: User) -> str:
    """An authenticator app of ``user``; its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def where(client: Client, path: str, method: str = "get", **more: str) -> str:
    """The path to which somebody is sent from ``path``, or the status of the answer.

    The room has no sign-in of its own: ``/ops/login/`` only leads to that of everybody.
    """
    answer = getattr(client, method)(path, **more)
    place = str(answer.get("Location", answer.status_code)).partition("?")[0]
    return place.removeprefix("/ops") if place == "/ops/login/" else place
