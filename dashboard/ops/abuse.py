"""Signs that somebody does not use the product but uses it up: farms, guessers, runaway keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import permission_required
from django.db import connection
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis import RedisError

from accounts.audit import Action, AuditEntry
from accounts.models import APIKey
from billing import clock
from billing.models import Trial
from dashboard.metrics.of_stores import link
from gateway.guesses import GUESSERS

WEEK, DAY = timedelta(days=7), timedelta(days=1)
FARM = 3  # trials from one network within a week
MOST = 20  # of each kind
TIMES = 10  # as much as usual
ENOUGH_TOKENS, ENOUGH_CALLS = 50_000, 100  # in an hour, to be worth a look
_RUNAWAYS = """
WITH lately AS (
    SELECT account_id, api_key_id, sum(requests) AS requests,
        sum(prompt_tokens + completion_tokens) AS tokens,
        sum(requests - ok) AS failed
    FROM usage_usagehour WHERE hour >= %(lately)s GROUP BY account_id, api_key_id
    HAVING sum(prompt_tokens + completion_tokens) >= %(tokens)s OR sum(requests) >= %(calls)s
)
SELECT lately.account_id, lately.api_key_id, lately.requests, lately.tokens, lately.failed,
    coalesce((
        SELECT sum(prompt_tokens + completion_tokens) FROM usage_usagehour AS past
        WHERE past.account_id = lately.account_id AND past.api_key_id = lately.api_key_id
            AND past.hour >= %(since)s AND past.hour < %(lately)s
    ), 0) / %(hours)s AS usual
FROM lately ORDER BY lately.tokens DESC LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Farm:
    """Trials that came from one network, of which we know a digest alone."""

    network: str
    trials: int
    newest: datetime
    emails: list[str]


@dataclass(frozen=True, slots=True)
class Runaway:
    """A key that does much more than usual, or hardly anything that works. Of one hour."""

    api_key: APIKey
    requests: int
    tokens: int
    failed: int
    usual: int

    @property
    def why(self) -> str:
        if self.failed * 10 >= self.requests * 9 and self.requests >= ENOUGH_CALLS:
            return "hardly a call is answered"
        if self.usual:
            return f"{self.tokens / self.usual:,.0f} times its usual hour"
        return "it was never used before"


def abuse_page(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    @permission_required("accounts.view_apikey", raise_exception=True)
    def abuse(request: HttpRequest) -> HttpResponse:
        context = {
            "title": "Abuse",
            "farms": farms(),
            "guessers": guessers(),
            "refused_sign_ins": refused_sign_ins(),
            "honey": acts(Action.API_KEY_HONEY_TRIED),
            "leaks": acts(Action.API_KEY_LEAKED),
            "runaways": runaways(),
        }
        return TemplateResponse(request, "ops/abuse.html", site.each_context(request) | context)

    return abuse


def farms() -> list[Farm]:
    rows: Any = Trial.objects.filter(created_at__gt=clock.now() - WEEK).exclude(network="")
    networks = (
        rows.order_by().values("network").annotate(trials=Count("pk"), newest=Max("created_at"))
    )
    found = networks.filter(trials__gte=FARM).order_by("-trials")[:MOST]
    return [
        Farm(row["network"], row["trials"], row["newest"], emails(row["network"])) for row in found
    ]


def emails(network: str) -> list[str]:
    theirs = Trial.objects.filter(network=network).order_by("-pk")
    return list(theirs.values_list("email", flat=True)[:5])


def guessers() -> list[tuple[str, int]] | None:
    """Addresses that tried too many wrong keys, and in how many minutes; None while unknown."""
    today = timezone.now()
    try:
        with link() as client:
            days = [client.hgetall(GUESSERS.format(f"{today - n * DAY:%Y-%m-%d}")) for n in (0, 1)]
    except RedisError:
        return None
    sums: dict[str, int] = {}
    for day in days:
        for address, times in day.items():
            sums[address.decode()] = sums.get(address.decode(), 0) + int(times)
    return sorted(sums.items(), key=lambda pair: -pair[1])[:MOST]


def refused_sign_ins() -> list[dict[str, Any]]:
    """Addresses from which several people's passwords or codes were tried in vain today."""
    rows: Any = AuditEntry.objects.filter(
        action=Action.USER_SIGN_IN_FAILED, at__gt=timezone.now() - DAY
    ).order_by()
    tried = rows.values("ip").annotate(people=Count("about", distinct=True), times=Count("pk"))
    return list(tried.filter(people__gte=2).order_by("-people")[:MOST])


def acts(action: Action) -> list[AuditEntry]:
    found = AuditEntry.objects.filter(action=action, at__gt=timezone.now() - WEEK)
    return list(found.order_by("-at")[:MOST])


def runaways() -> list[Runaway]:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    asked: dict[str, datetime | int] = {
        "lately": now,
        "since": now - WEEK,
        "hours": WEEK // timedelta(hours=1),
        "tokens": ENOUGH_TOKENS,
        "calls": ENOUGH_CALLS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUNAWAYS, asked)
        rows = {row[1]: tuple(int(number) for number in row[2:]) for row in cursor.fetchall()}
    keys = APIKey.objects.filter(pk__in=rows).select_related("account").in_bulk()
    found = [Runaway(keys[pk], *numbers) for pk, numbers in rows.items() if pk in keys]
    return [one for one in found if is_odd(one)][:MOST]


def is_odd(one: Runaway) -> bool:
    useless = one.requests >= ENOUGH_CALLS and one.failed * 10 >= one.requests * 9
    much = one.tokens >= ENOUGH_TOKENS and one.tokens > one.usual * TIMES
    return useless or much
