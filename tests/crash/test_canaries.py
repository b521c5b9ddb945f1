"""A plaintext key is nowhere but in the hand of its owner, whatever was done with it."""

from pathlib import Path

import httpx
import pytest
import redis
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import notices
from accounts.audit import SYSTEM
from accounts.models import Account, APIKey
from tests.gateway.conftest import load_catalog
from tests.gateway.site import Site
from tests.people import Issued, make_account, make_key, make_user
from tests.webhooks.conftest import at_home, receiver
from tests.webhooks.receivers import Receiver
from tests.webhooks.things import make_endpoint, tell, work
from usage.recorder import Recorder
from webhooks.models import Delivery, Endpoint

__all__ = ["at_home", "receiver"]
pytestmark = pytest.mark.t2
HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "hello"}]}
CHAT = "/v1/chat/completions"


def lives(client: httpx.Client, key: Issued, number: int) -> list[str]:
    """One key in all its fates; every plaintext that came of it."""
    client.headers["X-Forwarded-For"] = f"198.51.{number // 100}.{number % 100}"
    client.post(CHAT, headers=key.headers, json=HELLO)
    client.post(CHAT, headers={"x-api-key": key.plaintext}, json=HELLO | {"stream": True})
    client.post(CHAT, headers=key.headers, json={"model": "gpt-999"})
    client.post(CHAT, headers={"api-key": key.plaintext + "x"}, json=HELLO)
    client.post(f"{CHAT}?api_key={key.plaintext}", json=HELLO)
    found = [key.plaintext]
    if number % 3 == 0:
        successor, plaintext = key.api_key.rotate(by=SYSTEM, until=timezone.now())
        client.post(CHAT, headers=Issued(successor, plaintext).headers, json=HELLO)
        found.append(plaintext)
    elif number % 3 == 1:
        where = f"https://example.com/?key={key.plaintext}"
        client.post("/v1/leaked-key", json={"key": key.plaintext, "where": where})
    else:
        key.api_key.revoke(by=SYSTEM)
    client.post(CHAT, headers=key.headers, json=HELLO)
    return found


def everything_in_postgresql() -> str:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def everything_in_redis() -> bytes:
    client = redis.Redis.from_url(settings.REDIS_URL)
    found = b""
    for name in client.scan_iter():
        found += name + (client.dump(name) or b"")
    client.close()
    return found


def everything_in_files(folder: Path) -> bytes:
    """The data folder, but for the files of the servers themselves, which were asked above."""
    ours = [path for path in folder.rglob("*") if path.is_file() and "postgres" not in str(path)]
    return b"".join(path.read_bytes() for path in ours)


def tell_and_rotate(account: Account, receiver: Receiver) -> list[str]:
    """An endpoint that is told something, before and after a rotation; both its secrets."""
    endpoint, secret = make_endpoint(account, url=receiver.url)
    tell(account)
    work()
    secrets = [secret, endpoint.rotate()]
    tell(account)
    work()
    return [one.removeprefix("whsec_") for one in secrets]


def test_two_hundred_keys_and_twenty_secrets_leave_no_trace(
    transactional_db: None, tmp_path: Path, receiver: Receiver
) -> None:
    owner = make_user()
    account = make_account(owner)
    load_catalog()
    site = Site(output=tmp_path / "site.log", settings={"KEYPLEX_TRUSTED_PROXIES": "127.0.0.1"})
    site.start()
    site.see_catalog()
    plaintexts: list[str] = []
    with httpx.Client(base_url=site.url, timeout=60) as client:
        for number in range(200):
            plaintexts += lives(client, make_key(account), number)
        journal = everything_in_files(settings.JOURNAL_DIR)
        Recorder(settings.JOURNAL_DIR).run_once()
    assert site.stop() == 0
    secrets = [secret for _ in range(10) for secret in tell_and_rotate(account, receiver)]
    notices.send_due()
    pages = Client()
    pages.force_login(owner)
    paths = [
        "/keys",
        "/logs",
        "/webhooks",
        *(f"/webhooks/{pk}" for pk in Endpoint.objects.values_list("pk", flat=True)),
        *(f"/webhooks/deliveries/{pk}" for pk in Delivery.objects.values_list("pk", flat=True)),
        *(f"/keys/{pk}" for pk in APIKey.objects.values_list("pk", flat=True)),
    ]
    html = "".join(pages.get(path).content.decode() for path in paths)
    mails = "".join(f"{letter.subject}{letter.body}" for letter in mail.outbox)
    text = everything_in_postgresql() + html + mails
    raw = everything_in_redis() + everything_in_files(settings.INSTANCE.data) + journal
    raw += (tmp_path / "site.log").read_bytes()

    assert len(plaintexts) > 250
    assert "key_revoked" in text
    assert mails
    assert len(set(secrets)) == 20
    assert not [secret for secret in secrets if secret in text or secret.encode() in raw]
    assert not [key for key in plaintexts if key in text or key[4:] in text]
    assert not [key for key in plaintexts if key[4:].encode() in raw]
