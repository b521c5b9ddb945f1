"""Who has tried for nothing: one trial for each person, and a second look at the odd ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import audit, notices
from accounts.audit import SYSTEM, Action, Actor
from billing import clock, trial_rules
from billing.agreements import Ended, Status
from billing.plans import Plan
from billing.subscriptions import Subscription

if TYPE_CHECKING:
    from accounts.models import Account

DECIDING = 0x747269616C  # advisory lock of who decides about a trial, so that counts are exact
LATELY = timedelta(days=1)


class State(models.TextChoices):
    GRANTED = "granted"
    IN_REVIEW = "in_review", "In review"
    REFUSED = "refused"


# Refused without a look, because there was another one.
ASKED_IN_VAIN = models.Q(state=State.REFUSED, decided_by=SYSTEM.name)


class TrialQuerySet(models.QuerySet["Trial"]):
    @transaction.atomic
    def ask(self, account: Account, email: str, *, by: Actor) -> Trial:
        """Decide about the trial that ``account`` waits for; ``email`` was shown to be theirs.

        It begins, is held until an operator has looked at it, or is refused to who has asked for
        one before. Who asks again for the same account hears what was decided.
        """
        wait_for_turn()
        if decided := self.filter(account=account).first():
            return decided
        now, person = clock.now(), trial_rules.person(email)
        trial = Trial(account=account, email=email, person=person, created_at=now)
        trial.network = trial_rules.network(by.ip)
        if before := self.had_by(email).first():
            trial._open(State.REFUSED, ["This person has asked for a trial before."], now)
            refused = before.state == State.REFUSED
            trial._refused(Ended.REFUSED if refused else Ended.NO_TRIAL, by)
        elif doubts := self._doubts(trial, now):
            trial._open(State.IN_REVIEW, doubts, None)
            trial._held(by)
        else:
            trial._open(State.GRANTED, [], now)
            trial._begin(by)
        return trial

    @transaction.atomic
    def give(self, account: Account, email: str, *, by: Actor) -> None:
        """Begin the trial that ``account`` waits for because an operator answers for ``email``.

        Who had one before has another.
        """
        wait_for_turn()
        now, person = clock.now(), trial_rules.person(email)
        trial = Trial(account=account, email=email, person=person, created_at=now)
        if not self.filter(person=person).exclude(state=State.REFUSED).exists():
            trial._open(State.GRANTED, [], now, by.name)
        trial._begin(by)

    def had_by(self, email: str) -> TrialQuerySet:
        """What was decided, or is not yet, about the person with this address."""
        return self.filter(person=trial_rules.person(email)).exclude(ASKED_IN_VAIN)

    @transaction.atomic
    def forget(self, account: Account) -> None:
        """Of an account that is deleted, who had a trial stays known, by a digest alone.

        Who was still waiting for one may ask again.
        """
        theirs = self.filter(account=account)
        theirs.filter(state=State.IN_REVIEW).delete()
        theirs.update(email="", network="")

    def _doubts(self, trial: Trial, now: datetime) -> list[str]:
        """What an operator should look at first, in words; nothing of most people."""
        lately = self.filter(created_at__gt=now - LATELY)
        near = lately.filter(network=trial.network).exclude(state=State.REFUSED)
        doubts = []
        if trial_rules.is_disposable(trial.email):
            domain = trial_rules.domain_of(trial.email)
            doubts.append(f"Addresses of {domain} are made to be thrown away.")
        if trial.network and near.count() >= settings.TRIALS_PER_NETWORK:
            doubts.append(f"Within 24 hours {near.count()} others asked from the same network.")
        granted = lately.filter(state=State.GRANTED).count()
        if granted >= settings.TRIALS_PER_DAY:
            doubts.append(f"Within 24 hours {granted} trials were granted already.")
        return doubts


def wait_for_turn() -> None:
    """One decides at a time, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DECIDING])


