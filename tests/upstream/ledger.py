"""The ledger check where the provider tells its side too: client, provider, rows and counters."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from tests.crash.ledger import PARTIAL, books, leases
from tests.people import Issued
from tests.provider import PROMPT_TOKENS
from tests.upstream.exchange import Trace
from usage.models import RequestLog


@dataclass
class Seen:
    """One request as its client saw it. ``who`` is the end user, another one each time."""

    who: str
    status: int | None = None  # None where no byte came
    request_id: str = ""
    tokens: int = 0
    complete: bool = False


def check_ledger(
    seen: Iterable[Seen], traces: Iterable[Trace], keys: Iterable[Issued], site: httpx.Client
) -> list[str]:
    """Everything that does not add up, in words (reliability.md, 3.0, 1 to 7)."""
    keys = list(keys)
    rows: dict[str, list[RequestLog]] = defaultdict(list)
    for row in RequestLog.objects.filter(account__in={key.account.pk for key in keys}):
        rows[row.end_user].append(row)
    sent: dict[str, int] = defaultdict(int)
    for trace in traces:
        who = trace.request.get("user", "")
        sent[who] = max(sent[who], trace.tokens)
    found = []
    for one in seen:
        if problem := difference(one, rows.pop(one.who, []), sent[one.who]):
            found.append(f"{one}: {problem}")
    found += [f"{who}: a row that no client asked for" for who in rows]
    for key in keys:
        found += account_differences(key, site)
    return found


def difference(one: Seen, rows: list[RequestLog], sent: int) -> str | None:
    """What is wrong about one request, of whose answer the provider sent so many tokens."""
    if len(rows) > 1:
        return f"{len(rows)} rows"
    if one.status is None:
        return None
    if not rows:
        return "no row"
    row = rows[0]
    told = f"{row.outcome} with {row.prompt_tokens} and {row.completion_tokens} tokens"
    if one.status != 200:
        return None if row.outcome != "ok" and not row.total_tokens else f"failed, but {told}"
    if one.complete:
        right = (row.outcome, row.prompt_tokens, row.completion_tokens)
        return None if right == ("ok", PROMPT_TOKENS, sent) else f"complete, but {told}"
    if row.outcome == "ok":  # all of it was sent, but the client left before it had read the end
        return None if row.completion_tokens == sent else f"{sent} tokens were sent, but {told}"
    if row.outcome not in PARTIAL:
        return f"partial, but {told}"
    slack = max(1, sent * 0.05)
    if not one.tokens - slack <= row.completion_tokens <= sent + slack:
        return f"{sent} tokens were sent and {one.tokens} arrived, but {told}"
    return None


def account_differences(key: Issued, site: httpx.Client) -> list[str]:
    """Rows, rollups, counters and ``/v1/usage`` of one account must agree, and nothing be open."""
    account = key.account.pk
    told = site.get("/v1/usage", headers=key.headers).json()["data"]["total_tokens"]
    counted = books(account) | {"usage": told}
    found = [f"account {account}: {counted}"] if len(set(counted.values())) > 1 else []
    if reserved := leases(account):
        found.append(f"account {account}: {reserved} reservations still open")
    return found
