"""Ships the usage journal of this host to PostgreSQL: nothing lost, nothing twice.

It remembers nothing between two lives. After a start it reads every segment that is left from
the beginning; what is stored already is simply not stored again.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec
from django.db import DataError, Error, IntegrityError, connection

from usage import log_store, payloads, posting
from usage.backlog import Backlog
from usage.posting import Ready
from usage.records import Final, Intent, Payload, Record
from usage.segments import Segment, Segments

log = logging.getLogger(__name__)
POLL_SECONDS = 0.2
LONGEST_PAUSE = 5.0  # seconds between two tries when PostgreSQL is away
LONGEST_CALL = 15 * 60.0  # seconds after which a call of a living process counts as interrupted
BATCH = 10000  # rows in one transaction
PAYLOADS = 200

NO_DECISION = b"{}"
LOCK = "recorder.lock"  # its time says up to when everything is recorded
REJECTED = "rejected.jsonl"  # what PostgreSQL will never take, for somebody to look at

Settlement = tuple[str, int, int]  # lease, account, tokens to charge


class Recorder:
    """The one recorder of a journal folder; others wait until it has ended.

    ``settle`` is called with calls whose process died, possibly more than once for the same
    lease. If it fails, it is called again later.
    """

    def __init__(
        self, directory: Path, settle: Callable[[list[Settlement]], None] = lambda _: None
    ) -> None:
        self._directory = directory
        self._settle = settle
        self._segments = Segments(directory)
        self._open: dict[str, tuple[Intent, Segment]] = {}
        self._pending: list[Final] = []  # read, not stored yet
        self._payloads: list[Payload] = []  # the same
        self._unsettled: dict[str, Final] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Record until ``stop`` is called, then what there is, and return."""
        with self._alone() as alone:
            pause = POLL_SECONDS if alone else 0.0
            while not self._stopped.wait(pause):
                pause = POLL_SECONDS if self._try() else min(pause * 2, LONGEST_PAUSE)
            if alone:
                self._try()

    def stop(self) -> None:
        self._stopped.set()

    def run_once(self) -> int:
        """Record what there is just now; how many rows were new."""
        with self._alone():
            return self._record()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Hold the folder for us; False if we were stopped before it was free."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / LOCK).open("a") as lock:
            alone = self._lock(lock.fileno())
            while not alone and not self._stopped.wait(POLL_SECONDS):
                alone = self._lock(lock.fileno())
            yield alone

    @staticmethod
    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _try(self) -> bool:
        try:
            self._record()
        except Error as error:
            log.warning("PostgreSQL does not take the usage records: %s", error)
            connection.close()
            return False
        return True

    def _record(self) -> int:
        """One round. Where it fails it can simply be begun again."""
        begun_at = time.time()
        stored = self._post()
        dead = self._segments.dead()  # asked first: what these have written is all there by now
        stored += self._read()
        self._give_up_calls(dead)
        stored += self._post()
        self._settle_for(dead)
        self._forget_segments(dead)
        with contextlib.suppress(OSError):  # somebody removed it
            os.utime(self._directory / LOCK, (begun_at, begun_at))
        return stored

    def _read(self) -> int:
        """Take what was written since; how many rows were new of the full batches among it."""
        stored, backlog = 0, Backlog(self._store)
        try:
            for segment in self._segments.current():
                for record in segment.read():
                    self._take(record, segment)
                    if len(self._pending) >= BATCH:
                        batch, self._pending = self._pending, []
                        stored += backlog.add(batch)
                    if len(self._payloads) >= PAYLOADS:
                        self._keep_payloads()
            return stored + backlog.wait()
        finally:
            backlog.close()
            self._pending[:0] = backlog.unstored

    def _take(self, record: Record, segment: Segment) -> None:
        if isinstance(record, Intent):
            self._open[record.request_id] = (record, segment)
            segment.open_calls.add(record.request_id)
            return
        if isinstance(record, Payload):
            self._payloads.append(record)
            return
        if known := self._open.pop(record.request_id, None):
            known[1].open_calls.discard(record.request_id)
        if record.lease:
            segment.reserved[record.request_id] = record
        self._pending.append(record)

    def _give_up_calls(self, dead: set[str]) -> None:
        """What a dead process was serving is over; so is whatever takes unreasonably long."""
        long_ago = time.time() - LONGEST_CALL
        over = [
            (intent, segment)
            for intent, segment in self._open.values()
            if segment.process in dead or intent.started_at < long_ago
        ]
        delivered = {
            process: self._segments.delivered(process)
            for process in {segment.process for _, segment in over}
        }
        for intent, segment in over:
            final = interrupted(intent, delivered[segment.process].get(intent.request_id, 0))
            self._take(final, segment)
            if final.lease:
                self._unsettled[final.request_id] = final

    def _post(self) -> int:
        """Store what is pending, a batch at a time; how many rows were new."""
        stored = 0
        while self._pending:
            batch = self._pending[:BATCH]
            stored += self._store(batch)
            del self._pending[: len(batch)]
        self._keep_payloads()
        return stored

    def _keep_payloads(self) -> None:
        """Store what was captured; what PostgreSQL will never take is not worth a second try."""
        try:
            payloads.store(self._payloads)
        except (DataError, IntegrityError) as error:
            log.error("%d captured payloads cannot be stored: %s", len(self._payloads), error)
        self._payloads = []

    def _store(self, batch: list[Final], ready: Ready | None = None) -> int:
        """Post the batch; one that PostgreSQL will never take does not hold up the others."""
        try:
            return posting.store(ready or posting.prepare(batch))
        except (DataError, IntegrityError) as error:
            if len(batch) == 1:
                return self._store_without_decision(batch[0], error)
        middle = len(batch) // 2
        return self._store(batch[:middle]) + self._store(batch[middle:])

    def _store_without_decision(self, final: Final, error: Error) -> int:
        """The one part of a record that is a document of any form is given up first."""
        if final.decision == NO_DECISION:
            self._put_aside(final, error)
            return 0
        return self._store([msgspec.structs.replace(final, decision=NO_DECISION)])

    def _put_aside(self, final: Final, error: Error) -> None:
        log.error("%s cannot be stored: %s", final.request_id, error)
        with (self._directory / REJECTED).open("ab") as file:
            file.write(msgspec.json.encode(msgspec.structs.asdict(final)) + b"\n")

    def _settle_for(self, dead: set[str]) -> None:
        """Settle what dead processes may not have settled, as their rows say."""
        for segment in self._segments.current():
            if segment.process in dead:
                self._unsettled |= segment.reserved
                segment.reserved = {}
        if not self._unsettled:
            return
        try:
            self._settle(settlements(self._unsettled.values()))
        except Exception as error:
            log.warning("reservations wait to be settled: %s", error)
        else:
            self._unsettled = {}

    def _forget_segments(self, dead: set[str]) -> None:
        """Delete what is stored, settled and finished."""
        for segment in self._segments.current():
            settled = segment.process not in dead or not self._unsettled
            if settled and not segment.open_calls:
                self._segments.forget(segment)
        self._segments.tidy()


