"""``GET events``: what happened to an account, in order, for programs that ask instead of being
told by a webhook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from accounts.scopes import Scope
from gateway import database
from gateway.call import Call
from gateway.errors import InvalidRequest
from gateway.usage_inquiry import number, wrong
from webhooks.event_types import EventType
from webhooks.models import Event

if TYPE_CHECKING:
    from gateway.asgi import Gateway

PARAMETERS = ("after", "limit", "type")
MOST = 100
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Events of an account after the one with this id, of one type if one is named."""

    after: str
    limit: int
    type: str


async def events(gateway: Gateway, call: Call) -> None:
    """The events themselves, as a webhook delivers them; asking uses nothing."""
    meter = await gateway.authenticate(call, "events")
    meter.require(Scope.USAGE_READ)
    inquiry = parse(call.query)
    document = await database.query(answer, meter.caller.account_id, inquiry)
    await gateway.show_limits(meter)
    await call.answer(200, _encode(document))


def parse(query: bytes) -> Inquiry:
    """The parameters, checked. Raises InvalidRequest with the one that is wrong."""
    asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    for name in asked:
        if name not in PARAMETERS:
            raise wrong(name[:100], f"is not known; known are {', '.join(PARAMETERS)}")
    kind = asked.get("type", "")
    if kind and kind not in EventType.values:
        raise wrong("type", f"must be one of {', '.join(EventType.values)}")
    limit = number("limit", asked["limit"]) if "limit" in asked else MOST
    if not 1 <= limit <= MOST:
        raise wrong("limit", f"must be from 1 to {MOST}")
    return Inquiry(asked.get("after", "").replace("\0", ""), limit, kind)


def answer(account_id: int, inquiry: Inquiry) -> dict[str, Any]:
    """``next`` is the id with which to go on. Raises InvalidRequest for an unknown event."""
    mine = Event.objects.filter(account_id=account_id, test=False)
    found = mine.filter(type=inquiry.type) if inquiry.type else mine
    if inquiry.after:
        found = found.filter(sequence__gt=sequence_of(account_id, inquiry.after))
    rows = list(found.order_by("sequence")[: inquiry.limit + 1])
    shown = rows[: inquiry.limit]
    return {
        "object": "list",
        "data": [msgspec.Raw(event.payload.encode()) for event in shown],
        "has_more": len(rows) > len(shown),
        "next": shown[-1].pk if shown else inquiry.after or None,
    }


def sequence_of(account_id: int, event_id: str) -> int:
    event = Event.objects.filter(account_id=account_id, pk=event_id).first()
    if event is None:
        raise InvalidRequest(
            "'after' names no event of this account. Events are kept for 30 days; without 'after' "
            "the list begins with the oldest one.",
            code="unknown_event",
            param="after",
        )
    return event.sequence
