"""The first two logins and the first key of an instance: made once, kept for its owner alone."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts import audit
from accounts.audit import SYSTEM, Action, Actor
from accounts.models import APIKey, User
from accounts.scopes import Scope
from dashboard.signup import open_account

DEMO, OPERATOR = "demo@localhost", "operator@localhost"


@dataclass(frozen=True)
class FirstRun:
    """What ``./start`` prints."""

    demo_email: str
    demo_password: str
    operator_email: str
    operator_password: str
    api_key: str


def first_run(path: Path) -> FirstRun:
    """The logins in ``path``; made, and written there for its owner only, if it does not exist."""
    if path.exists():
        return FirstRun(**json.loads(path.read_text()))
    with transaction.atomic():
        made = make()
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(made), indent=1))
    draft.rename(path)
    return made


def make() -> FirstRun:
    """Two users with random passwords; an earlier attempt that was cut short starts over."""
    demo_password, operator_password = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    demo = verified(DEMO, demo_password)
    operator = verified(OPERATOR, operator_password)
    User.objects.filter(pk=operator.pk).update(is_staff=True, is_superuser=True)
    audit.record(None, Action.OPERATOR_MADE, by=SYSTEM, about=operator.email)
    account = demo.accounts.first() or open_account(demo, vouched_for_by=SYSTEM)
    if not operator.accounts.exists():
        open_account(operator, vouched_for_by=SYSTEM)
    _, plaintext = APIKey.objects.issue(
        account, name="Quick start", scopes=list(Scope.values), by=Actor(demo.email, demo.pk)
    )
    return FirstRun(DEMO, demo_password, OPERATOR, operator_password, plaintext)


def verified(email: str, password: str) -> User:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    user.set_password(password)
    user.save()
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    return user
