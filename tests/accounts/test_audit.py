"""What was done stays on record, and nobody can change the record unnoticed."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.audit import SYSTEM, Action, AuditEntry
from accounts.models import Account
from dashboard.instance import ROOT
from tests.people import make_account, make_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET actor = 'somebody else'",
        "DELETE FROM accounts_auditentry",
        "ALTER TABLE accounts_auditentry ENABLE TRIGGER audit_is_not_emptied;"
        "TRUNCATE accounts_auditentry",
        "DELETE FROM accounts_auditchain",
        "UPDATE accounts_auditchain SET length = length - 1",
        "UPDATE accounts_auditchain SET mac = ''",
        "UPDATE accounts_auditchain SET chain = chain + 1, length = length + 1",
        "ALTER TABLE accounts_auditchain ENABLE TRIGGER audit_chains_are_not_emptied;"
        "TRUNCATE accounts_auditchain",
    ],
)
def test_the_database_itself_refuses_to_change_the_record(statement: str) -> None:
    make_account()

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_acts_on_a_key_are_on_record_in_the_order_in_which_they_were_done() -> None:
    key = make_key().api_key
    key.limit({"requests_per_day": 5}, by=SYSTEM)
    key.revoke(by=SYSTEM)
    key.revoke(by=SYSTEM)

    acts = AuditEntry.objects.filter(account=key.account).order_by("number")

    assert [(entry.number, entry.action) for entry in acts] == [
        (1, Action.ACCOUNT_OPENED),
        (2, Action.API_KEY_CREATED),
        (3, Action.API_KEY_LIMITED),
        (4, Action.API_KEY_REVOKED),
    ]
    assert not list(audit.verify())


def test_what_was_not_done_is_not_on_record() -> None:
    account = make_account()

    with pytest.raises(RuntimeError):
        rename_in_vain(account)

    assert [entry.action for entry in account.audit_entries.all()] == [Action.ACCOUNT_OPENED]
    assert not list(audit.verify())


@transaction.atomic
def rename_in_vain(account: Account) -> None:
    audit.record(account, Action.ACCOUNT_RENAMED, by=SYSTEM)
    raise RuntimeError


def test_the_role_of_the_servers_can_add_and_nothing_else() -> None:
    account = make_account()
    sql = (ROOT / "docs" / "audit.md").read_text().partition("```sql\n")[2].partition("```")[0]
    forbidden = [
        "UPDATE accounts_auditentry SET actor = ''",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
        "ALTER TABLE accounts_auditentry DISABLE TRIGGER USER",
        "DELETE FROM accounts_auditchain",
        "ALTER TABLE accounts_auditchain DISABLE TRIGGER USER",
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE keyplex_app; {sql} SET LOCAL ROLE keyplex_app")
        audit.record(account, Action.ACCOUNT_RENAMED, by=SYSTEM)
        for statement in forbidden:
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
                refuse(statement)
        cursor.execute("RESET ROLE")

    assert not list(audit.verify())


@transaction.atomic
def refuse(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
