"""What was done that matters for safety, by whom: rows that are only ever added.

The entries of an account form a chain: each carries a MAC over itself and the MAC of the entry
before it, and one more row says how many there are and which is the last. The database refuses
to change or delete an entry; whoever gets around that cannot make the MACs fit without
``AUDIT_KEY``, which it does not hold. Acts that concern no account are in chain 0.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit_words
from accounts.audit_actions import Action

if TYPE_CHECKING:
    from accounts.models import Account, User

__all__ = [
    "CONSOLE",
    "SYSTEM",
    "Action",
    "Actor",
    "AuditChain",
    "AuditEntry",
    "End",
    "Flaw",
    "Verification",
    "record",
    "record_for_user",
    "verify",
]
Detail = str | int | bool | list[str] | None
LONGEST = 300  # characters of a text in an entry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user and from where, or the product itself.

    ``name`` is what is kept when the user is gone.
    """

    name: str
    user_id: int | None = None
    ip: str = ""

    @classmethod
    def of(cls, request: HttpRequest, user: User | None = None) -> Actor:
        """The visitor who sent this; ``user`` if they have only just shown to be that."""
        ip = request.META.get("REMOTE_ADDR") or ""
        person = user or request.user
        if isinstance(person, AnonymousUser):
            return cls("somebody", None, ip)
        return cls(person.email, person.pk, ip)

    @classmethod
    def operator(cls, request: HttpRequest) -> Actor:
        """The visitor in their office, which is not that of a member."""
        person = cls.of(request)
        return cls(f"operator {person.name}", person.user_id, person.ip)


SYSTEM = Actor("system")
CONSOLE = Actor("operator at the console")


class AuditEntry(models.Model):
    """One act. ``number`` counts within the chain, from 1 and without a gap."""

    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.DO_NOTHING,  # what was done stays on record
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="audit_entries",
    )
    chain = models.BigIntegerField()
    number = models.BigIntegerField()
    at = models.DateTimeField()
    action = models.CharField(max_length=40)  # an Action
    actor = models.CharField(max_length=254)
    user_id = models.BigIntegerField(null=True)
    ip = models.CharField(max_length=45, blank=True)
    about = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)
    mac = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["chain", "-number"]
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="audit_entry_once"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}: {self.action} {self.about}"

    @property
    def label(self) -> str:
        """The act in words."""
        return Action(self.action).label if self.action in Action.values else self.action

    @property
    def said(self) -> list[tuple[str, str]]:
        """The details in words."""
        return audit_words.in_words(self.action, self.details)

    def mac_after(self, previous: bytes) -> bytes:
        """What ``mac`` must be where the entry before this one has the MAC ``previous``."""
        said = [
            *(self.account_id, self.chain, self.number, self.at.astimezone(UTC).isoformat()),
            *(self.action, self.actor, self.user_id, self.ip, self.about, self.details),
        ]
        return _mac(previous, json.dumps(said, sort_keys=True, separators=(",", ":")))


def _mac(previous: bytes, text: str) -> bytes:
    return hmac.digest(settings.AUDIT_KEY.encode(), previous + text.encode(), "sha256")


class AuditChain(models.Model):
    """How long a chain is; its row is locked by whoever adds to it.

    ``mac`` seals the end, so that who cuts a chain cannot say that it ended there.
    """

    chain = models.BigIntegerField(primary_key=True)
    length = models.BigIntegerField(default=0)
    mac = models.BinaryField(max_length=32, default=bytes)

    def __str__(self) -> str:
        return f"chain {self.chain}: {self.length}"


@transaction.atomic
def record(
    account: Account | None, action: Action, *, by: Actor, about: str = "", **details: Detail
) -> AuditEntry:
    """Put an act on record, in the transaction that performs it.

    ``about`` names what it was done to, as people know it. ``details`` hold no secrets. Call this
    last: the end of the chain stays locked until the transaction is over, and who locks other rows
    after it may wait for somebody who waits for the chain.
    """
    chain = account.pk if account else 0
    end = _locked_end(chain)
    entry = AuditEntry(
        account_id=account.pk if account else None,
        chain=chain,
        number=end.length + 1,
        at=timezone.now(),
        action=Action(action),
        actor=_storable(by.name, 254),
        user_id=by.user_id,
        ip=_storable(by.ip, 45),
        about=_storable(about),
        details={name: _storable_detail(said) for name, said in details.items()},
    )
    last = AuditEntry.objects.filter(chain=chain, number=end.length).first()
    entry.mac = entry.mac_after(bytes(last.mac) if last else b"")
    entry.save(force_insert=True)
    seal = End(entry.number, entry.mac).seal(chain)
    AuditChain.objects.filter(chain=chain).update(length=entry.number, mac=seal)
    return entry


