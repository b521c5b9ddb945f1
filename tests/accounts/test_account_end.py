"""An account is exported whole and without secrets, and ends after a countdown."""

import asyncio
import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts import audit
from accounts.audit import SYSTEM, AuditEntry
from accounts.models import Account, APIKey, Membership, User
from billing.models import Credit, Subscription
from dashboard.account_deletion import SETTLED, delete_due_accounts
from dashboard.account_export import archive
from tests.accounts.test_team import browser_of
from tests.people import Issued, make_account, make_colleague, make_key, make_user
from tests.usage.calls import make_final
from usage.models import RequestLog, UsageHour
from usage.posting import post

pytestmark = pytest.mark.django_db(transaction=True)


def make_busy_account(owner: User, calls: int = 3) -> Issued:
    key = make_key(make_account(owner))
    mine = {"account_id": key.account.pk, "api_key_id": key.api_key.pk}
    post([make_final(**mine, end_user="=cmd()", model="m") for _ in range(calls)])
    return key


def due(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(deletion_due_at=timezone.now())


def settled(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(closed_at=timezone.now() - SETTLED)


def test_an_export_holds_everything_and_no_secret() -> None:
    owner = make_user()
    key = make_busy_account(owner)
    make_colleague(key.account, "viewer")
    make_busy_account(make_user("stranger"))
    words = {"words": "For Tuesday.", "reason": "r", "mode": "test", "currency": "usd"}
    Credit.objects.create(account=key.account, amount=1000, **words)

    whole = b"".join(archive(key.account, timezone.now()))

    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        files = {name.rpartition("/")[2]: opened.read(name).decode() for name in opened.namelist()}
    log = list(csv.DictReader(io.StringIO(files["request_log.csv"])))
    hours = list(csv.DictReader(io.StringIO(files["usage_hours.csv"])))
    assert len(log) == 3
    assert {row["end_user"] for row in log} == {"'=cmd()"}
    assert sum(int(row["requests"]) for row in hours) == 3
    assert json.loads(files["account.json"])["name"] == key.account.name
    assert len(json.loads(files["members.json"])) == 2
    assert [one["name"] for one in json.loads(files["api_keys.json"])] == ["Development"]
    assert [one["words"] for one in json.loads(files["credits.json"])] == ["For Tuesday."]
    assert json.loads(files["audit.jsonl"].splitlines()[0])["action"] == "account.opened"
    assert all(key.plaintext not in text and "digest" not in text for text in files.values())


def test_the_owner_downloads_it_and_nobody_else() -> None:
    owner = make_user()
    account = make_busy_account(owner).account
    colleagues = [make_colleague(account, role) for role in ("admin", "viewer")]

    async def download() -> tuple[dict[str, str], bytes]:
        client = AsyncClient()
        await client.aforce_login(owner)
        answer = await client.post("/settings/danger/export")
        body = b"".join([piece async for piece in answer.streaming_content])
        await sync_to_async(connections.close_all)()  # of the thread that asked the database
        return dict(answer.headers), body

    headers, body = asyncio.run(download())
    refused = [browser_of(user).post("/settings/danger/export") for user in colleagues]

    assert headers["Content-Type"] == "application/zip"
    assert "attachment" in headers["Content-Disposition"]
    assert "no-store" in headers["Cache-Control"]
    assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None
    assert {answer.status_code for answer in refused} == {403}
    assert AuditEntry.objects.filter(action="account.exported").count() == 1


def test_a_deletion_counts_down_before_everybody_and_can_be_called_off() -> None:
    owner = make_user()
    account = make_busy_account(owner).account
    colleague = make_colleague(account, "admin")
    browser = browser_of(owner)

    wrong = browser.post("/settings/danger/account", {"name": "another"})
    browser.post("/settings/danger/account", {"name": account.name})
    seen = browser_of(colleague).get("/team").content.decode()
    refused = browser_of(colleague).post("/settings/danger/account/keep")
    letters = {(letter.to[0], letter.subject) for letter in mail.outbox}
    browser.post("/settings/danger/account/keep")

    account.refresh_from_db()
    assert wrong.status_code == 422
    assert "will be deleted on" in seen
    assert refused.status_code == 403
    assert {to for to, _ in letters} == {owner.email, colleague.email}
    assert account.deletion_due_at is None
    assert "will be deleted on" not in browser.get("/team").content.decode()
    actions = list(AuditEntry.objects.filter(account=account).values_list("action", flat=True))
    assert {"account.deletion_scheduled", "account.deletion_cancelled"} <= set(actions)


def test_nothing_happens_before_the_day() -> None:
    key = make_busy_account(make_user())
    key.account.schedule_deletion(by=SYSTEM)
    Account.objects.update(deletion_due_at=timezone.now() + timedelta(minutes=1))

    delete_due_accounts()

    key.api_key.refresh_from_db()
    assert key.api_key.revoked_at is None
    assert Membership.objects.count() == 1


def test_at_the_end_keys_are_refused_then_everything_is_gone_however_often_it_runs() -> None:
    owner, stranger = make_user(), make_user("stranger")
    key, other = make_busy_account(owner), make_busy_account(stranger)
    key.account.schedule_deletion(by=SYSTEM)
    due(key.account)
    epoch = key.account.epoch

    delete_due_accounts()
    delete_due_accounts()

    account = Account.objects.get(pk=key.account.pk)
    assert account.epoch > epoch
    assert APIKey.objects.get(pk=key.api_key.pk).revoked_at
    assert not Membership.objects.filter(account=account).exists()
    assert RequestLog.objects.filter(account=account).count() == 3

    settled(account)
    delete_due_accounts()
    delete_due_accounts()

    gone = key.account.pk
    assert not Account.objects.filter(pk=gone).exists()
    assert not Subscription.objects.filter(account_id=gone).exists()
    assert not RequestLog.objects.filter(account_id=gone).exists()
    assert not UsageHour.objects.filter(account_id=gone).exists()
    assert RequestLog.objects.filter(account=other.account).count() == 3
    [entry] = AuditEntry.objects.filter(chain=0, action="account.deleted")
    assert entry.actor == "system"
    assert not list(audit.verify())
    assert "is deleted" in mail.outbox[-1].subject


def test_whoever_has_no_account_left_opens_another(client: Client) -> None:
    owner = make_user()
    key = make_busy_account(owner)
    key.account.schedule_deletion(by=SYSTEM)
    due(key.account)
    delete_due_accounts()
    client.force_login(owner)

    before = client.get("/overview")
    client.post("/settings/account/open")
    client.post("/settings/account/open")

    assert before.status_code == 403
    assert "Open an account" in before.content.decode()
    assert client.get("/overview").status_code == 200
    assert Membership.objects.filter(user=owner, role="owner").count() == 1


def test_a_user_who_owns_nothing_can_be_deleted_and_an_owner_cannot(client: Client) -> None:
    owner = make_user()
    account = make_account(owner)
    colleague = make_colleague(account)
    client.force_login(colleague)

    refused = browser_of(owner).post("/settings/danger/user", {"name": owner.email})
    client.post("/settings/danger/user", {"name": "somebody else"})
    still = User.objects.filter(pk=colleague.pk).exists()
    client.post("/settings/danger/user", {"name": colleague.email})

    assert "never without an owner" in refused.content.decode()
    assert User.objects.filter(pk=owner.pk).exists()
    assert still
    assert not User.objects.filter(pk=colleague.pk).exists()
    assert client.get("/settings").status_code == 302
    last = AuditEntry.objects.filter(account=account).latest("number")
    assert (last.action, last.actor) == ("member.left", colleague.email)
