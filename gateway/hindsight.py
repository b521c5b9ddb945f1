"""A call as its stored decision tells it: the steps that it took, the headers of its answer."""

from __future__ import annotations

from dataclasses import dataclass

from billing.limits import NAMES, SOFT, Limit
from gateway.decisions import Use
from gateway.explanations import Record
from gateway.policy import Fields, Row
from usage.models import Outcome, RequestLog

TONES = {"answered": "ok", "not configured": "", "switched off": ""}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, and how many milliseconds after the call began, where we know."""

    what: str
    at_ms: int | None = None
    outcome: str = ""  # of a route
    tone: str = ""


def steps(row: RequestLog, record: Record) -> list[Step]:
    """From the first byte of the request to the last one of the answer."""
    taken = [Step("Received", 0)]
    refused = row.outcome == Outcome.REFUSED
    if record.limits and (record.decided_ms is not None or refused):
        taken.append(Step("Refused" if refused else "Admitted", record.decided_ms))
    for tried in record.routes:
        name = f"{tried.provider} · {tried.model}" if tried.model else tried.provider
        status = f"{tried.outcome}, status {tried.status}" if tried.status else tried.outcome
        taken.append(Step(name, tried.began_ms, status, TONES.get(tried.outcome, "bad")))
        if tried.ms is not None and tried.began_ms is not None:
            taken.append(Step(f"{tried.provider} replied", tried.began_ms + tried.ms))
    if row.ttft_ms is not None:
        taken.append(Step("First token", row.ttft_ms))
    return [*taken, Step("Ended", row.latency_ms)]


def headers(row: RequestLog, record: Record) -> list[tuple[str, str]]:
    """Those of ours that the answer carried, told from the same decision as they were then."""
    told = {"x-request-id": row.request_id}
    if row.provider:
        told |= {
            "x-keyplex-model": row.model,
            "x-keyplex-provider": row.provider,
            "x-keyplex-attempts": str(row.attempts),
        }
    if record.left_out:
        told["x-keyplex-left-out"] = ", ".join(record.left_out)
    if record.translated:
        told["x-keyplex-translated"] = "chat"
    known = [use for use in record.limits if use.name.removeprefix(SOFT) in NAMES]
    rows = [Row(limit_of(use), use.scope) for use in known]
    lefts = [use.remaining for use in known]
    limits = Fields(rows).headers(int(row.started_at.timestamp()), known, lefts) if rows else []
    return [*told.items(), *((name.decode(), value.decode()) for name, value in limits)]


def limit_of(use: Use) -> Limit:
    return Limit(use.name, use.unit, use.window, use.limit, use.soft)
