"""Whatever is wrong with an installation, the doctor names it, and what to do about it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as real
from django.core.cache import cache
from django.db import connection

from accounts.audit import SYSTEM
from billing import price_sync
from billing.models import Plan, Price
from billing.stripe_access import StripeAccess
from dashboard import signs_of_life
from dashboard.doctor import of_host, of_product, of_settings, of_stores, of_work
from dashboard.doctor.examination import system_checks
from dashboard.doctor.finding import Check
from dashboard.instance import ROOT
from gateway.models import LanguageModel, ModelRoute
from tests.billing.conftest import paying, stripe_process, stripe_server
from tests.billing.paying import Paying
from tests.gateway.conftest import load_catalog
from tests.gateway.site import free_port
from usage.recorder import Recorder

__all__ = ["paying", "stripe_process", "stripe_server"]
SECRET = "sk_test_" + "a" * 24


def broken(check: Check) -> str:
    """What is broken, and the remedies."""
    return "\n".join(str(found) for found in check() if found.state == "broken")


def states(check: Check) -> list[str]:
    return [finding.state for finding in check()]


@pytest.fixture
def public(settings: Any) -> Any:
    """The settings of an installation that others reach, as they should be."""
    settings.PUBLIC_URL, settings.ONLY_HERE = "https://keyplex.example", False
    settings.OVER_TLS, settings.MAILBOX_OPEN, settings.DEBUG = True, False, False
    return settings


def test_a_public_address_without_tls_is_broken(public: Any) -> None:
    assert states(of_settings.address) == ["fine"]

    public.PUBLIC_URL, public.OVER_TLS = "http://keyplex.example", False

    assert "KEYPLEX_URL=https" in broken(of_settings.address)


def test_debug_pages_are_for_this_machine_only(public: Any) -> None:
    public.DEBUG = True
    assert "KEYPLEX_DEBUG" in broken(of_settings.debug)

    public.ONLY_HERE = True
    assert states(of_settings.debug) == ["look"]


def test_a_mailbox_that_the_world_reads_is_broken(public: Any) -> None:
    assert "KEYPLEX_SMTP_HOST" in broken(of_settings.mail)

    public.MAILBOX_OPEN = True

    assert "Unset KEYPLEX_MAILBOX" in broken(of_settings.mail)


def test_a_mail_server_that_does_not_answer_is_broken(public: Any) -> None:
    public.EMAIL_HOST, public.EMAIL_PORT = "127.0.0.1", free_port()
    public.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    assert f"127.0.0.1:{public.EMAIL_PORT}" in broken(of_settings.mail)


def test_secrets_are_long_each_another_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(of_settings.secrets) == ["fine"]

    monkeypatch.setenv("KEYPLEX_AUDIT_KEY", "short")
    monkeypatch.setenv("KEYPLEX_MFA_KEY", "x" * 40)
    monkeypatch.setenv("KEYPLEX_WEBHOOK_KEY", "x" * 40)
    file = real.INSTANCE.data / "secrets.json"
    file.chmod(0o644)
    said = broken(of_settings.secrets)
    file.chmod(0o600)

    assert "KEYPLEX_AUDIT_KEY is shorter than 32" in said
    assert "mfa_key, webhook_key are one and the same" in said
    assert f"chmod 600 {file}" in said


def test_a_database_that_is_behind_or_ahead_is_broken(db: None) -> None:
    assert states(of_stores.postgresql) == states(of_stores.migrations) == ["fine"]
    assert states(of_stores.clock) == ["fine"]

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'usage' AND name LIKE '0010%'")
        behind = broken(of_stores.migrations)
        cursor.execute("INSERT INTO django_migrations VALUES (DEFAULT, 'usage', '9999_new', now())")
        ahead = broken(of_stores.migrations)

    assert "usage.0010" in behind
    assert behind.endswith("manage.py migrate")
    assert "newer version (usage.9999_new)" in ahead


def test_a_redis_that_throws_keys_away_is_broken() -> None:
    assert states(of_stores.redis) == ["fine", "fine"]

    with redis.Redis.from_url(real.REDIS_URL) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        said = broken(of_stores.redis)
        client.config_set("maxmemory-policy", "noeviction")

    assert "CONFIG SET maxmemory-policy noeviction" in said


def test_a_journal_that_cannot_be_written_is_broken(tmp_path: Path, settings: Any) -> None:
    settings.JOURNAL_DIR = tmp_path / "journal"
    assert states(of_host.journal) != ["broken"]

    (tmp_path / "file").touch()
    settings.JOURNAL_DIR = tmp_path / "file" / "journal"

    assert "cannot be written" in broken(of_host.journal)


@pytest.fixture
def recorder(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Recorder]:
    """One that runs."""
    settings.JOURNAL_DIR = tmp_path
    recorder = Recorder(tmp_path)

    def run() -> None:
        recorder.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield recorder
    recorder.stop()
    thread.join()


def test_a_recorder_that_is_missing_or_behind_is_broken(recorder: Recorder) -> None:
    while "The recorder runs" not in " ".join(map(str, of_host.recorder())):
        time.sleep(0.05)

    (real.JOURNAL_DIR / "rejected.jsonl").write_text("{}")
    with_rejected = states(of_host.recorder)
    recorder.stop()
    while "No recorder runs" not in broken(of_host.recorder):
        time.sleep(0.05)

    assert with_rejected == ["fine", "look"]
    assert "manage.py record_usage" in broken(of_host.recorder)


def test_static_files_that_were_not_collected_are_missed(tmp_path: Path, settings: Any) -> None:
    assert states(of_host.static_files) == ["fine"]

    settings.STATIC_ROOT = tmp_path

    assert "manage.py collectstatic" in broken(of_host.static_files)


def test_a_site_that_does_not_answer_is_broken(settings: Any) -> None:
    settings.SELF_URL = f"http://127.0.0.1:{free_port()}"

    assert "does not answer" in broken(of_host.site)


def test_a_queue_without_a_worker_is_broken() -> None:
    said = broken(of_work.workers)

    for queue in signs_of_life.QUEUES:
        assert f"celery --app dashboard worker --queues {queue}" in said


def test_beat_must_have_been_seen_lately() -> None:
    assert "never seen" in broken(of_work.beat)

    cache.set(signs_of_life.KEY, time.time() - 600, timeout=None)
    assert "600 s ago" in broken(of_work.beat)

    signs_of_life.leave()
    assert states(of_work.beat) == ["fine"]


def test_the_first_model_needs_a_route(db: None) -> None:
    LanguageModel.objects.all().delete()
    assert "manage.py load_catalog" in broken(of_product.catalogue)

    load_catalog()
    assert broken(of_product.catalogue) == ""

    for route in ModelRoute.objects.filter(model__model_id=real.PRODUCT.first_model):
        route.switch_off(by=SYSTEM)
    assert f"{real.PRODUCT.first_model} has no route" in broken(of_product.catalogue)


def test_a_provider_without_credentials_is_worth_a_look(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_catalog()
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    [finding] = of_product.credentials()

    assert finding.state == "look"
    assert "ANTHROPIC_API_KEY" in finding.says


def test_prices_that_stripe_does_not_know_are_broken(paying: Paying) -> None:
    price_sync.sync()
    assert states(of_product.stripe) == ["fine", "fine"]

    Plan.objects.for_sale().update(unit_amount=12345)

    assert broken(of_product.stripe).endswith("manage.py sync_stripe")


def test_a_stripe_that_does_not_answer_or_cannot_be_heard_is_broken(public: Any, db: None) -> None:
    load_catalog()
    for plan in Plan.objects.for_sale():
        terms = {"unit_amount": plan.unit_amount, "interval_months": plan.interval_months}
        Price.objects.create(
            plan=plan, mode="live", currency=plan.currency, stripe_id=plan.slug, **terms
        )
    nowhere = f"http://127.0.0.1:{free_port()}"
    public.STRIPE = StripeAccess("live", SECRET, "too short", nowhere)

    assert "Stripe cannot be asked" in broken(of_product.stripe)
    assert "billing.E001" in broken(system_checks)


def test_without_its_servers_an_installation_is_told_so_line_by_line(tmp_path: Path) -> None:
    password = "correct-horse-battery"
    environment = os.environ | {
        "KEYPLEX_DATA": str(tmp_path),
        "DATABASE_URL": f"postgresql://keyplex:{password}@127.0.0.1:{free_port()}/keyplex",
        "REDIS_URL": f"redis://:{password}@127.0.0.1:{free_port()}/0",
    }
    command = [sys.executable, "manage.py", "doctor", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    lines = done.stdout.splitlines()

    assert done.returncode == 1
    assert {line.split()[0] for line in lines} <= {"broken", "look", "unknown"}
    assert sum("DATABASE_URL" in line for line in lines) == 1
    assert sum("REDIS_URL" in line for line in lines) == 1
    assert "unknown  migrations: needs PostgreSQL." in lines
    assert "Traceback" not in done.stdout + done.stderr
    assert password not in done.stdout + done.stderr
