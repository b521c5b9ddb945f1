"""What every role, a stranger and somebody who is not signed in may do with people and sign-in.

Every address of the site, and who gets an answer there, is in ``tests/access/matrix.txt``.
"""

import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.audit import SYSTEM
from accounts.models import Invitation, Membership, User
from accounts.roles import Role
from tests.people import make_account, make_colleague, make_key, make_plan, make_user
from tests.usage.calls import make_final
from usage.posting import post

pytestmark = pytest.mark.django_db
WHO = [*Role.values, "stranger", "nobody's member", "anonymous"]

# A row: method, route, and the status for owner, admin, developer, billing, viewer, a stranger with
# an account of their own, a user without any, and a visitor. What a form sends is empty, so 422 or
# 200 is “allowed, and asked to fill it in”.
OPEN = "200 200 200 200 200 200 200 200"
MEMBERS = "200 200 200 200 200 200 403 302"
SIGNED_IN = "200 200 200 200 200 200 200 302"
MOVED = "302 302 302 302 302 302 302 302"
THEIRS = "200 200 403 403 403 404 403 302"
OWNERS = "200 403 403 403 403 200 403 302"
TABLE = f"""
GET  .                                        {OPEN}
GET  mailbox                                  {OPEN}
GET  invitations/<str:token>                  404 404 404 404 404 404 404 404
GET  overview                                 {MEMBERS}
GET  usage                                    {MEMBERS}
GET  logs                                     {MEMBERS}
GET  logs/<request_id>                        200 200 200 200 200 404 403 302
GET  keys                                     {MEMBERS}
GET  keys/new                                 200 200 200 403 403 200 403 302
POST keys/new                                 422 422 422 403 403 422 403 302
GET  keys/<int:pk>/revoke                     200 200 200 403 403 404 403 302
POST keys/<int:pk>/revoke                     302 302 302 403 403 404 403 302
GET  team                                     {MEMBERS}
POST team/invitations                         422 422 403 403 403 422 403 302
POST team/invitations/<int:pk>/resend         302 302 403 403 403 404 403 302
POST team/invitations/<int:pk>/withdraw       302 302 403 403 403 404 403 302
GET  team/members/<int:pk>                    {THEIRS}
POST team/members/<int:pk>                    422 422 403 403 403 404 403 302
GET  team/members/<int:pk>/remove             {THEIRS}
POST team/members/<int:pk>/remove             302 302 403 403 403 404 403 302
GET  team/leave                               {MEMBERS}
POST team/leave                               403 302 302 302 302 403 403 302
GET  team/transfer                            {OWNERS}
POST team/transfer                            422 403 403 403 403 422 403 302
POST invitations/<str:token>/accept           404 404 404 404 404 404 404 302
GET  settings                                 {SIGNED_IN}
POST settings                                 {MOVED}
GET  settings/security                        {SIGNED_IN}
POST settings/security/sessions               {MOVED}
POST settings/security/sessions/<int:pk>      302 404 404 404 404 404 404 302
GET  settings/account                         {MEMBERS}
POST settings/account                         422 422 403 403 403 422 403 302
POST settings/account/switch                  404 404 404 404 404 404 404 302
POST settings/account/open                    {MOVED}
GET  settings/danger                          {MEMBERS}
GET  settings/danger/account                  {OWNERS}
POST settings/danger/account                  422 403 403 403 403 422 403 302
POST settings/danger/account/keep             302 403 403 403 403 302 403 302
POST settings/danger/export                   200 403 403 403 403 200 403 302
GET  settings/danger/user                     {SIGNED_IN}
POST settings/danger/user                     422 422 422 422 422 422 422 302
GET  mfa/                                     {MOVED}
GET  mfa/webauthn/                            {MOVED}
GET  mfa/authenticate/                        {MOVED}
GET  mfa/reauthenticate/                      {MOVED}
GET  mfa/totp/activate/                       {SIGNED_IN}
GET  mfa/totp/deactivate/                     404 404 404 404 404 404 404 302
GET  mfa/recovery-codes/                      404 404 404 404 404 404 404 302
GET  mfa/recovery-codes/generate/             {SIGNED_IN}
GET  mfa/recovery-codes/download/             404 404 404 404 404 404 404 302
GET  mfa/webauthn/add/                        {SIGNED_IN}
GET  mfa/webauthn/reauthenticate/             {MOVED}
GET  mfa/webauthn/keys/<int:pk>/remove/       200 404 404 404 404 404 404 302
GET  mfa/webauthn/keys/<int:pk>/edit/         200 404 404 404 404 404 404 302
GET  mfa/webauthn/login/                      {MOVED}
GET  login/                                   302 302 302 302 302 302 302 200
GET  signup/                                  302 302 302 302 302 302 302 200
GET  logout/                                  200 200 200 200 200 200 200 302
GET  reauthenticate/                          {SIGNED_IN}
GET  inactive/                                {OPEN}
GET  email/                                   {SIGNED_IN}
GET  confirm-email/                           {MOVED}
GET  password/change/                         {SIGNED_IN}
GET  password/set/                            {MOVED}
GET  password/reset/                          {OPEN}
GET  password/reset/done/                     {OPEN}
GET  password/reset/confirm/                  {MOVED}
GET  password/reset/complete/                 {MOVED}
GET  login/code/confirm/                      {MOVED}
"""
ROWS = [re.split(r"\s+", line, maxsplit=2) for line in TABLE.strip().splitlines()]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path
        elif isinstance(entry, URLResolver):
            yield from routes(entry, path)


