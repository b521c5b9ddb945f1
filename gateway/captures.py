"""What a key's owner wants to keep of requests and answers: chosen, redacted, written aside.

It happens after the answer, in a thread, and for a bounded number of calls at a time: whatever
goes wrong here, or is too much, costs the captured payload and never the request.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from accounts.features import CAPTURE
from accounts.models import APIKey
from gateway import sse
from gateway.redaction import Redaction
from usage.journal import Journal, JournalUnavailable, Payload

if TYPE_CHECKING:
    from gateway.call import Call

log = logging.getLogger(__name__)
MOST = 1 << 20  # bytes of a body that are looked at; a larger one is not kept
KEPT = 64 << 10  # characters that are stored of each
AT_A_TIME = 64
FAILED = frozenset({"client_error", "refused", "upstream_error", "interrupted"})
JOINED = frozenset({"content", "text", "refusal", "reasoning", "reasoning_content", "arguments"})


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be captured of the calls of one key."""

    which: str
    one_in: int
    redact: tuple[str, ...]
    days: int

    @classmethod
    def of(cls, api_key: APIKey) -> Choice | None:
        """None where nothing is."""
        if api_key.capture == APIKey.Capture.OFF:
            return None
        days = api_key.account.payload_days
        return cls(api_key.capture, api_key.capture_one_in, tuple(api_key.capture_redacts), days)

    def may_want(self, request_id: str) -> bool:
        """Before it is known how the call ends. The same id is always answered the same."""
        return self.which != "sampled" or int(request_id[-8:], 16) % self.one_in == 0

    def wants(self, request_id: str, outcome: str) -> bool:
        """``outcome`` is empty for a call that is in no log."""
        if not outcome or (self.which == "errors" and outcome not in FAILED):
            return False
        return self.may_want(request_id)


class Captures:
    """Payloads on their way into the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, call: Call) -> None:
        """Take what is wanted of a call that is over."""
        meter = call.meter
        choice = meter.caller.capture if meter else None
        if not meter or not choice or not choice.wants(call.request_id, meter.outcome):
            return
        if len(self._tasks) >= AT_A_TIME:
            log.warning("%s is not captured: too much at a time", call.request_id)
            return
        blank = Payload(
            request_id=call.request_id,
            started_at=call.started_at,
            account_id=meter.caller.account_id,
            api_key_id=meter.caller.api_key_id,
            days=choice.days,
        )
        answered = bytes(call.answered or b"")
        task = asyncio.create_task(self._write(blank, choice, call.received, answered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def written(self) -> None:
        """When all that was kept so far is in the journal."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)

    async def _write(self, blank: Payload, choice: Choice, asked: bytes, answered: bytes) -> None:
        try:
            payload = await asyncio.to_thread(
                filled, blank, Redaction(choice.redact), asked, answered
            )
            if payload:
                self._journal.note(payload)
        except JournalUnavailable as error:
            log.warning("%s is not captured: %s", blank.request_id, error)
        except Exception:
            log.exception("%s is not captured", blank.request_id)


def filled(blank: Payload, redaction: Redaction, asked: bytes, answered: bytes) -> Payload | None:
    """None while operators have switched capture off."""
    if CAPTURE.is_off:  # may ask Redis: therefore in a thread
        return None
    return msgspec.structs.replace(
        blank,
        request=kept(asked, redaction),
        response=kept(answered, redaction),
        request_bytes=len(asked),
        response_bytes=len(answered),
    )


def kept(body: bytes, redaction: Redaction) -> str:
    """A body as it may be stored: without secrets, an event stream put together, not too long."""
    if len(body) > MOST:
        return f"[larger than {MOST >> 10} KiB and not kept]"
    if body.lstrip().startswith((b"data:", b":")):
        body = msgspec.json.encode(joined(body))
    text = redaction.of_json(body)
    return text if len(text) <= KEPT else f"{text[:KEPT]}\n[cut after {KEPT >> 10} KiB]"


def joined(stream: bytes) -> list[Any]:
    """The events of a stream as one document: a secret in pieces must not pass unseen."""
    whole: dict[str, Any] = {}
    others: list[Any] = []
    for data in sse.Events().feed(stream + b"\n\n"):
        if data.strip() == sse.DONE:
            continue
        try:
            event = msgspec.json.decode(data)
        except msgspec.DecodeError:
            others.append(data.decode(errors="replace"))
            continue
        if isinstance(event, dict) and "error" not in event:
            add(whole, event)
        else:
            others.append(event)
    return [*([whole] if whole else []), *others]


def add(whole: dict[str, Any], piece: dict[str, Any]) -> None:
    """Put a chunk into what came before it: texts grow, lists go by ``index``, the rest is new."""
    for name, value in piece.items():
        known = whole.get(name)
        if isinstance(value, str) and isinstance(known, str) and name in JOINED:
            whole[name] = known + value
        elif isinstance(value, dict) and isinstance(known, dict):
            add(known, value)
        elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
            whole[name] = known if isinstance(known, list) else []
            add_items(whole[name], value)
        elif value is not None or name not in whole:
            whole[name] = value


def add_items(known: list[Any], items: list[dict[str, Any]]) -> None:
    for item in items:
        same = [other for other in known if other.get("index", 0) == item.get("index", 0)]
        if same and "index" in item:
            add(same[0], item)
        else:
            fresh: dict[str, Any] = {}
            add(fresh, item)
            known.append(fresh)
