"""``manage.py verify_audit``, and the same every night."""

import logging
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import audit
from accounts.audit import SYSTEM, Action, AuditChain, AuditEntry
from accounts.models import Account
from accounts.tasks import verify_audit
from tests.people import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts() -> list[Account]:
    """Two, whose chains can be tampered with."""
    accounts = [make_account(), make_account()]
    for account in accounts * 2:
        audit.record(account, Action.ACCOUNT_RENAMED, by=SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE accounts_auditchain DISABLE TRIGGER USER")
    return accounts


def verified(*options: str) -> str:
    said = StringIO()
    call_command("verify_audit", *options, stdout=said)
    return said.getvalue()


def test_it_says_how_much_it_has_verified(accounts: list[Account]) -> None:
    assert verified() == "6 entries in 2 chains.\n0 flaws.\n"
    assert verified("--account", str(accounts[0].pk)) == "3 entries in 1 chains.\n0 flaws.\n"


def test_it_names_each_flaw_and_fails(accounts: list[Account]) -> None:
    tampered, other = accounts
    tampered.audit_entries.filter(number=2).update(actor="nobody")
    tampered.audit_entries.filter(number=3).update(ip="192.0.2.1")
    said = StringIO()

    with pytest.raises(CommandError, match="2 flaws"):
        call_command("verify_audit", stdout=said)

    assert f"Chain {tampered.pk}: entry 2 is not what was written." in said.getvalue()
    assert f"Chain {tampered.pk}: entry 3 is not what was written." in said.getvalue()
    assert "0 flaws" in verified("--account", str(other.pk))


def test_an_anchor_shows_that_a_chain_was_cut_and_closed_again(
    accounts: list[Account], tmp_path: Path
) -> None:
    cut, anchor = accounts[0], tmp_path / "anchors.json"
    early = AuditChain.objects.get(chain=cut.pk)
    audit.record(cut, Action.ACCOUNT_RENAMED, by=SYSTEM)
    verified("--anchor", str(anchor))
    kept = anchor.read_text()
    cut.audit_entries.filter(number=early.length + 1).delete()
    AuditChain.objects.filter(chain=cut.pk).update(length=early.length, mac=early.mac)

    assert "0 flaws" in verified()
    with pytest.raises(CommandError, match="1 flaws"):
        verified("--anchor", str(anchor))
    assert anchor.read_text() == kept


def test_an_anchor_moves_on_with_the_chains(accounts: list[Account], tmp_path: Path) -> None:
    anchor = tmp_path / "anchors.json"
    verified("--anchor", str(anchor))
    before = anchor.read_text()
    audit.record(accounts[0], Action.ACCOUNT_RENAMED, by=SYSTEM)

    verified("--anchor", str(anchor), "--account", str(accounts[1].pk))
    assert anchor.read_text() == before
    verified("--anchor", str(anchor))
    assert anchor.read_text() != before
    assert list(tmp_path.iterdir()) == [anchor]


@pytest.mark.parametrize("text", ["", "[]", '{"x": [1, "00"]}', '{"1": [1, "zz"]}', '{"1": 3}'])
def test_a_file_that_holds_no_anchors_is_refused(tmp_path: Path, text: str) -> None:
    anchor = tmp_path / "anchors.json"
    anchor.write_text(text)

    with pytest.raises(CommandError, match="holds no anchors"):
        verified("--anchor", str(anchor))
    assert anchor.read_text() == text


def test_a_flaw_found_at_night_is_an_error_that_operators_see(
    accounts: list[Account], caplog: pytest.LogCaptureFixture
) -> None:
    accounts[0].audit_entries.filter(number=2).delete()

    with caplog.at_level(logging.ERROR):
        verify_audit()

    entry = AuditEntry.objects.get(chain=0)
    assert (entry.action, entry.details) == (Action.AUDIT_FLAWED, {"flaws": 1})
    assert entry.about == f"Chain {accounts[0].pk}: entry 2 is missing."
    assert "does not verify" in caplog.text


def test_a_quiet_night_leaves_nothing(accounts: list[Account]) -> None:
    verify_audit()

    assert not AuditEntry.objects.filter(chain=0).exists()