class Scene:
    """An account with one of everything, and a browser for everybody in ``WHO``."""

    def __init__(self, who: str) -> None:
        plan = make_plan()
        owner = make_user()
        self.account = make_account(owner, plan=plan)
        self.key = make_key(self.account).api_key
        self.victim = make_colleague(self.account, "viewer")
        final = make_final(account_id=self.account.pk, api_key_id=self.key.pk)
        post([final])
        self.request_id = final.request_id
        by = Membership.objects.get(user=owner)
        self.invitation = Invitation.objects.invite(
            "new@example.com", "viewer", inviter=by, by=SYSTEM
        )
        self.owner = owner
        self.session = UserSession.objects.create(
            user=owner, ip="127.0.0.1", session_key="elsewhere", user_agent="x"
        )
        self.user = self._user(who, owner)

    def ask(self, method: str, route: str) -> int:
        """What the answer is; whatever came of it is undone."""
        client = Client()
        with transaction.atomic():
            address = self.address(route)
            if self.user:
                client.force_login(self.user)
            answer = getattr(client, method.lower())(address)
            transaction.set_rollback(True)
        status: int = answer.status_code
        return status

    def _user(self, who: str, owner: User) -> User | None:
        if who == "anonymous":
            return None
        if who in Role.values:
            return owner if who == "owner" else make_colleague(self.account, who)
        user = make_user("stranger")
        if who == "stranger":
            make_account(user)
        return user

    def address(self, route: str) -> str:
        """Where the route is about something of this account."""
        passkey = None
        if "webauthn/keys" in route:
            data = {"name": "Phone", "credential": {}}
            passkey = Authenticator.objects.create(user=self.owner, type="webauthn", data=data)
        things = {
            "keys/<": self.key.pk,
            "team/members": Membership.objects.get(user=self.victim).pk,
            "team/invitations": self.invitation.pk,
            "settings/security": self.session.pk,
            "mfa/webauthn/keys": passkey and passkey.pk,
            "logs/": self.request_id,
        }
        thing = next((it for start, it in things.items() if route.startswith(start)), "unknown")
        return "/" + re.sub(r"<[^>]+>", str(thing), route.removeprefix("."))


def expected(line: str) -> dict[str, int]:
    return dict(zip(WHO, map(int, line.split()), strict=True))


@pytest.mark.parametrize("who", WHO)
def test_everybody_may_do_what_the_table_says_and_nothing_else(who: str) -> None:
    scene, wrong = Scene(who), []
    for method, route, line in ROWS:
        status, wanted = scene.ask(method, route), expected(line)[who]
        if status != wanted:
            wrong.append(f"{method} {route}: {status} instead of {wanted}")

    assert not wrong, "\n".join(wrong)


def test_the_table_names_no_address_that_is_gone() -> None:
    listed = {route for _, route, _ in ROWS}

    assert listed <= {route or "." for route in routes(get_resolver())}


@pytest.mark.parametrize("who", WHO)
def test_operators_pages_are_closed_to_everybody_here(who: str) -> None:
    scene = Scene(who)

    assert {scene.ask("GET", path) for path in ("ops/", "ops/accounts/apikey/")} <= {302, 403}
