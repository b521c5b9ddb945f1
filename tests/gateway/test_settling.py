"""However a call ends, what it had reserved becomes what it used: nothing stays held."""

import random
import socket
import time

import pytest
import redis
from django.conf import settings
from django.db.models import Sum

from accounts import epochs
from tests.gateway import burst
from tests.gateway.site import Site
from tests.people import Issued, make_key
from usage.models import RequestLog
from usage.recorder import Recorder

WORDS = "four" * 12  # tokens that keyplex/slow takes 0.6 s to say
EVERYTHING = b""
ENDS: dict[str, tuple[str, bool, bytes | None]] = {  # model, streamed, read until; None: nothing
    "answered": ("keyplex/echo", False, EVERYTHING),
    "streamed": ("keyplex/echo", True, EVERYTHING),
    "provider refuses": ("keyplex/429", False, EVERYTHING),
    "provider fails": ("keyplex/503", True, EVERYTHING),
    "provider talks nonsense": ("keyplex/bad-json", False, EVERYTHING),
    "provider breaks off": ("keyplex/midstream-error", True, EVERYTHING),
    "client leaves at once": ("keyplex/slow", False, None),
    "client leaves before a stream": ("keyplex/slow", True, None),
    "client leaves the status": ("keyplex/slow", True, b"\r\n\r\n"),
    "client leaves the stream": ("keyplex/slow", True, b"four"),
}


def end(site: Site, key: Issued, how: str) -> None:
    model, streamed, until = ENDS[how]
    message = {"role": "user", "content": WORDS}
    body = {"model": model, "messages": [message], "stream": streamed, "max_tokens": 500}
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(burst.request(key.plaintext, body))
        received = b""
        while until is not None and (until == EVERYTHING or until not in received):
            if not (some := connection.recv(65536)):
                break
            received += some
        if until is None:
            time.sleep(0.1)  # so that it is admitted


def check(key: Issued) -> None:
    """Once all calls are over, counters and rows tell the same, and nothing is reserved."""
    Recorder(settings.JOURNAL_DIR).run_once()
    rows = RequestLog.objects.filter(account_id=key.account.pk, admitted=True)
    charged = rows.aggregate(n=Sum("prompt_tokens") + Sum("completion_tokens"))["n"] or 0
    counters, leases = counted(key)
    assert leases == 0
    assert counters == {"dr": rows.count(), "dt": charged}


def counted(key: Issued) -> tuple[dict[str, int], int]:
    names = ["dr", "dt"]
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        name = epochs.key(key.account.pk)
        values = server.hmget(name, names)
        counts = [int(value or 0) for value in values]  # none where nothing was ever admitted
        return dict(zip(names, counts, strict=True)), server.zcard(f"{name}:leases")


def wait_until_settled(key: Issued) -> None:
    """What never comes is found by the assertions that follow."""
    for _ in range(50):
        time.sleep(0.1)
        if counted(key)[1] == 0:
            return


@pytest.mark.parametrize("how", ENDS)
def test_nothing_stays_reserved(site: Site, how: str) -> None:
    key = make_key()

    end(site, key, how)
    wait_until_settled(key)

    check(key)


@pytest.mark.t2
def test_nothing_stays_reserved_after_a_thousand_ends_of_any_kind(site: Site) -> None:
    key, choose = make_key(), random.Random(6)

    for how in choose.choices(list(ENDS), k=1000):
        end(site, key, how)
    wait_until_settled(key)

    check(key)
    assert RequestLog.objects.filter(account_id=key.account.pk).count() == 1000
