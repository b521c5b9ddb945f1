"""Everything that is kept about an account, as a ZIP that is written while it is downloaded.

It is kept nowhere, so nothing expires or leaks. Secrets are not in it: of keys and invitations
there are only digests, which stay here.
"""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db.models import Model, QuerySet

from accounts.models import Account
from billing.models import Subscription
from dashboard.csv_download import lines

ACCOUNT = ["id", "name", "created_at", "suspended_at", "deletion_due_at"]
MEMBERS = ["user__email", "user__first_name", "role", "created_at"]
INVITATIONS = [
    *("email", "role", "invited_by__email", "created_at"),
    *("expires_at", "accepted_at", "withdrawn_at"),
]
HIDDEN = {"digest", "account", "mac", "sealed_secret", "sealed_previous_secret"}
README = """What is kept about the account “{name}”, as of {now:%Y-%m-%d %H:%M} UTC.

account.json       the account, its plan and limits
members.json       who belongs to it; invitations.json: who was invited
credits.json       what was credited to it, and whether Stripe has it
api_keys.json      its keys, without their secrets
webhooks.json      where it is told what happens, without the secrets
support.json       what it asked of support, with the answers
events.jsonl       what happened in the last 30 days, as it was told
audit.jsonl        what was done that matters for safety, oldest first
usage_hours.csv    requests and tokens, for each hour (UTC), key and model
request_log.csv    every request, as far back as the log is kept
"""


class Pipe(io.RawIOBase):
    """What is written waits until it is taken. A ZIP can be written without going back."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._waiting += piece
        return len(piece)

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def archive(account: Account, now: datetime) -> Iterator[bytes]:
    """The ZIP, piece by piece; a piece is held in memory, the whole never."""
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, pieces in contents(account, now):
            with whole.open(f"keyplex-account-{account.pk}/{name}", "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece.encode())
                    yield pipe.take()
    yield pipe.take()


def contents(account: Account, now: datetime) -> Iterator[tuple[str, Iterable[str]]]:
    """Each file by its name, with the lines in it."""
    yield "README.txt", [README.format(name=account.name, now=now)]
    yield "account.json", [written(about(account))]
    members = account.memberships.order_by("pk").values(*MEMBERS)
    yield "members.json", [written(list(members))]
    yield "invitations.json", [written(list(account.invitations.values(*INVITATIONS)))]
    yield "credits.json", [written(list(rows(account.credits.order_by("pk"))))]
    yield "api_keys.json", [written(list(rows(account.api_keys.order_by("pk"))))]
    yield "webhooks.json", [written(list(rows(account.webhook_endpoints.order_by("pk"))))]
    asked = account.support_requests.order_by("pk").prefetch_related("messages")
    yield "support.json", [written([one.as_told() for one in asked])]
    yield "events.jsonl", (f"{event.payload}\n" for event in account.events.order_by("sequence"))
    entries = account.audit_entries.order_by("number")
    yield "audit.jsonl", (json.dumps(row, default=str) + "\n" for row in rows(entries))
    yield "usage_hours.csv", table(account.usagehours.order_by("hour", "api_key_id", "model"))
    yield "request_log.csv", table(account.request_logs.order_by("started_at", "request_id"))


def about(account: Account) -> dict[str, object]:
    described: dict[str, object] = {name: getattr(account, name) for name in ACCOUNT}
    subscription = Subscription.objects.filter(account=account).select_related("plan").first()
    if subscription:
        described["plan"] = subscription.plan.name
        described["limits"] = subscription.plan.limits | subscription.limit_overrides
        described["subscription"] = next(rows(Subscription.objects.filter(account=account)))
    return described


def columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.fields if field.name not in HIDDEN]


def rows(found: QuerySet[Model]) -> Iterator[dict[str, object]]:
    """Rows as they are stored, without what is hidden, a few thousand at a time."""
    return iter(found.values(*columns(found.model)).iterator(chunk_size=2000))


def table(found: QuerySet[Model]) -> Iterator[str]:
    """The same as lines of CSV, the names first."""
    names = columns(found.model)
    yield lines([names])
    for row in rows(found):
        yield lines([[plain(row[name]) for name in names]])


def plain(value: object) -> object:
    """A value as a cell: moments in ISO 8601, structures as JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return value


def written(value: object) -> str:
    return json.dumps(value, default=str, indent=1, ensure_ascii=False) + "\n"


async def streamed(pieces: Iterator[bytes], at_least: int = 65536) -> AsyncIterator[bytes]:
    """The same pieces, larger, made in a thread: the database is asked without blocking others."""

    def next_piece() -> bytes:
        gathered = bytearray()
        for piece in pieces:
            gathered += piece
            if len(gathered) >= at_least:
                break
        return bytes(gathered)

    while piece := await sync_to_async(next_piece)():
        yield piece
