"""Whatever line we are killed at, a credit is given once, and taken back once."""

import os
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Notice
from billing import balances
from billing.models import Credit, Plan
from dashboard.instance import ROOT
from tests.billing.crediting import OPERATOR, give, granted, ledger
from tests.billing.in_process import InProcessServer
from tests.billing.paying import Paying, make_plans
from tests.billing.test_killed import Killed, Survived, killed_at
from tests.people import make_account

OURS = {str(ROOT / "billing" / f"{name}.py") for name in ("balances", "credits")}
STEP = int(os.environ.get("KILL_EVERY", "5"))  # lines


@pytest.fixture
def server(db: None, settings: Any) -> InProcessServer:
    server = InProcessServer()
    settings.STRIPE = server.access
    make_plans()
    return server


def given(paying: Paying, token: uuid.UUID) -> None:
    """What the operator does, again if there was no answer, and what the worker does."""
    balances.settle(granted(paying, token=token).pk)


def taken_back(paying: Paying, token: uuid.UUID) -> None:
    credit = Credit.objects.get(token=token)
    if credit.revoked_at is None:
        credit.take_back(by=OPERATOR)
    balances.settle(credit.pk)


def done_before(_: Paying, __: uuid.UUID) -> None:
    """Nothing has to be there."""


def given_before(paying: Paying, token: uuid.UUID) -> None:
    give(paying, token=token)


def facts(account: Account) -> dict[str, Any]:
    [credit] = account.credits.all()
    return {
        "state": credit.state,
        "due": credit.next_attempt_at,
        "known": (bool(credit.stripe_id), bool(credit.reversal)),
        "letters": Notice.objects.filter(account=account).count(),
        "to operators": Notice.objects.filter(account=None).count(),
        "audit": account.audit_entries.filter(action__startswith="credit.").count(),
    }


@pytest.mark.parametrize(
    ("before", "act", "lines"), [(done_before, given, 60), (given_before, taken_back, 60)]
)
def test_a_credit_is_settled_once_whatever_line_we_are_killed_at(
    server: InProcessServer,
    before: Callable[[Paying, uuid.UUID], None],
    act: Callable[[Paying, uuid.UUID], None],
    lines: int,
) -> None:
    undisturbed = lived(server, before, act, None)

    line = 1
    while (found := lived(server, before, act, line)) is not None:
        assert found == undisturbed, f"killed at line {line}"
        line += STEP

    assert line > lines


def lived(
    server: InProcessServer,
    before: Callable[[Paying, uuid.UUID], None],
    act: Callable[[Paying, uuid.UUID], None],
    line: int | None,
) -> dict[str, Any] | None:
    """What there is in the end, here and at Stripe; None if there were fewer lines."""
    server.begin()
    token, found = uuid.uuid4(), None
    with transaction.atomic():
        paying = Paying(server, make_account(plan=Plan.objects.get(slug="free-trial")))
        before(paying, token)
        try:
            if line is None:
                act(paying, token)
            else:
                with killed_at(line, OURS):
                    act(paying, token)
            found = facts(paying.account) | {"ledger": ledger(paying)}
        except Killed:
            act(paying, token)
            Credit.objects.exclude(next_attempt_at=None).update(next_attempt_at=timezone.now())
            balances.sweep()
            found = facts(paying.account) | {"ledger": ledger(paying)}
        except Survived:
            pass
        transaction.set_rollback(True)
    return found
