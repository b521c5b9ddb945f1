"""Who leads an account can read, verify and take out what was done to it; nobody else can."""

import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from accounts import audit
from accounts.audit import SYSTEM, Action, Actor, AuditEntry
from accounts.models import Account, Membership
from tests.dashboard.conftest import Scene, browser_of, part, text_of
from tests.people import make_colleague, make_key

SCRIPT = "<script>alert(1)</script>"


def acts_on(page: bytes) -> list[int]:
    return [int(number) for number in re.findall(r'id="act-(\d+)"', page.decode())]


def link(page: bytes, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page.decode())
    return "/audit" + found[1].replace("&amp;", "&") if found else ""


def do(account: Account, times: int = 1, **said: object) -> None:
    for _ in range(times):
        defaults = {"action": Action.ACCOUNT_RENAMED, "by": SYSTEM, "about": "it"}
        audit.record(account, **(defaults | said))  # type: ignore[arg-type]


@pytest.fixture
def account(scene: Scene) -> Account:
    return scene.key.account


def test_the_owner_reads_what_was_done_by_whom_and_from_where(
    scene: Scene, account: Account
) -> None:
    by = Actor("olga@example.com", 7, "192.0.2.7")
    do(account, action=Action.API_KEY_CHANGED, by=by, about="CI (kp_…)", scopes=["chat:write"])

    page = scene.owner.get("/audit").content.decode()

    assert "permissions changed" in page
    assert "olga@example.com, user 7, from 192.0.2.7" in page
    assert "CI (kp_…)" in page
    assert "<b>chat:write</b>" in page


@pytest.mark.parametrize("role", Membership.Role.values)
def test_only_those_who_lead_the_account_read_it(account: Account, role: str) -> None:
    owner = account.members.get(memberships__role="owner")
    colleague = browser_of(owner if role == "owner" else make_colleague(account, role))
    leads = role in {"owner", "admin"}

    for answer in (colleague.get("/audit"), export(colleague, "csv")):
        assert answer.status_code == (200 if leads else 403)
    assert ('href="/audit"' in colleague.get("/overview").content.decode()) is leads


def test_a_stranger_sees_their_own_log_only(scene: Scene, account: Account) -> None:
    do(account, about="a secret of ours")

    for query in ("", "?q=secret", "?acts=account", "?before=999999", "?verify=1"):
        assert "a secret of ours" not in scene.stranger.get(f"/audit{query}").content.decode()
    assert "a secret of ours" not in body_of(export(scene.stranger, "jsonl"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=PROD", ["one"]),
        ("actor=olga", ["two"]),
        ("acts=keys", ["one"]),
        ("acts=sign-in", ["two"]),
        ("acts=sign-in&q=nothing", []),
        ("range=1h", ["one", "two"]),
        ("start=2020-01-02T00:00&end=2020-01-03T00:00", []),
    ],
)
def test_a_filter_shows_what_it_says(
    scene: Scene, account: Account, query: str, found: list[str]
) -> None:
    do(account, action=Action.API_KEY_REVOKED, about="production")
    one = account.audit_entries.latest("number").number
    do(account, action=Action.USER_SIGNED_IN, by=Actor("olga@example.com"), about="olga")
    numbers = {"one": one, "two": one + 1}

    shown = acts_on(scene.owner.get(f"/audit?{query}").content)

    assert [number for number in shown if number >= one] == [numbers[name] for name in found][::-1]


def test_a_filter_that_makes_no_sense_is_explained(scene: Scene) -> None:
    answer = scene.owner.get("/audit?acts=splendid")

    assert answer.status_code == 422
    assert "There are no acts called “splendid”." in text_of(answer)


def test_walking_down_and_up_meets_every_act_once(scene: Scene, account: Account) -> None:
    do(account, times=120)
    every = list(account.audit_entries.order_by("-number").values_list("number", flat=True))

    page = scene.owner.get("/audit").content
    down = [acts_on(page)]
    while older := link(page, "next"):
        page = scene.owner.get(older).content
        down.append(acts_on(page))
    up = [down[-1]]
    while newer := link(page, "prev"):
        page = scene.owner.get(newer).content
        up.append(acts_on(page))

    assert [number for numbers in down for number in numbers] == every
    assert sorted({number for numbers in up for number in numbers}, reverse=True) == every
    assert up[-1] == down[0]


