"""What the list of requests can show of each, and what it shows to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts.models import User
from dashboard.entries import Entry
from dashboard.models import LogColumns
from dashboard.templatetags.figures import duration, exact


@dataclass(frozen=True, slots=True)
class Column:
    """``classes`` say how it stands, and on how small a screen it no longer does."""

    name: str
    label: str
    text: Callable[[Entry], str]
    classes: str = "wide"
    code: bool = False
    usual: bool = False


COLUMNS = {
    column.name: column
    for column in [
        Column("endpoint", "Request", lambda e: e.row.endpoint, "wide endpoint", usual=True),
        Column("model", "Model", lambda e: e.model, "cut wider", code=True, usual=True),
        Column("key", "Key", lambda e: e.key_name, "wide cut", usual=True),
        Column("outcome", "Outcome", lambda e: e.word, "", usual=True),
        Column("error", "Error", lambda e: e.row.error_message, "cut wide"),
        Column("error_code", "Error code", lambda e: e.row.error_code, "wide", code=True),
        Column("asked", "Model asked for", lambda e: e.row.requested_model, "cut wide", code=True),
        Column("provider", "Provider", lambda e: e.row.provider),
        Column("attempts", "Attempts", lambda e: str(e.row.attempts), "num wide"),
        Column("end_user", "End user", lambda e: e.row.end_user, "cut wide", code=True),
        Column("ip", "Address", lambda e: e.row.ip, "wide", code=True),
        Column("client", "Client", lambda e: e.row.user_agent, "cut wide"),
        Column("streamed", "Streamed", lambda e: "streamed" if e.row.streamed else ""),
        Column("prompt", "Prompt", lambda e: exact(e.row.prompt_tokens), "num wide"),
        Column("completion", "Completion", lambda e: exact(e.row.completion_tokens), "num wide"),
        Column("tokens", "Tokens", lambda e: exact(e.row.total_tokens), "num wide", usual=True),
        Column("ttft", "First token", lambda e: duration(e.row.ttft_ms), "num wide"),
        Column("took", "Took", lambda e: duration(e.row.latency_ms), "num", usual=True),
        Column("id", "Request id", lambda e: e.row.request_id, "wide", code=True),
    ]
}
USUAL = [column for column in COLUMNS.values() if column.usual]


def columns_of(user: User) -> list[Column]:
    """The columns of their choice, in our order; the usual ones until they choose."""
    chosen = LogColumns.objects.filter(user=user).first()
    return named(chosen.names) if chosen else USUAL


def named(names: Iterable[str]) -> list[Column]:
    wanted = set(names)
    return [column for column in COLUMNS.values() if column.name in wanted]
