"""A provider's credential can be set and used, and never be seen again."""

import logging
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from accounts.audit import CONSOLE, AuditEntry
from dashboard.doctor import of_product
from gateway.catalog import credential_of
from gateway.models import Provider
from gateway.providers import LONGEST_CREDENTIAL
from tests.operators import as_operator

pytestmark = pytest.mark.django_db
CREDENTIAL = "sk-proj-abcdefgh-wxyz"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """One with a credential in the environment already."""
    monkeypatch.setenv("ONE_API_KEY", "from-the-environment")
    return make_provider("one", credential_env="ONE_API_KEY")


def make_provider(slug: str, **fields: str) -> Provider:
    values = {"name": slug.title(), "base_url": f"https://{slug}.example/v1"} | fields
    return Provider.objects.create(slug=slug, **values)


def read_again(provider: Provider) -> Provider:
    return Provider.objects.get(pk=provider.pk)


def test_what_is_set_goes_before_the_environment_until_it_is_forgotten(provider: Provider) -> None:
    assert credential_of(provider) == "from-the-environment"

    provider.set_credential(f"  {CREDENTIAL}\n", by=CONSOLE)
    assert credential_of(read_again(provider)) == CREDENTIAL
    provider.forget_credential(by=CONSOLE)

    forgotten = read_again(provider)
    assert credential_of(forgotten) == "from-the-environment"
    assert (forgotten.sealed_credential, forgotten.credential_hint) == ("", "")
    assert forgotten.credential_set_at is None


def test_only_its_end_and_its_age_are_kept_in_the_open(provider: Provider) -> None:
    provider.set_credential(CREDENTIAL, by=CONSOLE)

    stored = Provider.objects.values().get(pk=provider.pk)
    assert (stored["credential_hint"], stored["credential_set_at"] is None) == ("wxyz", False)
    assert "abcdefgh" not in str(stored)


def test_of_a_short_one_not_even_the_end_is_kept(provider: Provider) -> None:
    provider.set_credential("none", by=CONSOLE)

    assert (read_again(provider).credential_hint, credential_of(provider)) == ("", "none")


def test_neither_the_record_nor_the_page_of_operators_shows_it(
    provider: Provider,
) -> None:
    client = as_operator(Client())
    provider.set_credential(CREDENTIAL, by=CONSOLE)

    page = client.get(f"/ops/gateway/provider/{provider.pk}/change/").content.decode()
    entry = AuditEntry.objects.values().latest("pk")

    assert "wxyz" in page
    for told in (page, str(entry)):
        assert "abcdefgh" not in told
        assert read_again(provider).sealed_credential not in told


def test_to_forget_what_was_never_set_is_not_on_record(provider: Provider) -> None:
    entries = AuditEntry.objects.count()

    provider.forget_credential(by=CONSOLE)

    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("pasted", "complaint"),
    [
        ("", "Paste the credential"),
        ("   \n", "Paste the credential"),
        ("Bearer sk-12345678", "Leave out the word Bearer"),
        ("sk-1234 5678", "without blanks"),
        ("sk-1234\r\nx-evil: 1", "without blanks"),
        ("sk-1234\x005678", "without blanks"),
        ("sk-“12345678”", "signs of ASCII"),
        ("s" * (LONGEST_CREDENTIAL + 1), "at most 2,000 characters"),
    ],
)
def test_what_cannot_be_one_is_refused_in_clear_words(
    provider: Provider, pasted: str, complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        provider.set_credential(pasted, by=CONSOLE)

    assert read_again(provider).sealed_credential == ""


def test_this_very_server_takes_none() -> None:
    here = make_provider("here", base_url="/sandbox/v1")

    with pytest.raises(ValidationError, match="asks itself"):
        here.set_credential(CREDENTIAL, by=CONSOLE)


def test_a_sealed_one_that_is_copied_to_another_provider_cannot_be_opened_there(
    provider: Provider,
) -> None:
    provider.set_credential(CREDENTIAL, by=CONSOLE)
    other = make_provider("other", sealed_credential=provider.sealed_credential)

    assert other.credential is None
    assert credential_of(other) is None


def test_under_another_key_it_counts_as_none_and_the_log_and_the_doctor_say_so(
    provider: Provider, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    provider.set_credential(CREDENTIAL, by=CONSOLE)
    sealed = provider.sealed_credential
    settings.PROVIDER_KEY = "another" * 8

    with caplog.at_level(logging.WARNING):
        assert credential_of(provider) is None
    found = [finding for finding in of_product.credentials() if finding.state == "broken"]

    assert "the credential of one was sealed under another key" in caplog.text
    assert CREDENTIAL not in caplog.text
    assert sealed not in caplog.text
    assert ["one" in finding.says for finding in found] == [True]
    assert "KEYPLEX_PROVIDER_KEY" in found[0].remedy


def test_the_catalogue_file_leaves_it_alone(provider: Provider, tmp_path: Path) -> None:
    provider.set_credential(CREDENTIAL, by=CONSOLE)
    file = tmp_path / "one.toml"
    file.write_text(
        '[[providers]]\nslug = "one"\nname = "Uno"\nbase_url = "https://uno.example/v1"\n'
    )

    call_command("load_catalog", str(file), stdout=StringIO())

    assert credential_of(read_again(provider)) == CREDENTIAL