def interrupted(intent: Intent, completion_tokens: int) -> Final:
    """How a call ended whose process did not live to tell; charged for what was delivered."""
    return Final(
        request_id=intent.request_id,
        started_at=intent.started_at,
        retention_class=intent.retention_class,
        account_id=intent.account_id,
        api_key_id=intent.api_key_id,
        endpoint=intent.endpoint,
        requested_model=intent.requested_model,
        model=intent.model,
        status_code=500,
        outcome="interrupted",
        error_type="server_error",
        error_code="interrupted",
        error_message="The process that served this call ended before it was complete.",
        prompt_tokens=intent.prompt_tokens if completion_tokens else 0,
        completion_tokens=completion_tokens,
        usage_source="estimated",
        streamed=intent.streamed,
        ip=intent.ip,
        end_user=intent.end_user,
        lease=intent.lease,
    )


def settlements(finals: Collection[Final]) -> list[Settlement]:
    """What to charge for these calls, all of which are stored by now.

    Where we ourselves said how a call ended, its process may have done so before us: the row
    knows who was first.
    """
    ours = [final.request_id for final in finals if final.outcome == "interrupted"]
    stored = log_store.total_tokens(ours)
    return [
        (
            final.lease,
            final.account_id,
            stored.get(final.request_id, final.prompt_tokens + final.completion_tokens),
        )
        for final in finals
    ]