def plan_of(account: Account) -> Plan:
    """The plan that ``account`` waits for."""
    return Plan.objects.get(subscriptions__account=account)


class Trial(models.Model):
    """A trial that was asked for. It outlives the account, so that nobody has a second one.

    ``person`` and ``network`` are digests: they are compared, never read.
    """

    State = State

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.SET_NULL, null=True, related_name="trials"
    )
    person = models.CharField(max_length=64)
    network = models.CharField(max_length=64, blank=True)
    email = models.CharField(max_length=254)  # as operators know them
    state = models.CharField(max_length=10, choices=State)
    reasons = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=254, blank=True)
    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=~models.Q(state="refused"), name="trial_one_a_person"
            ),
        ]
        indexes = [
            models.Index(fields=["network", "created_at"], name="trial_by_network"),
            models.Index(fields=["created_at"], name="trial_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.email or 'somebody'}: {self.get_state_display().lower()}"

    @transaction.atomic
    def grant(self, *, by: Actor) -> bool:
        """Let a trial begin that was held. False if it was decided before.

        An account that has found another plan meanwhile keeps that.
        """
        waits = self._waits()
        if not self._decide(State.GRANTED, by):
            return False
        if waits:
            self._begin(by, told=True)
        else:
            audit.record(self.account, Action.TRIAL_GRANTED, by=by)
        return True

    @transaction.atomic
    def refuse(self, *, by: Actor) -> bool:
        """Say no to a trial that was held, for good. False if it was decided before."""
        waits = self._waits()
        if not self._decide(State.REFUSED, by):
            return False
        if waits:
            self._refused(Ended.REFUSED, by, told=True)
        else:
            audit.record(self.account, Action.TRIAL_REFUSED, by=by)
        return True

    def _waits(self) -> bool:
        """Whether the account still waits for this trial; locked, so that it stays so."""
        waiting = Subscription.objects.select_for_update().filter(
            account=self.account_id, status=Status.INCOMPLETE, stripe_id=None, plan__trial=True
        )
        return self.account_id is not None and waiting.exists()

    def _decide(self, state: str, by: Actor) -> bool:
        """Of two operators one decides."""
        held = Trial.objects.filter(pk=self.pk, state=State.IN_REVIEW)
        decided = held.update(state=state, decided_at=clock.now(), decided_by=by.name)
        self.refresh_from_db()
        return bool(decided)

    def _open(
        self, state: str, reasons: list[str], at: datetime | None, by: str = SYSTEM.name
    ) -> None:
        self.state, self.reasons, self.decided_at = state, reasons, at
        self.decided_by = by if at else ""
        self.save(force_insert=True)

    def _begin(self, by: Actor, *, told: bool = False) -> None:
        account = self._account
        subscription = Subscription.objects.start(account, plan_of(account), by=by)
        if told:
            notices.tell(account, "trial_granted", subscription=subscription)
        audit.record(account, Action.TRIAL_GRANTED, by=by, about=subscription.plan.name)

    def _refused(self, because: Ended, by: Actor, *, told: bool = False) -> None:
        account, plan = self._account, plan_of(self._account)
        Subscription.objects.withhold(account, plan, because=because)
        if told:
            notices.tell(account, "trial_refused", about_money=True)
        audit.record(account, Action.TRIAL_REFUSED, by=by, about=plan.name, because=because.label)

    def _held(self, by: Actor) -> None:
        """Operators hear of it at most once an hour; the queue has them all."""
        account = self._account
        account.raise_epoch()
        queue = reverse("admin:billing_trial_changelist") + "?state__exact=in_review"
        hour = f"trials held {timezone.now():%Y-%m-%d %H}"
        notices.tell(None, "trial_held", once=hour, trial=self, queue=settings.PUBLIC_URL + queue)
        audit.record(account, Action.TRIAL_HELD, by=by, about=plan_of(account).name)

    @property
    def _account(self) -> Account:
        assert self.account, "a trial is decided for an account"
        return self.account