def test_of_a_new_key_only_what_was_chosen_is_told_and_moments_are_readable(
    scene: Scene, account: Account
) -> None:
    key = make_key(account).api_key
    page = text_of(scene.owner.get("/audit"))
    key.change(by=SYSTEM, expires_at=datetime(2031, 5, 6, 7, 8, tzinfo=UTC))
    key.change(by=SYSTEM, expires_at=None)
    changed = text_of(scene.owner.get("/audit"))

    assert "Key created" in page
    assert "none" not in page
    assert "expires at: 6 May 2031, 07:08 UTC" in changed
    assert "expires at: never" in changed


def test_nothing_matches_is_said(scene: Scene) -> None:
    assert "Nothing matches" in text_of(scene.owner.get("/audit?q=never-done"))


def test_htmx_gets_the_list_alone_and_a_url_to_share(scene: Scene) -> None:
    answer = scene.owner.get("/audit?q=&actor=&acts=keys&range=", headers=part("audit"))

    assert answer["HX-Push-Url"] == "/audit?acts=keys"
    assert b"<html" not in answer.content


def test_the_log_is_verified_when_somebody_asks(scene: Scene, account: Account) -> None:
    before = text_of(scene.owner.get("/audit"))
    whole = text_of(scene.owner.get("/audit?verify=1"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
    account.audit_entries.filter(number=2).update(actor="nobody")
    broken = scene.owner.get("/audit?verify=1", headers=part("verified"))

    number = account.audit_entries.count()
    assert "none changed" not in before
    assert f"{number} entries, none changed, added or missing." in whole
    assert "Entry 2 is not what was written." in text_of(broken)
    assert b"<html" not in broken.content


def export(browser: Client, file_format: str, **asked: str) -> StreamingHttpResponse:
    """As ASGI serves it, where the file is written while it is sent."""
    client = AsyncClient()
    client.cookies = browser.cookies
    form = {"format": file_format, **asked}
    return async_to_sync(client.post)("/audit/export", form)  # type: ignore[return-value]


def body_of(answer: StreamingHttpResponse) -> str:
    async def read() -> bytes:
        return b"".join([piece async for piece in answer])  # type: ignore[union-attr]

    return async_to_sync(read)().decode()


def test_an_export_holds_every_act_and_is_one_itself(scene: Scene, account: Account) -> None:
    do(account, times=3, about="Zoë", number_of_things=10**20)

    text = body_of(export(scene.owner, "jsonl"))

    acts = [json.loads(line) for line in text.splitlines()]
    assert [act["number"] for act in acts] == list(range(len(acts), 0, -1))
    assert acts[0]["action"] == Action.AUDIT_EXPORTED
    assert acts[0]["details"] == {"format": "jsonl"}
    assert acts[1]["about"] == "Zoë"
    assert acts[1]["details"] == {"number_of_things": 10**20}
    assert acts[1]["mac"] == bytes(account.audit_entries.get(number=acts[1]["number"]).mac).hex()


def test_a_filtered_export_holds_what_the_page_shows(scene: Scene, account: Account) -> None:
    do(account, about='a "quoted", name')
    do(account, about="=HYPERLINK(1)")

    answer = export(scene.owner, "csv", q="quoted")
    rows = list(csv.DictReader(io.StringIO(body_of(answer))))
    formula = list(csv.DictReader(io.StringIO(body_of(export(scene.owner, "csv", q="=HYPER")))))

    assert [row["about"] for row in rows] == ['a "quoted", name']
    assert [row["about"] for row in formula] == ["'=HYPERLINK(1)"]
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    exported = account.audit_entries.filter(action=Action.AUDIT_EXPORTED).earliest("number")
    assert exported.details == {"format": "csv", "q": "quoted"}


@pytest.mark.parametrize("form", [{}, {"format": "exe"}, {"format": "csv", "acts": "splendid"}])
def test_what_cannot_be_exported_is_not(scene: Scene, form: dict[str, str]) -> None:
    assert scene.owner.post("/audit/export", form).status_code == 404
    assert scene.owner.get("/audit/export").status_code == 405
    assert not AuditEntry.objects.filter(action=Action.AUDIT_EXPORTED).exists()


def test_what_somebody_calls_themselves_is_never_markup(scene: Scene, account: Account) -> None:
    do(account, by=Actor(SCRIPT), about=SCRIPT, name=SCRIPT)

    assert SCRIPT not in scene.owner.get("/audit").content.decode()


def test_the_page_asks_the_database_no_more_for_many_acts_than_for_a_few(
    scene: Scene, account: Account
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert scene.owner.get("/audit").status_code == 200
        return len(captured)

    scene.owner.get("/audit")
    few = queries()
    do(account, times=60)

    assert queries() == few <= 12
