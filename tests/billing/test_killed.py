"""B-5: whatever line we are killed at, nothing is lost, granted twice or written twice."""

import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Notice
from billing import plan_changes
from billing.models import StripeEvent
from dashboard.instance import ROOT
from tests.billing.paying import BY, Paying, look_into_everything, post
from tests.webhooks.receivers import Received

STEP = int(os.environ.get("KILL_EVERY", "61"))  # lines; with 1 it takes an hour
MODULES = ("adoption", "contracts", "hearing", "invoice_copies", "readings", "stripe_events")
OURS = {str(ROOT / "billing" / f"{name}.py") for name in (*MODULES, "subscriptions", "views")}


class Killed(BaseException):
    """What a kill -9 does to a transaction: it is not committed."""


@contextmanager
def killed_at(line: int, files: Collection[str] = OURS) -> Iterator[None]:
    """Killed when so many lines of ours have begun; not at all if there are fewer."""
    begun = 0

    def trace(frame: FrameType, what: str, _: Any) -> Callable[..., Any] | None:
        nonlocal begun
        if frame.f_code.co_filename not in files:
            return None
        if what == "line":
            begun += 1
            if begun == line:
                raise Killed
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)
    raise Survived


class Survived(Exception):
    """There were fewer lines than that."""


def bring(letters: list[Received]) -> None:
    for one in letters:
        post(one.body, one.headers["stripe-signature"])
    look_into_everything()


def facts(paying: Paying) -> dict[str, Any]:
    """All that somebody might see twice."""
    return {
        "state": (paying.state, paying.subscription.ended_because),
        "renewed": paying.told("subscription.renewed"),
        "expired": paying.told("subscription.expired"),
        "letters": sorted(paying.letters()),
        "to operators": Notice.objects.filter(account=None).count(),
        "invoices": len(paying.invoices()),
        "waiting": StripeEvent.objects.filter(processed_at=None).count(),
        "audit": paying.account.audit_entries.count(),
    }


def paid(paying: Paying) -> None:
    paying.pay(paying.begin("monthly"))


def renewed(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.server.advance(days=32)


def failed(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.card("card_declined")
    paying.server.advance(days=32)


def ended(paying: Paying) -> None:
    paying.subscribe("monthly")
    plan_changes.cancel(paying.account, by=BY)
    paying.server.advance(days=32)


def disputed(paying: Paying) -> None:
    paying.subscribe("monthly")
    [charge] = paying.api.charges.list({"customer": paying.customer.stripe_id}).data
    dispute = paying.server.control("dispute", charge=charge.id)
    paying.server.control("dispute/close", dispute=dispute["id"], won=False)


@pytest.mark.parametrize("happens", [paid, renewed, failed, ended, disputed])
def test_whatever_line_we_are_killed_at_all_is_as_if_we_had_not_been(
    paying: Paying, happens: Callable[[Paying], None]
) -> None:
    happens(paying)
    letters = paying.new()
    with transaction.atomic():
        bring(letters)
        undisturbed = facts(paying)
        transaction.set_rollback(True)

    line = 1
    while (found := killed(paying, letters, line)) is not None:
        assert found == undisturbed, f"killed at line {line}"
        line += STEP

    assert line > 300


def killed(paying: Paying, letters: list[Received], line: int) -> dict[str, Any] | None:
    """What there is in the end if we are killed and come back; None if there were fewer lines."""
    found = None
    with transaction.atomic():
        try:
            with killed_at(line):
                bring(letters)
        except Killed:
            bring(letters)  # what got no answer is sent again
            found = facts(paying)
        except Survived:
            pass
        transaction.set_rollback(True)
    return found