@transaction.atomic
def record_for_user(
    user: User, action: Action, *, by: Actor, about: str = "", **details: Detail
) -> None:
    """Put what concerns a person on record in each of their accounts, else in chain 0.

    Always in the order of the accounts, so that two of these never wait for each other.
    """
    accounts: list[Account | None] = [*user.accounts.order_by("pk")]
    for account in accounts or [None]:
        record(account, action, by=by, about=about, **details)


def _locked_end(chain: int) -> AuditChain:
    """The end of a chain, which nobody else moves until our transaction is over."""
    ends = AuditChain.objects.select_for_update().filter(chain=chain)
    end = ends.first()
    if end is None:  # the first entry; somebody else may be writing it, too
        AuditChain.objects.bulk_create([AuditChain(chain=chain)], ignore_conflicts=True)
        end = ends.get()
    return end


def _storable(text: str, longest: int = LONGEST) -> str:
    """What PostgreSQL takes and gives back unchanged: no NUL, no half of a character."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")[:longest]


def _storable_detail(said: Detail) -> Detail:
    if isinstance(said, str):
        return _storable(said)
    return [_storable(text) for text in said] if isinstance(said, list) else said


class End(NamedTuple):
    """How far a chain goes: the number and the MAC of its last entry."""

    number: int = 0
    mac: bytes = b""

    def seal(self, chain: int) -> bytes:
        return _mac(self.mac, f"end of {chain} at {self.number}")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Where a chain is not as it was written."""

    chain: int
    number: int
    what: str

    def __str__(self) -> str:
        return f"Chain {self.chain}: entry {self.number} {self.what}."


@dataclass
class Verification:
    """A walk along the chains, and what was met on it.

    An entry is compared with what is around it at one and the same moment, so that whoever adds
    one meanwhile raises no alarm. ``anchors`` are ends that an earlier walk met.
    """

    anchors: Mapping[int, End] = field(default_factory=dict)
    entries: int = 0
    ends: dict[int, End] = field(default_factory=dict)

    def flaws(self, chain: int | None = None) -> Iterator[Flaw]:
        """Every entry that was changed, added or taken away since it was recorded."""
        only = {} if chain is None else {"chain": chain}
        ended = AuditChain.objects.filter(chain=OuterRef("chain"))
        links = (
            AuditEntry.objects.filter(**only)
            .annotate(length=Subquery(ended.values("length")), seal=Subquery(ended.values("mac")))
            .order_by("chain", "number")
        )
        for pk, links_of_one in groupby(links.iterator(2000), key=attrgetter("chain")):
            yield from self._along(pk, links_of_one)
        some = Exists(AuditEntry.objects.filter(chain=OuterRef("chain")))
        for emptied in AuditChain.objects.filter(~some, **only):
            yield Flaw(emptied.chain, emptied.length, "is missing, and all before it")
        for pk, anchor in self.anchors.items():
            if pk not in self.ends and chain in (None, pk):
                yield Flaw(pk, anchor.number, "is missing, though an anchor knows it")

    def _along(self, chain: int, links: Iterable[Any]) -> Iterator[Flaw]:
        end, link = End(), None
        anchor = self.anchors.get(chain, End())
        for link in links:
            if link.number != end.number + 1:
                yield Flaw(chain, end.number + 1, "is missing")
            elif not hmac.compare_digest(bytes(link.mac), link.mac_after(end.mac)):
                yield Flaw(chain, link.number, "is not what was written")
            end = End(link.number, bytes(link.mac))
            if end.number == anchor.number and end != anchor:
                yield Flaw(chain, end.number, "is not what an anchor knows")
            self.entries += 1
        if link and (link.length, bytes(link.seal or b"")) != (end.number, end.seal(chain)):
            yield Flaw(chain, end.number, "is not where the chain ended")
        if end.number < anchor.number:
            yield Flaw(chain, anchor.number, "is missing, though an anchor knows it")
        self.ends[chain] = end


def verify(chain: int | None = None) -> Iterator[Flaw]:
    """The flaws of one chain or of all; nothing if every entry is what was written."""
    return Verification().flaws(chain)
