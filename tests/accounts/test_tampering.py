"""Whoever gets around the database's refusal is found: every tampering, and no false alarm."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.db.models import F, Max

from accounts import audit
from accounts.audit import Action, Actor, AuditChain, AuditEntry, End, Verification
from accounts.models import Account

pytestmark = pytest.mark.django_db
CHAINS, LENGTH = [0, 901, 902], 4
TEXTS = ["", "x", "Zoë", "数据", "a\0b", "\ud800", "🗝" * 400, '"\\\n', "' OR 1=1 --", "é"]
NUMBERS = [0, -1, 2**53 + 1, 10**40, True, False, None]


def write(chain: int, chance: random.Random) -> AuditEntry:
    """An entry with whatever an act may say of itself."""
    return audit.record(
        Account(pk=chain) if chain else None,
        chance.choice(list(Action)),
        by=Actor(chance.choice(TEXTS), chance.choice([None, 7]), chance.choice(["", "10.0.0.1"])),
        about=chance.choice(TEXTS),
        said=chance.choice(TEXTS),
        number=chance.choice(NUMBERS),
        several=chance.choices(TEXTS, k=chance.randrange(3)),
    )


@pytest.fixture
def unlocked_chains(db: None) -> None:
    """Three chains, open to somebody who may switch off the triggers."""
    chance = random.Random(1)
    for chain in CHAINS * LENGTH:
        write(chain, chance)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE accounts_auditchain DISABLE TRIGGER USER")


def other(field: str, entry: AuditEntry, chance: random.Random) -> object:
    """A value that ``field`` does not have."""
    if field == "at":
        return entry.at + timedelta(microseconds=chance.choice([1, -1, 86_400_000_000]))
    if field == "details":
        return {**entry.details, chance.choice(["number", "more"]): chance.randrange(10**9)}
    if field == "mac":
        return chance.choice([b"", chance.randbytes(32), chance.randbytes(31)])
    if field in {"account_id", "user_id", "chain", "number"}:
        return (getattr(entry, field) or 0) + chance.choice([1000, -1000])
    return f"{getattr(entry, field)}{chance.choice(' x')}"[-39:] + "."


FIELDS = [field.attname for field in AuditEntry._meta.fields if field.attname != "id"]


def edit(entry: AuditEntry, chance: random.Random) -> None:
    field = chance.choice(FIELDS)
    AuditEntry.objects.filter(pk=entry.pk).update(**{field: other(field, entry, chance)})


def delete(entry: AuditEntry, chance: random.Random) -> None:
    AuditEntry.objects.filter(pk=entry.pk).delete()


def delete_and_close_the_gap(entry: AuditEntry, chance: random.Random) -> None:
    delete(entry, chance)
    for later in AuditEntry.objects.filter(chain=entry.chain, number__gt=entry.number)[::-1]:
        AuditEntry.objects.filter(pk=later.pk).update(number=later.number - 1)
    AuditChain.objects.filter(chain=entry.chain).update(length=F("length") - 1)


def swap(entry: AuditEntry, chance: random.Random) -> None:
    twin = AuditEntry.objects.filter(chain=entry.chain).exclude(pk=entry.pk).order_by("?")[0]
    for pk, number in ((twin.pk, -1), (entry.pk, twin.number), (twin.pk, entry.number)):
        AuditEntry.objects.filter(pk=pk).update(number=number)


def insert_behind(entry: AuditEntry, chance: random.Random) -> None:
    """An act that never was, with the MAC of another, or one under a guessed key."""
    last = AuditEntry.objects.filter(chain=entry.chain).latest("number")
    forged = AuditEntry.objects.get(pk=entry.pk)
    forged.pk, forged.number = None, last.number + 1
    forged.mac = chance.choice([entry.mac, chance.randbytes(32)])
    forged.save(force_insert=True)
    AuditChain.objects.filter(chain=entry.chain).update(length=forged.number, mac=forged.mac)


def cut_off_the_end(entry: AuditEntry, chance: random.Random) -> None:
    """And say that the chain ended there."""
    AuditEntry.objects.filter(chain=entry.chain, number__gt=entry.number).delete()
    if entry.number == LENGTH:
        delete(entry, chance)
    last = AuditEntry.objects.filter(chain=entry.chain).latest("number")
    AuditChain.objects.filter(chain=entry.chain).update(length=last.number, mac=last.mac)


def empty(entry: AuditEntry, chance: random.Random) -> None:
    AuditEntry.objects.filter(chain=entry.chain).delete()


def deny_the_end(entry: AuditEntry, chance: random.Random) -> None:
    chain = AuditChain.objects.filter(chain=entry.chain)
    change: dict[str, object] = chance.choice(
        [{"length": LENGTH - 1}, {"mac": entry.mac}, {"mac": b""}]
    )
    if chance.random() < 0.3:
        chain.delete()
    else:
        chain.update(**change)


def copy_from_elsewhere(entry: AuditEntry, chance: random.Random) -> None:
    """The acts of another account, passed off as those of this one."""
    source = chance.choice([chain for chain in CHAINS if chain != entry.chain])
    empty(entry, chance)
    for foreign in AuditEntry.objects.filter(chain=source):
        foreign.pk, foreign.chain, foreign.account_id = None, entry.chain, entry.account_id
        foreign.save(force_insert=True)
    end = AuditChain.objects.get(chain=source)
    AuditChain.objects.filter(chain=entry.chain).update(length=end.length, mac=end.mac)


TAMPERINGS: list[Callable[[AuditEntry, random.Random], None]] = [
    *([edit] * 8),
    *(delete, delete_and_close_the_gap, swap, insert_behind, cut_off_the_end),
    *(empty, deny_the_end, copy_from_elsewhere),
]


MANY = [100, pytest.param(1000, marks=pytest.mark.t2)]


@pytest.mark.parametrize("number", MANY)
def test_every_tampering_is_found(unlocked_chains: None, number: int) -> None:
    missed = []
    assert not list(audit.verify())
    for seed in range(number):
        chance = random.Random(seed)
        entry = AuditEntry.objects.get(
            chain=chance.choice(CHAINS), number=chance.randint(1, LENGTH)
        )
        tamper = chance.choice(TAMPERINGS)
        with transaction.atomic():
            tamper(entry, chance)
            if not list(audit.verify()):
                missed.append((seed, tamper.__name__))
            transaction.set_rollback(True)

    assert not missed
    assert not list(audit.verify())


@pytest.mark.parametrize("number", MANY)
def test_chains_of_all_sorts_raise_no_alarm(number: int) -> None:
    chance = random.Random(2)
    for chain in range(number):
        for _ in range(chance.choice([1, 1, 1, 2])):
            write(chain, chance)

    walk = Verification()

    assert list(walk.flaws()) == []
    assert len(walk.ends) == number
    assert walk.entries == AuditEntry.objects.count()


def test_a_flaw_says_where_it_is(unlocked_chains: None) -> None:
    AuditEntry.objects.filter(chain=901, number=3).update(actor="nobody")
    AuditEntry.objects.filter(chain=902, number=2).delete()

    assert [str(flaw) for flaw in audit.verify()] == [
        "Chain 901: entry 3 is not what was written.",
        "Chain 902: entry 2 is missing.",
    ]
    assert not list(audit.verify(0))


def test_another_key_makes_no_entry_that_fits(
    unlocked_chains: None, settings: LazySettings
) -> None:
    right, settings.AUDIT_KEY = settings.AUDIT_KEY, "a guess"
    write(901, random.Random(3))
    settings.AUDIT_KEY = right

    assert [flaw.number for flaw in audit.verify(901)] == [LENGTH + 1, LENGTH + 1]


def ends() -> dict[int, End]:
    walk = Verification()
    assert not list(walk.flaws())
    return walk.ends


@pytest.fixture
def anchors(unlocked_chains: None) -> Iterator[dict[int, End]]:
    return ends()


def test_an_anchor_finds_what_was_put_back_as_it_once_was(
    anchors: dict[int, End],
) -> None:
    before = AuditChain.objects.get(chain=901)
    write(901, random.Random(4))
    anchors = ends()
    AuditEntry.objects.filter(chain=901, number__gt=LENGTH).delete()
    AuditChain.objects.filter(chain=901).update(length=before.length, mac=before.mac)

    assert not list(audit.verify())
    [flaw] = Verification(anchors).flaws()
    assert (flaw.chain, flaw.number) == (901, LENGTH + 1)


def test_an_anchor_finds_a_chain_that_is_gone(anchors: dict[int, End]) -> None:
    AuditEntry.objects.filter(chain=902).delete()
    AuditChain.objects.filter(chain=902).delete()

    assert not list(audit.verify())
    [flaw] = Verification(anchors).flaws()
    assert (flaw.chain, flaw.number) == (902, LENGTH)
    assert not list(Verification(anchors).flaws(901))


def test_an_anchor_is_content_with_a_chain_that_grew(anchors: dict[int, End]) -> None:
    write(901, random.Random(5))

    assert not list(Verification(anchors).flaws())
    assert AuditEntry.objects.aggregate(longest=Max("number"))["longest"] == LENGTH + 1
