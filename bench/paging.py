"""``bench/pages``: every page with every filter, for big and small accounts, again and again.

Server time, without a network: what Django takes from request to answer. ``--explain`` prints the
plan of the slowest query of each page.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import django

django.setup()  # first: what follows imports models

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import Account  # noqa: E402
from bench.place import servers  # noqa: E402
from gateway import counters  # noqa: E402
from usage.log_store import Cursor  # noqa: E402
from usage.models import RequestLog  # noqa: E402

RANKS = [1, 3, 40, 200, 1000]  # the biggest account, one of extended retention, small ones
DEEP = 1000  # pages
ROWS = 50  # on one of them
TARGET_MS, TARGET_QUERIES = 150, 12


@dataclass
class Query:
    sql: str
    params: Any
    ms: float


@dataclass
class Page:
    """One address of one account: how long each answer took, and what it asked of PostgreSQL."""

    name: str
    url: str
    times: list[float] = field(default_factory=list)
    queries: int = 0
    slowest: Query = field(default_factory=lambda: Query("", None, 0.0))

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return sorted(self.times)[max(0, round(len(self.times) * 0.95) - 1)]


def pages_of(account: Account) -> Iterator[tuple[str, str]]:
    """Every page, and every filter of the log: common, rare, together, deep down, and absurd."""
    yield "overview", "/overview"
    for period in ("1h", "24h", "7d", "30d"):
        yield f"usage {period}", f"/usage?range={period}"
    yield "usage 30d, requests", "/usage?range=30d&show=requests"
    for dimension in ("key", "endpoint", "user"):
        yield f"usage 30d by {dimension}", f"/usage?range=30d&by={dimension}"
    for name, query in filters_of(account):
        yield f"logs {name}".strip(), f"/logs?{urlencode(query)}"
    newest = RequestLog.objects.filter(account=account)
    deep = newest[DEEP * ROWS : DEEP * ROWS + 1] or newest.reverse()[:1]
    for row in deep:
        yield "logs, deep down", f"/logs?before={Cursor(row.started_at, row.request_id)}"
        yield (
            "logs refused, deep down",
            (f"/logs?outcome=refused&before={Cursor(row.started_at, row.request_id)}"),
        )
        yield "one request", f"/logs/{row.request_id}"


def filters_of(account: Account) -> Iterator[tuple[str, dict[str, object]]]:
    row = RequestLog.objects.filter(account=account).first()
    assert row is not None
    yield "", {}
    for period in ("1h", "24h", "7d", "30d"):
        yield period, {"range": period}
    for outcome in ("ok", "refused", "upstream_error", "interrupted"):
        yield outcome, {"outcome": outcome}
    for status in (200, 429, 504, 418):
        yield f"status {status}", {"status": status}
    yield "model", {"model": row.model}
    yield "no such model", {"model": "nobody/nothing"}
    yield "key", {"key": row.api_key_id}
    yield "end user", {"q": row.end_user or "user-1"}
    yield "no such end user", {"q": "nobody"}
    yield "request id", {"q": row.request_id}
    yield "model and refused", {"model": row.model, "outcome": "refused"}
    yield "key and interrupted", {"key": row.api_key_id, "outcome": "interrupted"}
    yield "error text", {"error": "silent"}
    yield "no such error text", {"error": "needle"}
    yield "no such endpoint", {"endpoint": "models"}
    yield "30d and 504", {"range": "30d", "status": 504}


def measure(client: Client, page: Page, times: int) -> None:
    asked: list[Query] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            asked.append(Query(sql, params, 1000 * (time.perf_counter() - began)))

    for number in range(times + 1):
        asked.clear()
        began = time.perf_counter()
        with connection.execute_wrapper(note):
            status = client.get(page.url).status_code
        took = 1000 * (time.perf_counter() - began)
        if status != 200:
            raise SystemExit(f"{page.url} answers {status}")
        if number:  # the first one warms up
            page.times.append(took)
            page.queries = max(page.queries, len(asked))
            page.slowest = max(page.slowest, *asked, key=lambda query: query.ms)


def explain(page: Page) -> None:
    """The plan of the slowest query, without the tables in which nothing was looked for."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {page.slowest.sql}", page.slowest.params
        )
        lines = [line for (line,) in cursor]
    asked = page.slowest.sql % tuple(page.slowest.params or ())
    print(f"\n{page.name}: {page.slowest.ms:.1f} ms\n{asked:.500}")
    shown = lines if len(lines) <= 20 else [*lines[:14], "  …", *lines[-6:]]
    print(*(f"{line:.200}" for line in shown), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/pages", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--ranks", type=int, nargs="*", default=RANKS, help="accounts, by size")
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = False, ["testserver"]
    with servers():
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        accounts = list(Account.objects.order_by("pk"))
        everything: dict[str, list[Page]] = {}
        for rank in options.ranks:
            account = accounts[rank - 1]
            counters.restore(account.pk, account.epoch)  # as Redis has them of who sends requests
            client = Client()
            client.force_login(account.members.earliest("pk"))
            for name, url in pages_of(account):
                page = Page(f"{name} (account {rank})", url)
                gc.collect()
                measure(client, page, options.times)
                everything.setdefault(name, []).append(page)
        report(everything)
        if options.explain:
            for pages in everything.values():
                explain(max(pages, key=lambda page: page.slowest.ms))


def report(everything: dict[str, list[Page]]) -> None:
    """One line for each page: the worst of the accounts counts."""
    count = RequestLog.objects.count()
    print(f"{count:,} rows in the log\n\n| page | p50 ms | p95 ms | queries | slowest query ms |")
    print("|---|---:|---:|---:|---:|")
    for name, pages in everything.items():
        worst = max(pages, key=lambda page: page.p95)
        most = max(page.queries for page in pages)
        print(f"| {name} | {worst.p50:.0f} | {worst.p95:.0f} | {most} | {worst.slowest.ms:.0f} |")
    slow = [page for pages in everything.values() for page in pages if page.p95 > TARGET_MS]
    many = [
        page for pages in everything.values() for page in pages if page.queries > TARGET_QUERIES
    ]
    print("\nabove", f"{TARGET_MS} ms:", ", ".join(page.name for page in slow) or "none")
    print("above", f"{TARGET_QUERIES} queries:", ", ".join(page.name for page in many) or "none")


if __name__ == "__main__":
    main()
